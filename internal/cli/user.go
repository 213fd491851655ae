package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	dstypes "github.com/aws/aws-sdk-go-v2/service/directoryservice/types"
	"github.com/aws/aws-sdk-go-v2/service/directoryservicedata"
	"github.com/spf13/cobra"
)

func newUser(s *shared) *cobra.Command {
	return group("user", "Add, list and change the users of a directory",
		"  carrel user add jane --given-name Jane --surname Doe\n  carrel user list",
		newUserAdd(s), newUserList(s), newUserPasswd(s), newUserDisable(s), newUserDelete(s))
}

// onDirectory returns what a command runs: f, on the directory that --directory says.
func (s *shared) onDirectory(said *string, f func(ctx context.Context, in userDirectory, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		r, err := s.remote()
		if err != nil {
			return err
		}
		d, err := r.directory(cmd.Context(), *said)
		if err != nil {
			return err
		}
		return f(cmd.Context(), userDirectory{remote: r, DirectoryDescription: d}, args)
	}
}

// userDirectory is a directory and the server that it is on.
type userDirectory struct {
	*remote
	dstypes.DirectoryDescription
}

func newUserAdd(s *shared) *cobra.Command {
	var flags passwordFlags
	var givenName, surname, email string
	cmd := &cobra.Command{
		Use:   "add USER",
		Short: "Add a user, with a password",
		Long: "Add a user, with a password. Where none is given, a strong one is made and shown once. A user can then have\n" +
			"a WorkSpace: aws workspaces create-workspaces.",
		Example: "  carrel user add jane --given-name Jane --surname Doe --email jane@example.com\n" +
			"  carrel user add jane --directory corp.example.com --password-stdin <secret",
		Args: cobra.ExactArgs(1),
	}
	directory, output := s.directoryFlag(cmd), outputFlag(cmd)
	flags.declare(cmd)
	cmd.Flags().StringVar(&givenName, "given-name", "", "the user's given name")
	cmd.Flags().StringVar(&surname, "surname", "", "the user's surname")
	cmd.Flags().StringVar(&email, "email", "", "the user's email address")
	cmd.RunE = s.onDirectory(directory, func(ctx context.Context, d userDirectory, args []string) error {
		p, err := s.password(ctx, flags, args[0])
		if err != nil {
			return err
		}
		err = d.addUser(ctx, &directoryservicedata.CreateUserInput{
			SAMAccountName: &args[0], GivenName: unlessEmpty(givenName), Surname: unlessEmpty(surname), EmailAddress: unlessEmpty(email),
		}, p)
		if err != nil {
			return err
		}
		return s.printPassword(*output, d, args[0], p)
	})
	return cmd
}

func unlessEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// addUser makes a user and gives it its password, which enables it.
func (d userDirectory) addUser(ctx context.Context, in *directoryservicedata.CreateUserInput, p password) error {
	in.DirectoryId = d.DirectoryId
	if _, err := d.users().CreateUser(ctx, in); err != nil {
		return d.plain(err)
	}
	if err := d.setPassword(ctx, *in.SAMAccountName, p); err != nil {
		return fmt.Errorf("the user was added, but cannot sign in yet; carrel user passwd gives a password: %w", err)
	}
	return nil
}

func (d userDirectory) setPassword(ctx context.Context, user string, p password) error {
	_, err := d.remote.directories().ResetUserPassword(ctx, &directoryservice.ResetUserPasswordInput{
		DirectoryId: d.DirectoryId, UserName: &user, NewPassword: &p.text,
	})
	return d.plain(err)
}

// printPassword says what a command did for a user, with the password where Carrel made it.
func (s *shared) printPassword(f format, d userDirectory, user string, p password) error {
	if f == formatJSON {
		said := map[string]string{"directory_id": *d.DirectoryId, "user": user}
		if p.made {
			said["password"] = p.text
		}
		return printJSON(s.Out, said)
	}
	text := fmt.Sprintf("%s of the directory %s (%s) can sign in now.\n", user, *d.DirectoryId, aws.ToString(d.Name))
	if p.made {
		text += "Password, shown this once: " + p.text + "\n"
	}
	_, err := fmt.Fprint(s.Out, text)
	return err
}

// listedUser is a user as user list prints it.
type listedUser struct {
	Name      string `json:"user"`
	GivenName string `json:"given_name,omitempty"`
	Surname   string `json:"surname,omitempty"`
	Enabled   bool   `json:"enabled"`
	SID       string `json:"sid"`
}

