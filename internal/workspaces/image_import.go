package workspaces

import (
	"slices"
	"time"
)

// ImageSource is where images can be imported from, as the administrator has declared it:
// exactly one of Image and RootFS.
type ImageSource struct {
	ID     string // what requests name: ami-…, import-ami-… or the ARN of an Image Builder version
	Image  string // the engine's name of an image
	RootFS string // the path, on the engine's machine, of an archive of a root file system
}

// CustomImport is what ImportCustomWorkspaceImage says beside the image itself; empty for
// images that came to be otherwise.
type CustomImport struct {
	SourceKind        SourceKind
	SourceID          string // the ARN or id that names the source
	InfrastructureARN string
	Stage             ImportStage
	StageChangedAt    time.Time
}

// SourceKind is a sort of source that ImportCustomWorkspaceImage takes.
type SourceKind string

// The sorts, by the members of the API's union.
const (
	SourceImportTask   SourceKind = "Ec2ImportTaskId"
	SourceBuildVersion SourceKind = "ImageBuildVersionArn"
	SourceEC2Image     SourceKind = "Ec2ImageId"
)

// ImportStage is how far ImportCustomWorkspaceImage has come while the image is PENDING, in the API's words.
type ImportStage string

// The stages that mean something to Carrel: the engine makes the image in the second.
const (
	ImportPending    ImportStage = "PENDING"
	ImportProcessing ImportStage = "PROCESSING_SOURCE_IMAGE"
)

// importStages are all, in their order. Source: the model's CustomWorkspaceImageImportState.
func importStages() []ImportStage {
	return []ImportStage{
		ImportPending, "IN_PROGRESS", ImportProcessing, "IMAGE_TESTING_START", "UPDATING_OPERATING_SYSTEM", "IMAGE_COMPATIBILITY_CHECKING",
		"IMAGE_TESTING_GENERALIZATION", "CREATING_TEST_INSTANCE", "INSTALLING_COMPONENTS", "GENERALIZING", "VALIDATING", "PUBLISHING",
	}
}

// Next returns the stage after this one; false: it is the last.
func (s ImportStage) Next() (next ImportStage, more bool) {
	all := importStages()
	if i := slices.Index(all, s) + 1; i < len(all) {
		return all[i], true
	}
	return "", false
}

// EnterImportStage moves a custom import on. Each stage has its own time in which to end.
func (i *Image) EnterImportStage(s ImportStage, now time.Time) {
	i.Import.Stage, i.Import.StageChangedAt = s, now
	i.Deadline = now.Add(importWithin)
}

// ImportProgress returns the state of a custom import and how much of it is done, in percent.
func (i *Image) ImportProgress() (state string, percent int) {
	all := importStages()
	percent = 100 * max(slices.Index(all, i.Import.Stage), 0) / len(all)
	switch i.State {
	case ImageAvailable:
		return "COMPLETED", 100
	case ImageErrored:
		return "ERROR", percent
	case ImagePending:
	}
	return string(i.Import.Stage), percent
}
