package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	dstypes "github.com/aws/aws-sdk-go-v2/service/directoryservice/types"
	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	wstypes "github.com/aws/aws-sdk-go-v2/service/workspaces/types"
	"github.com/spf13/cobra"
)

func newDirectory(s *shared) *cobra.Command {
	return group("directory", "Make and list the directories that users are in",
		"  carrel directory quickstart --user jane\n  carrel directory list", newDirectoryList(s), newQuickstart(s))
}

// listedDirectory is a directory as directory list prints it: what Directory Service and
// WorkSpaces say of it.
type listedDirectory struct {
	ID               string `json:"directory_id"`
	Name             string `json:"name"`
	Type             string `json:"type"`
	Stage            string `json:"stage"`
	State            string `json:"state,omitempty"` // of the registration with WorkSpaces
	RegistrationCode string `json:"registration_code,omitempty"`
}

func newDirectoryList(s *shared) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the directories, and how they are registered with WorkSpaces",
		Example: "  carrel directory list\n  carrel directory list --output json",
		Args:    cobra.NoArgs,
	}
	output := outputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		r, err := s.remote()
		if err != nil {
			return err
		}
		list, err := r.listDirectories(cmd.Context())
		if err != nil {
			return err
		}
		return printList(s.Out, *output, list, []string{"DIRECTORY", "NAME", "TYPE", "STAGE", "WORKSPACES", "REGISTRATION CODE"},
			func(d listedDirectory) []string {
				return []string{d.ID, d.Name, d.Type, d.Stage, d.State, d.RegistrationCode}
			})
	}
	return cmd
}

func (r *remote) listDirectories(ctx context.Context) ([]listedDirectory, error) {
	described, err := r.describeDirectories(ctx)
	if err != nil {
		return nil, err
	}
	registered, err := r.registrations(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]listedDirectory, 0, len(described))
	for _, d := range described {
		row := listedDirectory{ID: aws.ToString(d.DirectoryId), Name: aws.ToString(d.Name), Type: string(d.Type), Stage: string(d.Stage)}
		if registration, ok := registered[row.ID]; ok {
			row.State, row.RegistrationCode = string(registration.State), aws.ToString(registration.RegistrationCode)
		}
		list = append(list, row)
	}
	own, err := r.ownDirectories(ctx)
	for _, d := range own {
		list = append(list, listedDirectory{
			ID: aws.ToString(d.DirectoryId), Name: aws.ToString(d.DirectoryName), Type: string(d.WorkspaceType), State: string(d.State),
			RegistrationCode: aws.ToString(d.RegistrationCode),
		})
	}
	return list, err
}

// ownDirectories are those that Directory Service does not know, by id: of pools, above all.
func (r *remote) ownDirectories(ctx context.Context) ([]wstypes.WorkspaceDirectory, error) {
	registered, err := r.registrations(ctx)
	var own []wstypes.WorkspaceDirectory
	for _, id := range slices.Sorted(maps.Keys(registered)) {
		if strings.HasPrefix(id, "wsd-") {
			own = append(own, registered[id])
		}
	}
	return own, err
}

// describeDirectories are the account's directories, in the order in which they were made.
func (r *remote) describeDirectories(ctx context.Context) ([]dstypes.DirectoryDescription, error) {
	var all []dstypes.DirectoryDescription
	pages := directoryservice.NewDescribeDirectoriesPaginator(r.directories(), &directoryservice.DescribeDirectoriesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.plain(err)
		}
		all = append(all, page.DirectoryDescriptions...)
	}
	return all, nil
}

// registrations are the directories that are registered with WorkSpaces, by id: all, or those
// with the ids.
func (r *remote) registrations(ctx context.Context, ids ...string) (map[string]wstypes.WorkspaceDirectory, error) {
	all := make(map[string]wstypes.WorkspaceDirectory)
	pages := workspaces.NewDescribeWorkspaceDirectoriesPaginator(r.workspaces(), &workspaces.DescribeWorkspaceDirectoriesInput{DirectoryIds: ids})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, r.plain(err)
		}
		for _, d := range page.Directories {
			all[aws.ToString(d.DirectoryId)] = d
		}
	}
	return all, nil
}

// leaving reports whether the directory is on its way out, so that nothing more is done with it.
func leaving(d dstypes.DirectoryDescription) bool {
	return d.Stage == dstypes.DirectoryStageDeleting || d.Stage == dstypes.DirectoryStageDeleted
}

// directory finds the directory that --directory says, by id or name: or, where it says
// nothing, the only one that there is. Those of pools count where one is named, or there is no other.
func (r *remote) directory(ctx context.Context, said string) (dstypes.DirectoryDescription, error) {
	all, err := r.describeDirectories(ctx)
	if err == nil && (said != "" || len(all) == 0) {
		var own []wstypes.WorkspaceDirectory
		own, err = r.ownDirectories(ctx)
		for _, d := range own {
			all = append(all, dstypes.DirectoryDescription{DirectoryId: d.DirectoryId, Name: d.DirectoryName})
		}
	}
	if err != nil {
		return dstypes.DirectoryDescription{}, err
	}
	var fitting []dstypes.DirectoryDescription
	var names []string
	for _, d := range all {
		id, name := aws.ToString(d.DirectoryId), aws.ToString(d.Name)
		if leaving(d) || said != "" && said != id && !strings.EqualFold(said, name) {
			continue
		}
		fitting = append(fitting, d)
		names = append(names, fmt.Sprintf("%s (%s)", id, name))
	}
	switch {
	case len(fitting) == 1:
		return fitting[0], nil
	case len(fitting) > 1:
		return dstypes.DirectoryDescription{}, usagef("there are several directories; say which with --directory: %s", strings.Join(names, ", "))
	case said != "":
		return dstypes.DirectoryDescription{}, fmt.Errorf("there is no directory %s; carrel directory list shows those that there are", said)
	default:
		return dstypes.DirectoryDescription{}, fmt.Errorf("there is no directory yet; make one with: carrel directory quickstart")
	}
}

// directoryFlag declares --directory for a command and returns where its value will be.
func (s *shared) directoryFlag(cmd *cobra.Command) *string {
	said := cmd.Flags().String("directory", "", "the directory, by id or name; it can be left out where there is only one")
	completeFlag(cmd, "directory", func(ctx context.Context) ([]cobra.Completion, error) {
		r, err := s.remote()
		if err != nil {
			return nil, err
		}
		all, err := r.listDirectories(ctx)
		offers := make([]cobra.Completion, 0, len(all))
		for _, d := range all {
			offers = append(offers, cobra.CompletionWithDesc(d.ID, d.Name))
		}
		return offers, err
	})
	return said
}
