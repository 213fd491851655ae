package workspaces

import (
	"strings"
	"time"
)

// Image is what root volumes are made from.
type Image struct {
	Scope
	ID          string
	Name        string
	Description string

	State      ImageState
	Generation int64     // grows with every change of state; guards work against stale jobs
	ChangedAt  time.Time // when the state last changed
	Deadline   time.Time // when PENDING is given up; zero in the others
	WakeAt     time.Time // when the next turn of work is due; zero but in PENDING
	Attempts   int       // how often the engine has failed at making it

	ErrorCode    string // set in ERROR
	ErrorMessage string

	Engine   string // as the engine names it; chosen before the engine hears of it
	Origin   Origin
	OSType   string // LINUX or WINDOWS
	OS       string // OperatingSystemName; "" where the API has no value for it
	Protocol string // what WorkSpaces of it speak, PCOIP or WSP
	Tenancy  string // RequiredTenancy: DEFAULT, or DEDICATED for images that bring their own license
	RootGiB  int    // what a root volume of it has at least; 0: nothing is known

	CreatedAt  time.Time
	PackagesAt time.Time // when the programs in it were last brought up to date, as far as is known
	Import     CustomImport
}

// ImageState is one of the three states of an image.
type ImageState string

// The states, as the API spells them.
const (
	ImagePending   ImageState = "PENDING"
	ImageAvailable ImageState = "AVAILABLE"
	ImageErrored   ImageState = "ERROR"
)

// Origin is what an image is made from: exactly one of a WorkSpace, an image and a file.
type Origin struct {
	WorkSpaceID string // whose root volume is captured
	Image       string // the engine's name of another image
	RootFS      string // the path, on the engine's machine, of an archive of a root file system
	Update      bool   // the packages of Image are brought up to date
}

// The values of an image's OSType and Tenancy.
const (
	Linux   = "LINUX"
	Windows = "WINDOWS"

	DefaultTenancy   = "DEFAULT"
	DedicatedTenancy = "DEDICATED"
)

// OSTypeOf returns what kind of system an OperatingSystemName is, "" being Carrel's own Debian.
func OSTypeOf(name string) string {
	if strings.HasPrefix(name, Windows+"_") {
		return Windows
	}
	return Linux
}

// Ref names the image as it is now.
func (i *Image) Ref() Ref { return Ref{Scope: i.Scope, ID: i.ID, Generation: i.Generation} }

// IsPublic reports whether the image is everybody's: the owner of its scope is Amazon then.
func (i *Image) IsPublic() bool { return i.Account == Amazon }

// EngineImages is how the engine's names of an installation's own images begin. Other
// installations may have theirs on the same engine.
func EngineImages(installation string) string { return "carrel/" + installation + "-" }

// EngineImage is what the engine calls an image of an installation.
func EngineImage(installation, id string) string { return EngineImages(installation) + id }

// PublicImageID is the image of the public bundles.
const PublicImageID = "wsi-carrelxfce"

// PublicImage is the image of the public bundles in a region. It has no row.
func PublicImage(engine, region string) *Image {
	return &Image{
		Scope: Scope{Account: Amazon, Region: region}, ID: PublicImageID, Name: "Debian-Xfce", Description: "Debian Linux with Xfce",
		State: ImageAvailable, Engine: engine, OSType: Linux, Protocol: "WSP", Tenancy: DefaultTenancy,
		CreatedAt: publicSince(), PackagesAt: publicSince(),
	}
}

// How long making an image may take until it is given up, of the clock's time. The service names 45
// minutes for a capture, and 90 minutes and more for an import.
const (
	captureWithin = time.Hour
	importWithin  = 6 * time.Hour
)

// NewImage makes an image of what describes it and where it comes from, PENDING.
func NewImage(c *Chance, i Image, installation string, now time.Time) *Image {
	i.ID, i.State, i.CreatedAt, i.ChangedAt = NewImageID(c), ImagePending, now, now
	i.Engine, i.Generation = EngineImage(installation, i.ID), 1
	within := captureWithin
	if i.Origin.RootFS != "" || i.Origin.Update || i.Import.SourceID != "" {
		within = importWithin
	}
	i.Deadline, i.WakeAt = now.Add(within), now.Add(Watchdog)
	return &i
}

// Overdue reports whether making the image has had all the time that it may take.
func (i *Image) Overdue(now time.Time) bool { return !i.Deadline.IsZero() && !now.Before(i.Deadline) }

// Finish makes the image AVAILABLE.
func (i *Image) Finish(now time.Time) {
	i.enter(ImageAvailable, now)
	if i.Origin.Update {
		i.PackagesAt = now
	}
}

// Fail gives the image up, with the reason.
func (i *Image) Fail(now time.Time, code, message string) {
	i.enter(ImageErrored, now)
	i.ErrorCode, i.ErrorMessage = code, message
}

func (i *Image) enter(s ImageState, now time.Time) {
	i.State, i.ChangedAt, i.Deadline, i.WakeAt, i.Attempts = s, now, time.Time{}, time.Time{}, 0
	i.Generation++
}

// updatesAfter is how old the programs in an image are when bringing them up to date is offered.
const updatesAfter = 30 * 24 * time.Hour

// HasUpdates reports whether CreateUpdatedWorkspaceImage is offered for the image. Nobody has looked
// whether there are newer packages: it goes by their age.
func (i *Image) HasUpdates(now time.Time) bool {
	return i.State == ImageAvailable && now.Sub(i.PackagesAt) >= updatesAfter
}

// MustBeAvailable refuses what an image that is being made, or could not be, cannot be used for.
func (i *Image) MustBeAvailable() error {
	if i.State != ImageAvailable {
		return Errorf(CodeUnavailable, "The image %s is in the state %s; it must be AVAILABLE.", i.ID, i.State).About(i.ID)
	}
	return nil
}
