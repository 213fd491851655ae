package operation_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/compute/simulated"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Applications of the samples.
const (
	notes   = "wsa-carrelnotes"
	draw    = "wsa-carreldraw"
	oldDraw = "wsa-carrelold"
	failing = "wsa-carrelfails"
	noApp   = "wsa-000000000"
)

func associateApp(t *testing.T, c client, w, app string) error {
	t.Helper()
	_, err := c.AssociateWorkspaceApplication(t.Context(), &sdk.AssociateWorkspaceApplicationInput{WorkspaceId: &w, ApplicationId: &app})
	return err
}

func disassociateApp(t *testing.T, c client, w, app string) error {
	t.Helper()
	_, err := c.DisassociateWorkspaceApplication(t.Context(), &sdk.DisassociateWorkspaceApplicationInput{WorkspaceId: &w, ApplicationId: &app})
	return err
}

// deploy deploys what is to be, and returns of which applications the reply speaks.
func deploy(t *testing.T, c client, w string, force bool) (apps []string, err error) {
	t.Helper()
	out, err := c.DeployWorkspaceApplications(t.Context(), &sdk.DeployWorkspaceApplicationsInput{WorkspaceId: &w, Force: &force})
	if err != nil {
		return nil, err
	}
	for _, a := range out.Deployment.Associations {
		apps = append(apps, *a.AssociatedResourceId)
	}
	return apps, nil
}

func mustDeploy(t *testing.T, c client, w string, force bool, want ...string) {
	t.Helper()
	if got, err := deploy(t, c, w, force); err != nil || !slices.Equal(got, want) {
		t.Fatalf("deploys %v, %v; want %v", got, err, want)
	}
}

// applicationsOf returns what is associated with a WorkSpace.
func applicationsOf(t *testing.T, c client, w string) (all []types.WorkspaceResourceAssociation, err error) {
	t.Helper()
	out, err := c.DescribeWorkspaceAssociations(t.Context(), &sdk.DescribeWorkspaceAssociationsInput{
		WorkspaceId: &w, AssociatedResourceTypes: []types.WorkSpaceAssociatedResourceType{types.WorkSpaceAssociatedResourceTypeApplication},
	})
	if err != nil {
		return nil, err
	}
	return out.Associations, nil
}

// wantApp waits until an application has the state in a WorkSpace, and returns it.
func (s *server) wantApp(t *testing.T, c client, w, app string, state types.AssociationState) (found types.WorkspaceResourceAssociation) {
	t.Helper()
	s.await(t, app+" "+string(state), func() bool {
		all, err := applicationsOf(t, c, w)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(a types.WorkspaceResourceAssociation) bool { return *a.AssociatedResourceId == app })
		if i >= 0 {
			found = all[i]
		}
		return found.State == state
	})
	return found
}

// runFor advances the clock, which stands, when the script of a WorkSpace's application runs: the engine has said how long.
func (s *server) runFor(t *testing.T, d time.Duration, c client, w string) {
	t.Helper()
	s.await(t, "a script in "+w, func() (runs bool) {
		err := s.store.View(func(tx *store.Tx) error {
			deployment, found, err := tx.Deployment(t.Context(), c.scope, w)
			runs = found && !deployment.Deadline.IsZero() && deployment.WakeAt.Before(s.clock.Now().Add(workspaces.Watchdog-time.Second))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return runs
	})
	s.advance(t, d, c)
}

// installed reports whether the application has had its effect in a desktop.
func (s *server) installed(t *testing.T, w, app string) bool {
	t.Helper()
	text, err := s.engine.ReadFile(t.Context(), w, simulated.Root, app)
	return err == nil && string(text) == "installed"
}

func TestDescribeApplications(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) {
		set.Applications = append(set.Applications, workspaces.Application{ID: "wsa-ofstranger", Name: "Theirs", Owner: stranger, LicenseType: workspaces.Unlicensed})
	})
	ids := func(c client, in sdk.DescribeApplicationsInput) (ids []string) {
		t.Helper()
		pages := sdk.NewDescribeApplicationsPaginator(c, &in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range page.Applications {
				ids = append(ids, *a.ApplicationId)
			}
		}
		return ids
	}
	c := s.client()
	all := ids(c, sdk.DescribeApplicationsInput{})
	for name, want := range map[string]struct {
		in  sdk.DescribeApplicationsInput
		ids []string
	}{
		"by two":     {sdk.DescribeApplicationsInput{MaxResults: new(int32(2))}, all},
		"by id":      {sdk.DescribeApplicationsInput{ApplicationIds: []string{draw, noApp, "wsa-ofstranger"}}, []string{draw}},
		"by license": {sdk.DescribeApplicationsInput{LicenseType: types.WorkSpaceApplicationLicenseTypeUnlicensed}, []string{notes, "wsa-carrelgone", failing}},
		"by compute": {sdk.DescribeApplicationsInput{ApplicationIds: []string{draw, "wsa-carrelmodel"}, ComputeTypeNames: []types.Compute{types.ComputeValue}}, []string{draw}},
		"by system": {sdk.DescribeApplicationsInput{
			ApplicationIds: []string{draw, "wsa-carreloffice"}, OperatingSystemNames: []types.OperatingSystemName{types.OperatingSystemNameUnknown},
		}, []string{draw}},
		"by owner": {sdk.DescribeApplicationsInput{Owner: new(account)}, nil},
	} {
		if got := ids(c, want.in); !slices.Equal(got, want.ids) {
			t.Errorf("%s: %v, want %v", name, got, want.ids)
		}
	}
	if got := ids(s.as(stranger, region), sdk.DescribeApplicationsInput{Owner: new(stranger)}); !slices.Equal(got, []string{"wsa-ofstranger"}) {
		t.Errorf("its owner sees %v", got)
	}
}

