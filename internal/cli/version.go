package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newVersion(s *shared) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Say which Carrel this is",
		Example: "  carrel version",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(s.Out, "carrel", s.Version)
			return err
		},
	}
}
