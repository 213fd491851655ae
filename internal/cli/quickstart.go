package cli

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	dstypes "github.com/aws/aws-sdk-go-v2/service/directoryservice/types"
	"github.com/aws/aws-sdk-go-v2/service/directoryservicedata"
	dsdatatypes "github.com/aws/aws-sdk-go-v2/service/directoryservicedata/types"
	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	wstypes "github.com/aws/aws-sdk-go-v2/service/workspaces/types"
	"github.com/spf13/cobra"
)

// quickstart makes, of a registered directory with a user, what is not there yet:
//
//  1. the directory, found again by its name, until it is Active
//  2. the user, until it can sign in
//  3. the registration with WorkSpaces, until it is REGISTERED; browsers are let in, which a
//     fresh registration denies
//
// Each step looks first, so that a run that broke off is taken up by the next. Whoever denies
// browsers later has their reasons: a registration that is there is left as it is.
type quickstart struct {
	s     *shared
	r     *remote
	name  string
	user  string
	flags passwordFlags
	made  quickstarted
}

// quickstarted is what there is at the end, as directory quickstart --output json prints it.
type quickstarted struct {
	DirectoryID      string `json:"directory_id"`
	Name             string `json:"name"`
	RegistrationCode string `json:"registration_code"`
	User             string `json:"user"`
	// Password is there where this run made one; one that the user had before stays as it is.
	Password string `json:"password,omitempty"`
	// AdministratorPassword is there where this run made the directory.
	AdministratorPassword string `json:"administrator_password,omitempty"`
	BundleID              string `json:"bundle_id"` // a bundle to begin with
	// WorkSpaceID is the WorkSpace that the user has already, if any.
	WorkSpaceID string `json:"workspace_id,omitempty"`
	Portal      string `json:"portal"`     // where users open their desktops in a browser
	WebAccess   string `json:"web_access"` // ALLOW or DENY: whether the directory lets browsers in
}

func newQuickstart(s *shared) *cobra.Command {
	q := quickstart{s: s, name: "carrel.internal"}
	cmd := &cobra.Command{
		Use:   "quickstart [NAME]",
		Short: "Make a registered directory with a user, in one step",
		Long: "Make a directory on the default network, with a user, and register it with WorkSpaces, open to browsers, so\n" +
			"that the user can have a WorkSpace next. NAME is the directory's domain name, " + q.name + " where none is given. What is there\n" +
			"stays as it is, and the rest is made; a user who is disabled is given a password and enabled.",
		Example: "  carrel directory quickstart --user jane\n  carrel directory quickstart corp.example.com --user jane --output json",
		Args:    cobra.MaximumNArgs(1),
	}
	output := outputFlag(cmd)
	cmd.Flags().StringVar(&q.user, "user", "jane", "the user")
	q.flags.declare(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) (err error) {
		if len(args) == 1 {
			q.name = args[0]
		}
		if q.r, err = s.remote(); err != nil {
			return err
		}
		if err := q.run(cmd.Context()); err != nil {
			return err
		}
		return q.print(*output)
	}
	return cmd
}

func (q *quickstart) run(ctx context.Context) error {
	d, err := q.directory(ctx)
	if err != nil {
		return fmt.Errorf("directory %s: %w", q.name, err)
	}
	q.made.DirectoryID, q.made.Name = aws.ToString(d.DirectoryId), aws.ToString(d.Name)
	if err := q.makeUser(ctx, userDirectory{remote: q.r, DirectoryDescription: d}); err != nil {
		return fmt.Errorf("user %s: %w", q.user, err)
	}
	if err := q.register(ctx); err != nil {
		return fmt.Errorf("register the directory %s: %w", q.made.DirectoryID, err)
	}
	q.made.Portal = q.r.endpoint + "/?code=" + url.QueryEscape(q.made.RegistrationCode)
	if q.made.BundleID, err = q.bundle(ctx); err != nil {
		return err
	}
	q.made.WorkSpaceID, err = q.workSpace(ctx)
	return err
}

// workSpace returns the WorkSpace that the user has, "" where there is none.
func (q *quickstart) workSpace(ctx context.Context) (string, error) {
	found, err := q.r.workspaces().DescribeWorkspaces(ctx, &workspaces.DescribeWorkspacesInput{DirectoryId: &q.made.DirectoryID, UserName: &q.user})
	if err != nil {
		return "", q.r.plain(err)
	}
	for _, w := range found.Workspaces {
		if w.State != wstypes.WorkspaceStateTerminating && w.State != wstypes.WorkspaceStateTerminated {
			return aws.ToString(w.WorkspaceId), nil
		}
	}
	return "", nil
}

