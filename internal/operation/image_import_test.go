package operation_test

import (
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"
	"github.com/aws/smithy-go/middleware"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

const (
	ami      = "ami-0a1b2c3d" // declared, an image of the engine
	archive  = "ami-0a1b2c3e" // declared, a file that is not there
	task     = "import-ami-0a1b2c3d"
	strange  = "ami-0123456789abcdef0" // not declared
	builder  = "arn:aws:imagebuilder:eu-central-1:111111111111:image/desk/1.0.0/1"
	settings = "arn:aws:imagebuilder:eu-central-1:111111111111:infrastructure-configuration/desk"
)

// declared gives the installation sources of images.
func declared(t *testing.T) func(*setup) {
	t.Helper()
	none := filepath.Join(t.TempDir(), "none.tar")
	return func(set *setup) {
		set.ImageSources = []workspaces.ImageSource{
			{ID: ami, Image: "carrel/other"}, {ID: archive, RootFS: none}, {ID: task, Image: "carrel/other"}, {ID: builder, Image: "carrel/other"},
		}
	}
}

// importOf asks for an import of an EC2 image.
func importOf(id, name string, change ...func(*sdk.ImportWorkspaceImageInput)) *sdk.ImportWorkspaceImageInput {
	in := &sdk.ImportWorkspaceImageInput{
		Ec2ImageId: &id, ImageName: &name, ImageDescription: new("imported"), IngestionProcess: types.WorkspaceImageIngestionProcessByolRegularWsp,
	}
	for _, c := range change {
		c(in)
	}
	return in
}

// customOf asks for an import with Image Builder.
func customOf(source types.ImageSourceIdentifier, name string, change ...func(*sdk.ImportCustomWorkspaceImageInput)) *sdk.ImportCustomWorkspaceImageInput {
	in := &sdk.ImportCustomWorkspaceImageInput{
		ImageSource: source, ImageName: &name, ImageDescription: new("imported"), ComputeType: types.ImageComputeTypeBase,
		Protocol: types.CustomImageProtocolDcv, Platform: types.PlatformWindows, OsVersion: types.OSVersionWindows11,
		InfrastructureConfigurationArn: new(settings),
	}
	for _, c := range change {
		c(in)
	}
	return in
}

// kept returns an image as it is in the store.
func (s *server) kept(t *testing.T, c client, id string) (i *workspaces.Image) {
	t.Helper()
	err := s.store.View(func(tx *store.Tx) (err error) {
		i, _, err = tx.Image(t.Context(), c.scope, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// imageBegun reports whether the engine has said how long it takes to make an image. The clock must stand.
func (s *server) imageBegun(t *testing.T, c client, id string) bool {
	t.Helper()
	i := s.kept(t, c, id)
	return i != nil && i.WakeAt.Before(s.clock.Now().Add(workspaces.Watchdog-time.Second))
}

func TestImportWorkspaceImage(t *testing.T) {
	t.Parallel()
	s := start(t, declared(t))
	c := s.client()
	out, err := c.ImportWorkspaceImage(t.Context(), importOf(ami, "Desk", func(in *sdk.ImportWorkspaceImageInput) {
		in.Tags = []types.Tag{tag("a", "1")}
	}))
	if err != nil {
		t.Fatal(err)
	}
	i := s.awaitImage(t, c, *out.ImageId, types.WorkspaceImageStateAvailable)
	if *i.Name != "Desk" || *i.Description != "imported" || i.OperatingSystem.Type != types.OperatingSystemTypeLinux ||
		i.RequiredTenancy != types.WorkspaceImageRequiredTenancyDedicated || *i.OwnerAccountId != account {
		t.Errorf("%s", show(i))
	}
	if got := s.kept(t, c, *out.ImageId); got.Origin.Image != "carrel/other" || got.Protocol != "WSP" {
		t.Errorf("%+v", got)
	}
	if got := tagsOf(t, c, *out.ImageId); !slices.Equal(got, []string{"a=1"}) {
		t.Errorf("tags: %v", got)
	}
	if out, err = c.ImportWorkspaceImage(t.Context(), importOf(archive, "Broken")); err != nil {
		t.Fatal(err)
	}
	if i := s.awaitImage(t, c, *out.ImageId, types.WorkspaceImageStateError); *i.ErrorCode != "ResourceNotFound.Image" || *i.ErrorMessage == "" {
		t.Errorf("%s", show(i))
	}
}

// TestImportOfWhatever is how suites import that know nothing of the installation.
func TestImportOfWhatever(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) { set.AnyImageSource = true })
	c := s.client()
	out, err := c.ImportWorkspaceImage(t.Context(), importOf(strange, "Desk", func(in *sdk.ImportWorkspaceImageInput) {
		in.IngestionProcess, in.Applications = types.WorkspaceImageIngestionProcessByolRegular, []types.Application{types.ApplicationMicrosoftOffice2019}
	}))
	if err != nil {
		t.Fatal(err)
	}
	i := s.awaitImage(t, c, *out.ImageId, types.WorkspaceImageStateAvailable)
	if got := s.kept(t, c, *out.ImageId); i.OperatingSystem.Type != types.OperatingSystemTypeWindows || got.Origin.Image != "image" || got.Protocol != "PCOIP" {
		t.Errorf("%s %+v", show(i), got)
	}
	b := s.bundle(t, c, *out.ImageId, "Desk")
	w := s.create(t, c, order(s.home(t, "jane"), "jane", bundle(*b.BundleId)))[0]
	if p := s.describe(t, c, w)[0].WorkspaceProperties; p.OperatingSystemName != "WINDOWS_10" || !slices.Equal(p.Protocols, []types.Protocol{"PCOIP"}) {
		t.Errorf("%s", show(p))
	}
}

func TestImportCustomWorkspaceImage(t *testing.T) {
	t.Parallel()
	s := start(t, declared(t), func(set *setup) {
		set.Clock.Freeze()
		set.Limits.ImportStage = time.Minute
	})
	c := s.client()
	source := &types.ImageSourceIdentifierMemberImageBuildVersionArn{Value: builder}
	out, err := c.ImportCustomWorkspaceImage(t.Context(), customOf(source, "Desk"))
	if err != nil {
		t.Fatal(err)
	}
	id := *out.ImageId
	if out.State != types.CustomWorkspaceImageImportStatePending {
		t.Errorf("it begins as %s", out.State)
	}
	began := s.clock.Now()
	describe := func() *sdk.DescribeCustomWorkspaceImageImportOutput {
		t.Helper()
		out, err := c.DescribeCustomWorkspaceImageImport(t.Context(), &sdk.DescribeCustomWorkspaceImageImportInput{ImageId: &id})
		if err != nil {
			t.Fatal(err)
		}
		out.ResultMetadata = middleware.Metadata{}
		return out
	}
	var states []types.CustomWorkspaceImageImportState
	percent := int32(-1)
	for {
		now := describe()
		if *now.ProgressPercentage <= percent {
			t.Errorf("%s: %d percent after %d", now.State, *now.ProgressPercentage, percent)
		}
		percent = *now.ProgressPercentage
		if states = append(states, now.State); now.State == types.CustomWorkspaceImageImportStateCompleted {
			break
		}
		if err := s.clock.Advance(61 * time.Second); err != nil {
			t.Fatal(err)
		}
		s.await(t, "another state than "+string(now.State), func() bool { return describe().State != now.State })
	}
	if percent != 100 || !slices.Equal(states, types.CustomWorkspaceImageImportState("").Values()[:13]) {
		t.Errorf("%d%% by way of %v", percent, states)
	}
	got := describe()
	want := &sdk.DescribeCustomWorkspaceImageImportOutput{
		ImageId: &id, InfrastructureConfigurationArn: new(settings), State: types.CustomWorkspaceImageImportStateCompleted,
		ProgressPercentage: new(int32(100)), ImageSource: source, Created: got.Created, LastUpdatedTime: got.LastUpdatedTime,
	}
	if !reflect.DeepEqual(got, want) || !got.LastUpdatedTime.After(began.Add(10*time.Minute)) || got.Created.After(began) {
		t.Errorf("got %s\nwant %s", show(got), show(want))
	}
	i := s.awaitImage(t, c, id, types.WorkspaceImageStateAvailable)
	if i.RequiredTenancy != types.WorkspaceImageRequiredTenancyDedicated || !s.engineHas(t, id) {
		t.Errorf("%s", show(i))
	}
}

// TestImportsFromEachSource goes through all stages at once.
func TestImportsFromEachSource(t *testing.T) {
	t.Parallel()
	s := start(t, declared(t))
	c := s.client()
	for name, source := range map[string]types.ImageSourceIdentifier{
		"task":    &types.ImageSourceIdentifierMemberEc2ImportTaskId{Value: task},
		"image":   &types.ImageSourceIdentifierMemberEc2ImageId{Value: ami},
		"builder": &types.ImageSourceIdentifierMemberImageBuildVersionArn{Value: builder},
		"broken":  &types.ImageSourceIdentifierMemberEc2ImageId{Value: archive},
	} {
		out, err := c.ImportCustomWorkspaceImage(t.Context(), customOf(source, name))
		if err != nil {
			t.Fatal(err)
		}
		want := types.WorkspaceImageStateAvailable
		if name == "broken" {
			want = types.WorkspaceImageStateError
		}
		s.awaitImage(t, c, *out.ImageId, want)
		got, err := c.DescribeCustomWorkspaceImageImport(t.Context(), &sdk.DescribeCustomWorkspaceImageImportInput{ImageId: out.ImageId})
		if err != nil || !reflect.DeepEqual(got.ImageSource, source) {
			t.Errorf("%s: %s, %v", name, show(got), err)
		}
		if broken := got.State == types.CustomWorkspaceImageImportStateError; broken != (name == "broken") ||
			broken && (len(got.ErrorDetails) != 1 || *got.ErrorDetails[0].ErrorCode != "ResourceNotFound.Image" || got.StateMessage == nil) {
			t.Errorf("%s: %s", name, show(got))
		}
	}
}
