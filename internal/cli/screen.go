package cli

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/spf13/cobra"
)

func newScreen(s *shared) *cobra.Command {
	return &cobra.Command{
		Use:   "screen WORKSPACE FILE.png",
		Short: "Take a picture of a desktop's screen",
		Long:  "Take a picture of the screen of a WorkSpace that is AVAILABLE. A FILE of - is standard output.",
		Example: "  carrel screen ws-0123abcde desktop.png\n" +
			"  carrel screen ws-0123abcde - | display",
		Args: cobra.ExactArgs(2),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return []cobra.Completion{"png"}, cobra.ShellCompDirectiveFilterFileExt
			}
			return completeArgs(s.workSpaceIDs)(cmd, args, typed)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return s.screen(cmd.Context(), args[0], args[1]) },
	}
}

func (s *shared) screen(ctx context.Context, id, file string) error {
	if _, shown := terminal(s.Out); file == "-" && shown {
		return usagef("a terminal cannot show a picture; send it to a file or a program")
	}
	r, err := s.remote()
	if err != nil {
		return err
	}
	picture, err := r.get(ctx, "/_carrel/workspaces/"+url.PathEscape(id)+"/screen.png")
	if err != nil {
		return err
	}
	if file == "-" {
		_, err = s.Out.Write(picture)
		return err
	}
	return replaceFile(file, picture)
}

// replaceFile writes a file so that it is there whole or not at all.
func replaceFile(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".carrel-*")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	// A picture is for whoever may read the folder, unlike what CreateTemp makes.
	err = errors.Join(err, file.Chmod(0o644), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// workSpaceIDs are the WorkSpaces that a shell can offer: a page of them.
func (s *shared) workSpaceIDs(ctx context.Context) ([]cobra.Completion, error) {
	r, err := s.remote()
	if err != nil {
		return nil, err
	}
	page, err := r.workspaces().DescribeWorkspaces(ctx, &workspaces.DescribeWorkspacesInput{})
	if err != nil {
		return nil, err
	}
	offers := make([]cobra.Completion, 0, len(page.Workspaces))
	for _, w := range page.Workspaces {
		offers = append(offers, cobra.CompletionWithDesc(aws.ToString(w.WorkspaceId), aws.ToString(w.UserName)+" "+string(w.State)))
	}
	return offers, nil
}