// directory returns the directory with the name, made where there is none, once it is Active.
func (q *quickstart) directory(ctx context.Context) (d dstypes.DirectoryDescription, err error) {
	d, found, err := q.find(ctx)
	if err == nil && !found {
		err = q.makeDirectory(ctx)
	}
	if err != nil || d.Stage == dstypes.DirectoryStageActive {
		return d, err
	}
	return d, q.until(ctx, "waiting for the directory "+q.name, func(ctx context.Context) (bool, string, error) {
		if d, found, err = q.find(ctx); err != nil || !found {
			return false, "", errors.Join(err, errors.New("it is not there any more"))
		}
		if d.Stage == dstypes.DirectoryStageFailed {
			return false, "", fmt.Errorf("it failed: %s; delete it with: aws ds delete-directory --directory-id %s",
				aws.ToString(d.StageReason), aws.ToString(d.DirectoryId))
		}
		return d.Stage == dstypes.DirectoryStageActive, string(d.Stage), nil
	})
}

// find returns the first directory with the name that is not on its way out.
func (q *quickstart) find(ctx context.Context) (dstypes.DirectoryDescription, bool, error) {
	all, err := q.r.describeDirectories(ctx)
	for _, d := range all {
		if strings.EqualFold(aws.ToString(d.Name), q.name) && !leaving(d) {
			return d, true, nil
		}
	}
	return dstypes.DirectoryDescription{}, false, err
}

func (q *quickstart) makeDirectory(ctx context.Context) error {
	vpc, subnets, err := q.network(ctx)
	if err != nil {
		return err
	}
	if q.made.AdministratorPassword, err = strongPassword("Administrator"); err != nil {
		return err
	}
	_, err = q.r.directories().CreateDirectory(ctx, &directoryservice.CreateDirectoryInput{
		Name: &q.name, Password: &q.made.AdministratorPassword, Size: dstypes.DirectorySizeSmall,
		VpcSettings: &dstypes.DirectoryVpcSettings{VpcId: &vpc, SubnetIds: subnets},
	})
	return q.r.plain(err)
}

// network returns the first VPC with subnets in two availability zones, as a directory needs them.
func (q *quickstart) network(ctx context.Context) (vpc string, subnets []string, err error) {
	networks, err := q.r.networks(ctx)
	if err != nil {
		return "", nil, err
	}
	for i, first := range networks {
		for _, second := range networks[i+1:] {
			if first.Region == q.r.region && second.Region == q.r.region && first.VPCID == second.VPCID && first.Zone != second.Zone {
				return first.VPCID, []string{first.ID, second.ID}, nil
			}
		}
	}
	return "", nil, fmt.Errorf("no VPC in %s has subnets in two availability zones; carrel network list shows what there is, "+
		"and carrel serve --help how to declare more", q.r.region)
}

// makeUser sees that there is a user who can sign in.
func (q *quickstart) makeUser(ctx context.Context, d userDirectory) error {
	q.made.User = q.user
	there, err := d.users().DescribeUser(ctx, &directoryservicedata.DescribeUserInput{DirectoryId: d.DirectoryId, SAMAccountName: &q.user})
	_, missing := errors.AsType[*dsdatatypes.ResourceNotFoundException](err)
	switch {
	case err != nil && !missing:
		return d.plain(err)
	case err == nil && aws.ToBool(there.Enabled):
		return nil
	}
	p, err := q.s.password(ctx, q.flags, q.user)
	if err != nil {
		return err
	}
	if p.made {
		q.made.Password = p.text
	}
	if missing {
		return d.addUser(ctx, &directoryservicedata.CreateUserInput{SAMAccountName: &q.user}, p)
	}
	return d.setPassword(ctx, q.user, p)
}

// register sees that the directory is registered with WorkSpaces.
func (q *quickstart) register(ctx context.Context) error {
	id := q.made.DirectoryID
	registered, err := q.r.registrations(ctx, id)
	if err != nil {
		return err
	}
	d, found := registered[id]
	if found && d.State == wstypes.WorkspaceDirectoryStateRegistered {
		q.noteRegistration(d)
		return nil
	}
	if !found {
		_, err := q.r.workspaces().RegisterWorkspaceDirectory(ctx, &workspaces.RegisterWorkspaceDirectoryInput{DirectoryId: &id})
		if err != nil {
			return q.r.plain(err)
		}
	}
	err = q.until(ctx, "registering the directory", func(ctx context.Context) (bool, string, error) {
		registered, err := q.r.registrations(ctx, id)
		d, found := registered[id]
		switch {
		case err != nil:
			return false, "", err
		case !found, d.State == wstypes.WorkspaceDirectoryStateError:
			return false, "", fmt.Errorf("the registration failed: %s; carrel directory quickstart tries again after: "+
				"aws workspaces deregister-workspace-directory --directory-id %s", aws.ToString(d.ErrorMessage), id)
		}
		q.noteRegistration(d)
		return d.State == wstypes.WorkspaceDirectoryStateRegistered, string(d.State), nil
	})
	if err != nil {
		return err
	}
	return q.allowWeb(ctx)
}