// TestApplications takes applications in and out, with every state on the way.
func TestApplications(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, func(set *setup) {
		set.Clock.Freeze()
		set.engine.Run = simulated.Behaviour{Min: time.Minute, Max: time.Minute}
	})
	c := s.client()
	w := s.create(t, c, order(s.home(t), "jane"))[0]
	if err := errors.Join(associateApp(t, c, w, notes), associateApp(t, c, w, draw), associateApp(t, c, w, failing)); err != nil {
		t.Fatal(err)
	}
	s.wantApp(t, c, w, notes, types.AssociationStatePendingInstall)
	mustDeploy(t, c, w, false, notes, draw, failing)
	s.wantApp(t, c, w, notes, types.AssociationStateInstalling)
	s.wantApp(t, c, w, draw, types.AssociationStatePendingInstallDeployment)
	refused(t, disassociateApp(t, c, w, notes), inUse, notes)
	_, half := c.CreateWorkspaceImage(t.Context(), &sdk.CreateWorkspaceImageInput{Name: new("half"), Description: new("d"), WorkspaceId: &w})
	refused(t, half, badState, notes)
	_, err := deploy(t, c, w, false)
	refused(t, err, inUse, notes)
	if s.installed(t, w, notes) {
		t.Error("it is installed before its time")
	}
	for _, app := range []string{notes, draw, failing} {
		s.wantApp(t, c, w, app, types.AssociationStateInstalling)
		s.runFor(t, time.Minute, c, w)
		if app != failing {
			s.wantApp(t, c, w, app, types.AssociationStateCompleted)
		}
	}
	failed := s.wantApp(t, c, w, failing, types.AssociationStateError)
	if failed.StateReason == nil || failed.StateReason.ErrorCode != "DeploymentError.InternalServerError" || *failed.StateReason.ErrorMessage == "" {
		t.Errorf("it failed because of %s", show(failed.StateReason))
	}
	if !s.installed(t, w, notes) || !s.installed(t, w, draw) {
		t.Error("what is COMPLETED is not there")
	}
	refused(t, associateApp(t, c, w, notes), exists, notes)
	mustDeploy(t, c, w, false)
	mustDeploy(t, c, w, true, failing)
	s.wantApp(t, c, w, failing, types.AssociationStateInstalling)
	s.runFor(t, time.Minute, c, w)
	s.wantApp(t, c, w, failing, types.AssociationStateError)

	if err := disassociateApp(t, c, w, notes); err != nil {
		t.Fatal(err)
	}
	s.wantApp(t, c, w, notes, types.AssociationStatePendingUninstall)
	mustDeploy(t, c, w, false, notes)
	s.wantApp(t, c, w, notes, types.AssociationStateUninstalling)
	s.runFor(t, time.Minute, c, w)
	s.wantApp(t, c, w, notes, types.AssociationStateRemoved)
	if s.installed(t, w, notes) {
		t.Error("what is REMOVED is there")
	}
	refused(t, disassociateApp(t, c, w, notes), notFound, notes)
	if err := associateApp(t, c, w, notes); err != nil {
		t.Fatal(err)
	}
	if err := disassociateApp(t, c, w, notes); err != nil {
		t.Fatal(err)
	}
	s.wantApp(t, c, w, notes, types.AssociationStateRemoved) // nothing of it was there
}

