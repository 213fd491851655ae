package operation

import (
	"context"
	"slices"
	"strings"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// ImportWorkspaceImage makes an image of a source that the administrator has declared under the id
// of an EC2 image.
//
// Effect: image. Sources are images of Incus and archives, declared in the configuration file;
// there is no EC2 to import from.
func (s WorkSpaces) ImportWorkspaceImage(ctx context.Context, in *wsapi.ImportWorkspaceImageRequest) (*wsapi.ImportWorkspaceImageResult, error) {
	if len(in.Applications) > 1 {
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter, "One application can be added to an image that is imported.")
	}
	if len(in.Applications) > 0 && !s.AnyImageSource {
		return nil, workspaces.Errorf(workspaces.CodeNotSupported, "Carrel adds no applications to an image that is imported; it has those of its source.")
	}
	image, err := s.addImage(ctx, deref(in.ImageName), in.Tags, func(*store.Tx) (workspaces.Image, error) {
		i, err := s.imported(deref(in.Ec2ImageId), "WINDOWS_10")
		i.Description, i.Protocol = deref(in.ImageDescription), ingestedProtocol(deref(in.IngestionProcess))
		return i, err
	})
	if err != nil {
		return nil, err
	}
	return &wsapi.ImportWorkspaceImageResult{ImageId: &image.ID}, nil
}

// ingestedProtocol is what WorkSpaces of an image speak that an ingestion process brought in.
func ingestedProtocol(process string) string {
	if strings.HasSuffix(process, "_WSP") || strings.HasSuffix(process, "_BYOP") {
		return "WSP"
	}
	return "PCOIP"
}

// imported says what an image is that is made of a declared source. Any source will do where
// test suites bring their own: the image is the public one then, under the name of what was asked for.
func (s WorkSpaces) imported(id, claimedOS string) (workspaces.Image, error) {
	i := workspaces.Image{OSType: workspaces.Linux, Tenancy: workspaces.DedicatedTenancy, PackagesAt: s.Clock.Now()}
	at := slices.IndexFunc(s.ImageSources, func(declared workspaces.ImageSource) bool { return declared.ID == id })
	public, found := s.publicImage(workspaces.PublicImageID, "")
	switch {
	case at >= 0:
		i.Origin = workspaces.Origin{Image: s.ImageSources[at].Image, RootFS: s.ImageSources[at].RootFS}
	case s.AnyImageSource && found:
		i.Origin, i.OSType, i.OS = workspaces.Origin{Image: public.Engine}, workspaces.Windows, claimedOS
	default:
		return i, workspaces.Errorf(workspaces.CodeNotFound,
			"%s is no source of images: image-sources in the configuration of this installation does not name it.", id).About(id)
	}
	return i, nil
}

// ImportCustomWorkspaceImage makes an image of a source that the administrator has declared, and
// keeps account of how far it has come: see DescribeCustomWorkspaceImageImport.
//
// Effect: image. Sources are images of Incus and archives, declared in the configuration file; the
// infrastructure configuration is kept and not used, because the engine needs no builder.
func (s WorkSpaces) ImportCustomWorkspaceImage(
	ctx context.Context, in *wsapi.ImportCustomWorkspaceImageRequest,
) (*wsapi.ImportCustomWorkspaceImageResult, error) {
	kind, id := sourceOf(in.ImageSource)
	image, err := s.addImage(ctx, deref(in.ImageName), in.Tags, func(*store.Tx) (workspaces.Image, error) {
		i, err := s.imported(id, deref(in.OsVersion))
		i.Description, i.Protocol = deref(in.ImageDescription), "WSP"
		if deref(in.Protocol) == wsapi.CustomImageProtocolPcoip {
			i.Protocol = "PCOIP"
		}
		i.Import = workspaces.CustomImport{
			SourceKind: kind, SourceID: id, InfrastructureARN: deref(in.InfrastructureConfigurationArn),
			Stage: workspaces.ImportPending, StageChangedAt: s.Clock.Now(),
		}
		return i, err
	})
	if err != nil {
		return nil, err
	}
	state, _ := image.ImportProgress()
	return &wsapi.ImportCustomWorkspaceImageResult{ImageId: &image.ID, State: &state}, nil
}

// sourceOf returns which member of the union is set, and its value.
func sourceOf(in *wsapi.ImageSourceIdentifier) (workspaces.SourceKind, string) {
	switch {
	case in.Ec2ImportTaskId != nil:
		return workspaces.SourceImportTask, *in.Ec2ImportTaskId
	case in.ImageBuildVersionArn != nil:
		return workspaces.SourceBuildVersion, *in.ImageBuildVersionArn
	default:
		return workspaces.SourceEC2Image, deref(in.Ec2ImageId)
	}
}

// DescribeCustomWorkspaceImageImport tells how far ImportCustomWorkspaceImage has come with an image.
//
// Effect: answer. Read from the store.
func (s WorkSpaces) DescribeCustomWorkspaceImageImport(
	ctx context.Context, in *wsapi.DescribeCustomWorkspaceImageImportRequest,
) (*wsapi.DescribeCustomWorkspaceImageImportResult, error) {
	id := deref(in.ImageId)
	var i *workspaces.Image
	err := s.Store.View(func(tx *store.Tx) error {
		image, found, err := tx.Image(ctx, Scope(ctx), id)
		if err == nil && (!found || image.Import.SourceID == "") {
			err = workspaces.Errorf(workspaces.CodeNotFound, "The import of an image %s could not be found.", id).About(id)
		}
		i = image
		return err
	})
	if err != nil {
		return nil, err
	}
	state, percent := i.ImportProgress()
	out := &wsapi.DescribeCustomWorkspaceImageImportResult{
		ImageId: &i.ID, InfrastructureConfigurationArn: &i.Import.InfrastructureARN, State: &state, StateMessage: some(i.ErrorMessage),
		ProgressPercentage: new(int32(percent)), Created: api.At(i.CreatedAt), LastUpdatedTime: api.At(i.Import.StageChangedAt), //nolint:gosec // a percentage
		ImageSource: describeSource(&i.Import),
	}
	if i.State != workspaces.ImagePending {
		out.LastUpdatedTime = api.At(i.ChangedAt)
	}
	if i.State == workspaces.ImageErrored {
		out.ErrorDetails = []wsapi.CustomWorkspaceImageImportErrorDetails{{ErrorCode: &i.ErrorCode, ErrorMessage: &i.ErrorMessage}}
	}
	return out, nil
}

func describeSource(c *workspaces.CustomImport) *wsapi.ImageSourceIdentifier {
	switch c.SourceKind {
	case workspaces.SourceImportTask:
		return &wsapi.ImageSourceIdentifier{Ec2ImportTaskId: &c.SourceID}
	case workspaces.SourceBuildVersion:
		return &wsapi.ImageSourceIdentifier{ImageBuildVersionArn: &c.SourceID}
	case workspaces.SourceEC2Image:
	}
	return &wsapi.ImageSourceIdentifier{Ec2ImageId: &c.SourceID}
}