func (q *quickstart) noteRegistration(d wstypes.WorkspaceDirectory) {
	q.made.RegistrationCode = aws.ToString(d.RegistrationCode)
	if d.WorkspaceAccessProperties != nil {
		q.made.WebAccess = string(d.WorkspaceAccessProperties.DeviceTypeWeb)
	}
}

// allowWeb lets browsers in.
func (q *quickstart) allowWeb(ctx context.Context) error {
	_, err := q.r.workspaces().ModifyWorkspaceAccessProperties(ctx, &workspaces.ModifyWorkspaceAccessPropertiesInput{
		ResourceId:                &q.made.DirectoryID,
		WorkspaceAccessProperties: &wstypes.WorkspaceAccessProperties{DeviceTypeWeb: wstypes.AccessPropertyValueAllow},
	})
	if err != nil {
		return q.r.plain(err)
	}
	q.made.WebAccess = string(wstypes.AccessPropertyValueAllow)
	return nil
}

// bundle returns a public bundle to begin with: a standard one where there is one.
func (q *quickstart) bundle(ctx context.Context) (id string, err error) {
	pages := workspaces.NewDescribeWorkspaceBundlesPaginator(q.r.workspaces(), &workspaces.DescribeWorkspaceBundlesInput{Owner: aws.String("AMAZON")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", q.r.plain(err)
		}
		for _, b := range page.Bundles {
			if b.ComputeType != nil && b.ComputeType.Name == wstypes.ComputeStandard {
				return aws.ToString(b.BundleId), nil
			}
			if id == "" {
				id = aws.ToString(b.BundleId)
			}
		}
	}
	return id, nil
}

// patience is how long quickstart waits for a state. The service says 5 to 10 minutes for a
// directory, which is what a server with --limits aws takes.
const patience = 30 * time.Minute

// until asks again and again until the answer is that it is done.
func (q *quickstart) until(ctx context.Context, what string, ask func(ctx context.Context) (done bool, state string, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return q.s.working(ctx, what, func(ctx context.Context, report func(string)) error {
		last := ""
		for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
			done, state, err := ask(ctx)
			if err != nil || done {
				return err
			}
			if state != last {
				report(state)
				last = state
			}
			if err := q.s.clock.Sleep(ctx, pause); err != nil {
				return err
			}
		}
	})
}

func (q *quickstart) print(f format) error {
	if f == formatJSON {
		return printJSON(q.s.Out, q.made)
	}
	m, text := q.made, new(strings.Builder)
	fmt.Fprintf(text, "Directory          %s (%s)\n", m.DirectoryID, m.Name)
	if m.AdministratorPassword != "" {
		fmt.Fprintf(text, "Administrator      password %s, shown this once\n", m.AdministratorPassword)
	}
	fmt.Fprintf(text, "Registration code  %s\n", m.RegistrationCode)
	switch {
	case m.Password != "":
		fmt.Fprintf(text, "User               %s, password %s, shown this once\n", m.User, m.Password)
	default:
		fmt.Fprintf(text, "User               %s, password as it was given\n", m.User)
	}
	fmt.Fprintf(text, "In a browser       %s\n", m.Portal)
	if m.WebAccess != string(wstypes.AccessPropertyValueAllow) {
		fmt.Fprintf(text, "\nThe directory does not let browsers in. Allow them with:\n\n  aws workspaces modify-workspace-access-properties"+
			" --resource-id %s --workspace-access-properties DeviceTypeWeb=ALLOW\n", m.DirectoryID)
	}
	if m.WorkSpaceID != "" {
		fmt.Fprintf(text, "\n%s has the WorkSpace %s.\n", m.User, m.WorkSpaceID)
	} else {
		fmt.Fprintf(text, "\nMake a WorkSpace for %s next:\n\n  aws workspaces create-workspaces --workspaces DirectoryId=%s,UserName=%s,BundleId=%s\n",
			m.User, m.DirectoryID, m.User, m.BundleID)
	}
	_, err := fmt.Fprint(q.s.Out, text.String())
	return err
}
