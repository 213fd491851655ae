// Package cli is the command line, one file per command. It reads flags, the environment
// and the configuration file, talks to a running server as its clients do, and leaves what
// needs the parts of the server to the functions in Parts, which main fills in.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"carrel/internal/installation"
)

// Parts is what main lends to the commands.
type Parts struct {
	// Serve runs the server until the context ends.
	Serve func(ctx context.Context, c *Config, log *slog.Logger) error
	// Version is the program's.
	Version string
	Out     io.Writer
	Err     io.Writer
}

// The exit codes.
const (
	ExitOK      = 0
	ExitFailure = 1 // what was asked for did not work
	ExitUsage   = 2 // what was asked for is not a thing to ask for
)

// usageError is a mistake in how a command was called.
type usageError struct{ error }

// Run runs the command that args name and returns the exit code.
func Run(ctx context.Context, parts Parts, args []string) int {
	root := newRoot(parts)
	root.SetArgs(args)
	root.SetOut(parts.Out)
	root.SetErr(parts.Err)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil || errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return ExitOK
	}
	_, _ = fmt.Fprintf(parts.Err, "carrel: %v\n", err)
	if _, ok := errors.AsType[usageError](err); ok {
		_, _ = fmt.Fprintf(parts.Err, "See %s --help.\n", cmd.CommandPath())
		return ExitUsage
	}
	return ExitFailure
}

// shared is what all commands have.
type shared struct {
	Parts
	data     string
	database string
}

func (s *shared) folder() installation.Folder { return installation.Folder{Path: s.data} }

func newRoot(parts Parts) *cobra.Command {
	s := &shared{Parts: parts}
	root := &cobra.Command{
		Use:   "carrel",
		Short: "Desktops for everyone, through the Amazon WorkSpaces API",
		Long: "Carrel gives each person of an organisation a desktop of their own, on the organisation's own\n" +
			"machines, through the API that its tools already speak: Amazon WorkSpaces.",
		Example:       "  carrel serve &\n  eval \"$(carrel env)\"\n  aws workspaces describe-workspaces",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.PersistentFlags().StringVar(&s.data, "data", installation.DefaultPath(), "the data folder")
	root.PersistentFlags().StringVar(&s.database, "database", "", "URL of a PostgreSQL database; empty: SQLite in the data folder")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return s.fromEnvironment(cmd) }
	root.AddCommand(newServe(s), newVersion(s))
	for _, cmd := range root.Commands() {
		strict(cmd)
	}
	return root
}

// strict makes wrong arguments a mistake in the call.
func strict(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError{err}
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		strict(sub)
	}
}