func newUserList(s *shared) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the users of a directory",
		Example: "  carrel user list\n  carrel user list --directory d-926722edaf --output json",
		Args:    cobra.NoArgs,
	}
	directory, output := s.directoryFlag(cmd), outputFlag(cmd)
	cmd.RunE = s.onDirectory(directory, func(ctx context.Context, d userDirectory, _ []string) error {
		list, err := d.listUsers(ctx)
		if err != nil {
			return err
		}
		return printList(s.Out, *output, list, []string{"USER", "NAME", "ENABLED"}, func(u listedUser) []string {
			enabled := "yes"
			if !u.Enabled {
				enabled = "no"
			}
			return []string{u.Name, strings.TrimSpace(u.GivenName + " " + u.Surname), enabled}
		})
	})
	return cmd
}

func (d userDirectory) listUsers(ctx context.Context) ([]listedUser, error) {
	var list []listedUser
	pages := directoryservicedata.NewListUsersPaginator(d.users(), &directoryservicedata.ListUsersInput{DirectoryId: d.DirectoryId})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, d.plain(err)
		}
		for _, u := range page.Users {
			list = append(list, listedUser{
				Name: aws.ToString(u.SAMAccountName), GivenName: aws.ToString(u.GivenName), Surname: aws.ToString(u.Surname),
				Enabled: aws.ToBool(u.Enabled), SID: aws.ToString(u.SID),
			})
		}
	}
	return list, nil
}

func newUserPasswd(s *shared) *cobra.Command {
	var flags passwordFlags
	cmd := &cobra.Command{
		Use:   "passwd USER",
		Short: "Give a user a new password, which also enables the user",
		Long: "Give a user a new password, which also enables a user who was disabled. Where none is given, a strong one is\n" +
			"made and shown once.",
		Example: "  carrel user passwd jane\n  carrel user passwd jane --password-stdin",
		Args:    cobra.ExactArgs(1),
	}
	directory, output := s.directoryFlag(cmd), outputFlag(cmd)
	flags.declare(cmd)
	cmd.ValidArgsFunction = completeArgs(s.userNames(directory))
	cmd.RunE = s.onDirectory(directory, func(ctx context.Context, d userDirectory, args []string) error {
		p, err := s.password(ctx, flags, args[0])
		if err != nil {
			return err
		}
		if err := d.setPassword(ctx, args[0], p); err != nil {
			return err
		}
		return s.printPassword(*output, d, args[0], p)
	})
	return cmd
}

func newUserDisable(s *shared) *cobra.Command {
	return s.eachUser(&cobra.Command{
		Use:   "disable USER...",
		Short: "Keep users from signing in; what they have stays",
		Long: "Keep users from signing in. Their WorkSpaces stay, and no new one can be made for them. A new password enables\n" +
			"them again: carrel user passwd USER.",
		Example: "  carrel user disable jane",
	}, "is disabled", func(ctx context.Context, d userDirectory, user string) error {
		_, err := d.users().DisableUser(ctx, &directoryservicedata.DisableUserInput{DirectoryId: d.DirectoryId, SAMAccountName: &user})
		return err
	})
}

func newUserDelete(s *shared) *cobra.Command {
	return s.eachUser(&cobra.Command{
		Use:     "delete USER...",
		Short:   "Delete users; their WorkSpaces stay until they are terminated",
		Example: "  carrel user delete jane john",
	}, "is deleted", func(ctx context.Context, d userDirectory, user string) error {
		_, err := d.users().DeleteUser(ctx, &directoryservicedata.DeleteUserInput{DirectoryId: d.DirectoryId, SAMAccountName: &user})
		return err
	})
}

// eachUser makes cmd do something with each user that its arguments name, and say what became
// of it. It stops at the first that it cannot be done with.
func (s *shared) eachUser(cmd *cobra.Command, became string, f func(context.Context, userDirectory, string) error) *cobra.Command {
	directory := s.directoryFlag(cmd)
	cmd.Args = cobra.MinimumNArgs(1)
	cmd.ValidArgsFunction = completeArgs(s.userNames(directory))
	cmd.RunE = s.onDirectory(directory, func(ctx context.Context, d userDirectory, users []string) error {
		for _, user := range users {
			if err := f(ctx, d, user); err != nil {
				return fmt.Errorf("%s: %w", user, d.plain(err))
			}
			if _, err := fmt.Fprintln(s.Out, user, became); err != nil {
				return err
			}
		}
		return nil
	})
	return cmd
}

// userNames are the users that a shell can offer.
func (s *shared) userNames(directory *string) candidates {
	return func(ctx context.Context) ([]cobra.Completion, error) {
		r, err := s.remote()
		if err != nil {
			return nil, err
		}
		d, err := r.directory(ctx, *directory)
		if err != nil {
			return nil, err
		}
		users, err := userDirectory{remote: r, DirectoryDescription: d}.listUsers(ctx)
		offers := make([]cobra.Completion, 0, len(users))
		for _, u := range users {
			offers = append(offers, cobra.CompletionWithDesc(u.Name, strings.TrimSpace(u.GivenName+" "+u.Surname)))
		}
		return offers, err
	}
}
