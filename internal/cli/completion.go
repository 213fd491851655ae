package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// candidates asks for what a word on the command line can be, each with a description behind a
// tab, as cobra takes them.
type candidates func(ctx context.Context) ([]cobra.Completion, error)

// completeArgs offers candidates for a command's arguments, but for those that stand there already. Where
// they cannot be asked for, nothing is offered: a shell has no place for an error.
func completeArgs(ask candidates) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		found, err := ask(cmd.Context())
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		found = slices.DeleteFunc(found, func(c cobra.Completion) bool {
			word, _, _ := strings.Cut(c, "\t")
			return slices.Contains(args, word)
		})
		return found, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeFlag offers candidates for a flag's value.
func completeFlag(cmd *cobra.Command, flag string, ask candidates) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return completeArgs(ask)(cmd, nil, "")
	})
	if err != nil {
		panic(err) // the flag is not declared, or completed twice: a mistake in this package
	}
}
