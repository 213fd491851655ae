// Package cli is the command line, one file per command. It reads flags, the environment
// and the configuration file, talks to a running server as its clients do, and leaves what
// needs the parts of the server to the functions in Parts, which main fills in.
//
// It imports what clients on the same machine share with the server (the data folder, the
// store for keys, the words of package compute), never an engine, an operation or a job.
// Start at newRoot, the table of commands.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"carrel/internal/clock"
	"carrel/internal/compute"
)

// Parts is what main lends to the commands.
type Parts struct {
	// Serve runs the server until the context ends.
	Serve func(ctx context.Context, c *Config, log *slog.Logger) error
	// Incus describes the Incus that the configuration names, also where no server has run
	// yet. Errors: those of compute, ErrUnavailable where none answers. nil: there is none
	// in this program.
	Incus func(ctx context.Context, c *Config) (compute.About, error)
	// ImportImage makes the two files of an image known to that Incus as alias. The same files
	// again change nothing. nil: as with Incus.
	ImportImage func(ctx context.Context, c *Config, alias, metadata, rootfs string) error
	// Version is the program's.
	Version string
	Out     io.Writer
	Err     io.Writer

	// Env is the environment, as of os.Environ, and In the standard input; nil: the process's.
	Env []string
	In  io.Reader
}

// The exit codes.
const (
	ExitOK      = 0
	ExitFailure = 1 // what was asked for did not work
	ExitUsage   = 2 // what was asked for is not a thing to ask for
)

// usageError is a mistake in how a command was called.
type usageError struct{ error }

// usagef makes a usageError.
func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// Run runs the command that args name and returns the exit code.
func Run(ctx context.Context, parts Parts, args []string) int {
	if parts.Env == nil {
		parts.Env = os.Environ()
	}
	if parts.In == nil {
		parts.In = os.Stdin
	}
	root := newRoot(parts) // cobra hands the commands the context
	root.SetArgs(args)
	root.SetIn(parts.In)
	root.SetOut(parts.Out)
	root.SetErr(parts.Err)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return ExitOK
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		err = errors.New("interrupted")
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
	clock  *clock.Clock
	config Config
	file   string         // of the configuration, "" for none
	known  *pflag.FlagSet // every setting, whichever command shows it
	said   map[string]bool
}

func newRoot(parts Parts) *cobra.Command {
	s := &shared{Parts: parts, clock: clock.New(), known: pflag.NewFlagSet("settings", pflag.ContinueOnError), said: make(map[string]bool)}
	s.config.flags(s.known)
	s.known.StringVar(&s.file, "config", "", "a file with settings, in YAML")
	root := group("carrel", "Desktops for everyone, through the Amazon WorkSpaces API",
		"  carrel serve &\n  carrel directory quickstart --user jane\n  eval \"$(carrel env)\"\n  aws workspaces describe-workspaces",
		newServe(s), newEnv(s), newKey(s), newUser(s), newNetwork(s), newRegion(s), newDirectory(s), newImage(s), newDoctor(s), newWatch(s),
		newSAML(s), newScreen(s), newVersion(s))
	root.Long = "Carrel gives each person of an organisation a desktop of their own, on the organisation's own\n" +
		"machines, through the API that its tools already speak: Amazon WorkSpaces.\n\n" +
		"Commands talk to the server of the data folder, or to the one that AWS_ENDPOINT_URL names, with the\n" +
		"key in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	for _, name := range []string{"data", "database", "config"} {
		root.PersistentFlags().AddFlag(s.known.Lookup(name))
	}
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return s.layer() }
	strict(root)
	return root
}

// group is a command that only holds others.
func group(use, short, example string, commands ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{
		Use: use, Short: short, Example: example,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			unknown := fmt.Errorf("there is no command %s %s", cmd.CommandPath(), args[0])
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				unknown = fmt.Errorf("%w; did you mean %s", unknown, strings.Join(near, ", "))
			}
			return unknown
		},
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SuggestionsMinimumDistance: 2,
	}
	g.AddCommand(commands...)
	return g
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