// TestApplicationsWait: a WorkSpace that is stopped gets its applications when it is started, one that is rebuilt
// once more, and an image of it has them.
func TestApplicationsWait(t *testing.T) {
	t.Parallel()
	s := start(t, anybody, func(set *setup) { set.Limits.FirstSnapshot = 0 })
	c := s.client()
	w := s.create(t, c, order(s.home(t), "jane", autoStop))[0]
	s.await(t, "a snapshot", func() bool {
		out, err := c.DescribeWorkspaceSnapshots(t.Context(), &sdk.DescribeWorkspaceSnapshotsInput{WorkspaceId: &w})
		return err == nil && len(out.RebuildSnapshots) > 0
	})
	succeeds(t, stopWorkSpaces, c, w)
	s.awaitState(t, c, w, types.WorkspaceStateStopped)
	if err := associateApp(t, c, w, notes); err != nil {
		t.Fatal(err)
	}
	mustDeploy(t, c, w, false, notes)
	s.wantApp(t, c, w, notes, types.AssociationStatePendingInstallDeployment)
	succeeds(t, startWorkSpaces, c, w)
	s.wantApp(t, c, w, notes, types.AssociationStateCompleted)

	out, err := c.CreateWorkspaceImage(t.Context(), &sdk.CreateWorkspaceImageInput{Name: new("with-notes"), Description: new("d"), WorkspaceId: &w})
	if err != nil {
		t.Fatal(err)
	}
	s.await(t, "the image", func() bool { return s.describeImage(t, c, *out.ImageId).State == types.WorkspaceImageStateAvailable })
	b := *s.bundle(t, c, *out.ImageId, "mine").BundleId
	ofImage, err := imageApps(t, c, *out.ImageId)
	if err != nil || len(ofImage) != 1 || *ofImage[0].AssociatedResourceId != notes || ofImage[0].State != types.AssociationStateCompleted {
		t.Errorf("the image has %s, %v", show(ofImage), err)
	}
	updated, err := c.CreateUpdatedWorkspaceImage(t.Context(), &sdk.CreateUpdatedWorkspaceImageInput{SourceImageId: out.ImageId, Name: new("newer"), Description: new("d")})
	if err != nil {
		t.Fatal(err)
	}
	copied, err := s.as(account, farRegion).CopyWorkspaceImage(t.Context(), &sdk.CopyWorkspaceImageInput{SourceImageId: out.ImageId, SourceRegion: new(region), Name: new("there")})
	if err != nil {
		t.Fatal(err)
	}
	for by, id := range map[client]string{c: *updated.ImageId, s.as(account, farRegion): *copied.ImageId} {
		if has, err := imageApps(t, by, id); err != nil || len(has) != 1 || *has[0].AssociatedResourceId != notes || *has[0].ImageId != id {
			t.Errorf("the image that was made of it has %s, %v", show(has), err)
		}
	}
	ofBundle, err := bundleApps(t, c, b)
	if err != nil || len(ofBundle) != 1 || *ofBundle[0].AssociatedResourceId != notes || *ofBundle[0].BundleId != b {
		t.Errorf("the bundle has %s, %v", show(ofBundle), err)
	}
	for kind, want := range map[types.ApplicationAssociatedResourceType][]string{
		types.ApplicationAssociatedResourceTypeWorkspace: {w},
		types.ApplicationAssociatedResourceTypeImage:     {*out.ImageId, *updated.ImageId},
		types.ApplicationAssociatedResourceTypeBundle:    nil,
	} {
		if got, err := placesOf(t, c, notes, kind); err != nil || !slices.Equal(got, want) {
			t.Errorf("as %s it is in %v, %v; want %v", kind, got, err, want)
		}
	}

	other := order(*s.describe(t, c, w)[0].DirectoryId, "john")
	other.BundleId = &b
	made := s.create(t, c, other)[0]
	s.wantApp(t, c, made, notes, types.AssociationStateCompleted)
	refused(t, associateApp(t, c, made, notes), exists, notes)
	s.await(t, "a snapshot of what is made of the image", func() bool {
		out, err := c.DescribeWorkspaceSnapshots(t.Context(), &sdk.DescribeWorkspaceSnapshotsInput{WorkspaceId: &made})
		return err == nil && len(out.RebuildSnapshots) > 0
	})
	succeeds(t, rebuildWorkSpaces, c, made)
	s.await(t, "installed anew in what is made of the image", func() bool {
		return s.describe(t, c, made)[0].State == types.WorkspaceStateAvailable && s.installed(t, made, notes)
	})
	s.wantApp(t, c, made, notes, types.AssociationStateCompleted)
	if err := disassociateApp(t, c, made, notes); err != nil {
		t.Fatal(err)
	}
	mustDeploy(t, c, made, false, notes)
	s.wantApp(t, c, made, notes, types.AssociationStateRemoved)
	terminate(t, c, made)
	s.awaitGone(t, c, made)

	s.awaitState(t, c, w, types.WorkspaceStateAvailable)
	succeeds(t, rebuildWorkSpaces, c, w)
	s.await(t, "installed anew", func() bool {
		return s.describe(t, c, w)[0].State == types.WorkspaceStateAvailable && s.installed(t, w, notes)
	})
	s.wantApp(t, c, w, notes, types.AssociationStateCompleted)
	terminate(t, c, w)
	s.awaitGone(t, c, w)
	if got, err := placesOf(t, c, notes, types.ApplicationAssociatedResourceTypeWorkspace); err != nil || len(got) > 0 {
		t.Errorf("after its end it is in %v, %v", got, err)
	}
}

