package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/spf13/cobra"
)

// watchEvery is how often watch looks. A look that takes longer delays the next.
const watchEvery = time.Second

func newWatch(s *shared) *cobra.Command {
	var once bool
	var user string
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Show WorkSpaces and their states as they change",
		Long: "Show WorkSpaces and their states as they change, with how far work has come that is under way; q ends it. Where\n" +
			"the output is no terminal, a line is printed for each change. With --once, what there is now is printed.",
		Example: "  carrel watch\n  carrel watch --once --output json\n  carrel watch --directory d-926722edaf --user jane",
		Args:    cobra.NoArgs,
	}
	output := outputFlag(cmd)
	directory := s.directoryFlag(cmd)
	cmd.Flags().StringVar(&user, "user", "", "only this user's; takes a directory")
	cmd.Flags().BoolVar(&once, "once", false, "print what there is now, and end")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *output == formatJSON && !once {
			return usagef("--output json goes with --once")
		}
		w, err := s.watch(cmd.Context(), *directory, user)
		if err != nil {
			return err
		}
		if once {
			list, err := w.look(cmd.Context())
			if err != nil {
				return err
			}
			return printWorkSpaces(s.Out, *output, list)
		}
		if err := w.run(cmd.Context()); !errors.Is(err, context.Canceled) || cmd.Context().Err() == nil {
			return err
		}
		return nil // Ctrl-C is how watching ends
	}
	return cmd
}

// watch looks at WorkSpaces again and again.
type watch struct {
	s      *shared
	r      *remote
	filter workspaces.DescribeWorkspacesInput
}

func (s *shared) watch(ctx context.Context, directory, user string) (*watch, error) {
	r, err := s.remote()
	if err != nil {
		return nil, err
	}
	w := &watch{s: s, r: r}
	if directory != "" || user != "" { // the API takes a user only within a directory
		d, err := r.directory(ctx, directory)
		if err != nil {
			return nil, err
		}
		w.filter.DirectoryId, w.filter.UserName = d.DirectoryId, unlessEmpty(user)
	}
	return w, nil
}

// look reads all the WorkSpaces, page by page.
func (w *watch) look(ctx context.Context) ([]listedWorkSpace, error) {
	var list []listedWorkSpace
	pages := workspaces.NewDescribeWorkspacesPaginator(w.r.workspaces(), &w.filter)
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, w.r.plain(err)
		}
		for i := range page.Workspaces {
			list = append(list, listed(&page.Workspaces[i]))
		}
	}
	return list, nil
}

// run watches until the context ends or, at a terminal, somebody presses q.
func (w *watch) run(ctx context.Context) error {
	first, err := w.look(ctx) // before anything is drawn, so that a server that is not there is said plainly
	if err != nil {
		return err
	}
	b := newBoard(w.s.clock.Now(), first)
	if file, live := terminal(w.s.Out); live {
		screen := &watchScreen{ctx: ctx, watch: w, board: b}
		_, err := tea.NewProgram(screen, tea.WithContext(ctx), tea.WithInput(w.s.In), tea.WithOutput(file), tea.WithoutSignalHandler()).Run()
		return err
	}
	return w.print(ctx, b, b.changes(first))
}

// print prints a line for each change.
func (w *watch) print(ctx context.Context, b *board, changes []change) error {
	silent := false
	for {
		for _, c := range changes {
			if _, err := io.WriteString(w.s.Out, c.line()); err != nil {
				return err
			}
		}
		if err := w.s.clock.Sleep(ctx, watchEvery); err != nil {
			return err
		}
		list, err := w.look(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !silent:
			_, _ = fmt.Fprintf(w.s.Err, "carrel: %v; trying again\n", err)
			changes = nil
		case err == nil:
			changes = b.observe(w.s.clock.Now(), list)
		}
		silent = err != nil
	}
}
