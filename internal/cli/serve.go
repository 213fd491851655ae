package cli

import (
	"log/slog"
	"os"

	"github.com/spf13/cobra"
)

func newServe(s *shared) *cobra.Command {
	var c Config
	var file string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Answer the API and run desktops",
		Long: "Answer the API and run desktops, until the process is told to stop.\n\n" +
			"A setting comes from a flag, else from the environment (CARREL_ and the flag's name: CARREL_LISTEN),\n" +
			"else from the file that --config names, else it is the default.",
		Example: "  carrel serve\n  carrel serve --engine simulated --limits aws\n  carrel serve --ci --listen 127.0.0.1:5000",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.Data, c.Database = s.data, s.database
			if err := c.load(cmd, file); err != nil {
				return usageError{err}
			}
			if c.CI {
				dir, err := os.MkdirTemp("", "carrel-ci-")
				if err != nil {
					return err
				}
				defer os.RemoveAll(dir) //nolint:errcheck // it lies where the system cleans up
				c.Data, c.Database = dir, ""
			}
			var level slog.Level
			if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
				return usageError{err}
			}
			log := slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: level}))
			return s.Serve(cmd.Context(), &c, log)
		},
	}
	c.flags(cmd.Flags())
	cmd.Flags().StringVar(&file, "config", "", "a file with settings, in YAML")
	return cmd
}