func imageApps(t *testing.T, c client, id string) ([]types.ImageResourceAssociation, error) {
	t.Helper()
	out, err := c.DescribeImageAssociations(t.Context(), &sdk.DescribeImageAssociationsInput{
		ImageId: &id, AssociatedResourceTypes: []types.ImageAssociatedResourceType{types.ImageAssociatedResourceTypeApplication},
	})
	if err != nil {
		return nil, err
	}
	return out.Associations, nil
}

func bundleApps(t *testing.T, c client, id string) ([]types.BundleResourceAssociation, error) {
	t.Helper()
	out, err := c.DescribeBundleAssociations(t.Context(), &sdk.DescribeBundleAssociationsInput{
		BundleId: &id, AssociatedResourceTypes: []types.BundleAssociatedResourceType{types.BundleAssociatedResourceTypeApplication},
	})
	if err != nil {
		return nil, err
	}
	return out.Associations, nil
}

// placesOf returns the ids of what an application is in, a page for each.
func placesOf(t *testing.T, c client, app string, kinds ...types.ApplicationAssociatedResourceType) (ids []string, err error) {
	t.Helper()
	pages := sdk.NewDescribeApplicationAssociationsPaginator(c, &sdk.DescribeApplicationAssociationsInput{
		ApplicationId: &app, AssociatedResourceTypes: kinds, MaxResults: new(int32(1)),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			return nil, err
		}
		for _, a := range page.Associations {
			ids = append(ids, *a.AssociatedResourceId)
		}
	}
	return ids, nil
}

