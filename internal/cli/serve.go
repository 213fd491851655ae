package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
)

func newServe(s *shared) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Answer the API and run desktops",
		Long: "Answer the API and run desktops, until the process is told to stop.\n\n" +
			"A setting comes from a flag, else from the environment (CARREL_ and the flag's name: CARREL_LISTEN),\n" +
			"else from the file that --config names, else it is the default. The file has the flags' names as keys,\n" +
			"and the networks of desktops beside them, the sources of images and the applications:\n\n" +
			"  listen: 0.0.0.0:8383\n" +
			"  engine: incus\n" +
			"  networks:\n" +
			"    - {subnet-id: subnet-0a1b2c3d, vpc-id: vpc-0a1b2c3d, zone: us-east-1a, prefix: 10.20.0.0/20}\n" +
			"    - {subnet-id: subnet-0a1b2c3e, vpc-id: vpc-0a1b2c3d, zone: us-east-1b, prefix: 10.20.16.0/20}",
		Example: "  carrel serve\n  carrel serve --engine simulated --limits aws\n  carrel serve --ci --listen 127.0.0.1:5000",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.settle(); err != nil {
				return usageError{err}
			}
			return s.serve(cmd.Context())
		},
	}
	cmd.Flags().AddFlagSet(s.known)
	return cmd
}

func (s *shared) serve(ctx context.Context) error {
	c := s.config
	if c.CI && !s.said["data"] {
		dir, err := os.MkdirTemp("", "carrel-ci-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		c.Data = dir
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return usageError{err}
	}
	log := slog.New(slog.NewTextHandler(s.Err, &slog.HandlerOptions{Level: level}))
	err := s.Serve(ctx, &c, log)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil // being told to stop is how a server ends
	}
	return err
}