// exclude puts two applications into a WorkSpace that have come to exclude each other since.
func (s *server) exclude(t *testing.T, c client, w string) {
	t.Helper()
	err := s.store.Update(t.Context(), func(tx *store.Tx) error {
		for _, app := range []string{draw, oldDraw} {
			a := &workspaces.Association{Scope: c.scope, ResourceID: w, ApplicationID: app}
			a.Enter(workspaces.PendingInstall, s.clock.Now())
			if err := tx.PutAssociation(t.Context(), a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// waysOfApplications are those of applications.
func waysOfApplications(t *testing.T) []way {
	t.Helper()
	s := start(t, anybody, func(set *setup) {
		set.Clock.Freeze()
		set.engine.Reboot = simulated.Behaviour{Min: time.Hour, Max: time.Hour}
		set.engine.Capacity = 3
	})
	c := s.client()
	d := s.home(t)
	ids := s.create(t, c, order(d, "jane"), order(d, "joe"), order(d, "busy"))
	jane, joe, busy := ids[0], ids[1], ids[2]
	succeeds(t, rebootWorkSpaces, c, busy)
	if err := errors.Join(associateApp(t, c, jane, notes), associateApp(t, c, jane, draw)); err != nil {
		t.Fatal(err)
	}
	s.exclude(t, c, joe)
	out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(d, "one-too-many")}})
	if err != nil {
		t.Fatal(err)
	}
	broken := *out.PendingRequests[0].WorkspaceId
	s.awaitState(t, c, broken, types.WorkspaceStateError)
	associates, deploys, disassociates := wsapi.AssociateWorkspaceApplication.Spec(), wsapi.DeployWorkspaceApplications.Spec(), wsapi.DisassociateWorkspaceApplication.Spec()
	associate := func(w, app string) func() error { return func() error { return associateApp(t, c, w, app) } }
	disassociate := func(w, app string) func() error { return func() error { return disassociateApp(t, c, w, app) } }
	deployed := func(w string) func() error { return func() error { _, err := deploy(t, c, w, false); return err } }
	return []way{
		{associates, notFound, associate(jane, noApp)},
		{associates, notFound, associate(unknown, notes)},
		{associates, exists, associate(jane, notes)},
		{associates, inUse, associate(busy, notes)},
		{associates, notSupported, associate(broken, notes)},
		{associates, wrongCompute, associate(jane, "wsa-carrelmodel")},
		{associates, wrongSystem, associate(jane, "wsa-carreloffice")},
		{associates, notInstallable, associate(jane, "wsa-carrelgone")},
		{associates, incompatible, associate(jane, oldDraw)},
		{deploys, notFound, deployed(unknown)},
		{deploys, inUse, deployed(busy)},
		{deploys, notSupported, deployed(broken)},
		{deploys, incompatible, deployed(joe)},
		{disassociates, notFound, disassociate(jane, failing)},
		{disassociates, inUse, disassociate(busy, notes)},
		{disassociates, notSupported, disassociate(broken, notes)},
		{wsapi.DescribeApplications.Spec(), invalid, func() error {
			_, err := c.DescribeApplications(t.Context(), &sdk.DescribeApplicationsInput{NextToken: new("x")})
			return err
		}},
		{wsapi.DescribeApplicationAssociations.Spec(), invalid, func() error {
			_, err := c.DescribeApplicationAssociations(t.Context(), &sdk.DescribeApplicationAssociationsInput{
				ApplicationId: new(notes), NextToken: new("x"), AssociatedResourceTypes: []types.ApplicationAssociatedResourceType{"WORKSPACE"},
			})
			return err
		}},
		{wsapi.DescribeApplicationAssociations.Spec(), notFound, func() error { _, err := placesOf(t, c, noApp, "WORKSPACE"); return err }},
		{wsapi.DescribeWorkspaceAssociations.Spec(), notFound, func() error { _, err := applicationsOf(t, c, unknown); return err }},
		{wsapi.DescribeImageAssociations.Spec(), notFound, func() error { _, err := imageApps(t, c, "wsi-000000000"); return err }},
		{wsapi.DescribeBundleAssociations.Spec(), notFound, func() error { _, err := bundleApps(t, c, "wsb-000000000"); return err }},
	}
}

// applicationAttempts are what a stranger tries with the applications of a WorkSpace, an image and a bundle.
func applicationAttempts(w, image, bundle string) map[string]func(t *testing.T, c client) {
	return map[string]func(t *testing.T, c client){
		"AssociateWorkspaceApplication":    func(t *testing.T, c client) { t.Helper(); refused(t, associateApp(t, c, w, notes), notFound, w) },
		"DisassociateWorkspaceApplication": func(t *testing.T, c client) { t.Helper(); refused(t, disassociateApp(t, c, w, notes), notFound, w) },
		"DeployWorkspaceApplications": func(t *testing.T, c client) {
			t.Helper()
			_, err := deploy(t, c, w, true)
			refused(t, err, notFound, w)
		},
		"DescribeApplications": func(t *testing.T, c client) {
			t.Helper()
			if out, err := c.DescribeApplications(t.Context(), &sdk.DescribeApplicationsInput{Owner: new(account)}); err != nil || len(out.Applications) > 0 {
				t.Errorf("%s, %v", show(out), err)
			}
		},
		"DescribeApplicationAssociations": func(t *testing.T, c client) {
			t.Helper()
			if got, err := placesOf(t, c, notes, "WORKSPACE", "IMAGE"); err != nil || len(got) > 0 {
				t.Errorf("%v, %v", got, err)
			}
		},
		"DescribeWorkspaceAssociations": func(t *testing.T, c client) {
			t.Helper()
			_, err := applicationsOf(t, c, w)
			refused(t, err, notFound, w)
		},
		"DescribeImageAssociations": func(t *testing.T, c client) {
			t.Helper()
			_, err := imageApps(t, c, image)
			refused(t, err, notFound, image)
		},
		"DescribeBundleAssociations": func(t *testing.T, c client) {
			t.Helper()
			_, err := bundleApps(t, c, bundle)
			refused(t, err, notFound, bundle)
		},
	}
}
