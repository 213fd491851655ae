// Package compute is what Carrel asks of machines: a small Driver that makes,
// starts, stops and removes desktops, and the closed set of errors it answers with.
//
// Two drivers exist, simulated and incus, each in a folder of its own, and both
// pass the suite in computetest. Only jobs and reconcile call a driver. The words
// here are a machine's (desktop, image, address), not the API's.
//
// # A desktop's life
//
//	Create  the desktop exists, runs and has answered (or will, at the returned time)
//	Stop    it exists and does not run; both volumes are kept
//	Start   it runs again and has answered
//	Reboot  it runs anew and has answered
//	Snapshot  what is on the volumes is kept under a name
//	Rebuild   a new root volume, the user volume as it was kept
//	Restore   both volumes as they were kept
//	Resize    more or fewer processors and memory, larger volumes
//	Capture   its root volume is an image now
//	Delete    neither it nor its volumes and snapshots exist
//
// # Called twice, called after a crash
//
// Every method may be called again with the same arguments, after a success, after
// an error, or after the calling process died in the middle, and then finishes what
// is unfinished and succeeds. Create on a complete desktop, Start on a running one,
// Stop on a stopped one and Delete of a missing one succeed and change nothing. The
// caller never runs two calls for the same desktop at once; calls for different
// desktops come at any number, and the driver itself holds back what its engine
// cannot do at once.
package compute

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

// Driver runs desktops on an engine.
//
// A method that returns a time above zero has asked the engine for the work and is
// not done: it is to be called again, with the same arguments, when the clock shows
// that time. That way waiting costs no worker. A zero time with a nil error means done.
type Driver interface {
	// Create makes the desktop with its two volumes and starts it. Done means that
	// its screen has answered. Errors: ErrImage, ErrSnapshot (d.Home is not there), ErrCapacity,
	// ErrInvalid, ErrUnavailable, ErrFailed.
	Create(ctx context.Context, d Desktop) (again time.Time, err error)
	// Start starts a stopped desktop. Errors: ErrNotFound, ErrCapacity, ErrUnavailable, ErrFailed.
	Start(ctx context.Context, id string) (again time.Time, err error)
	// Stop stops a desktop, with force where it does not stop by itself in a few
	// seconds. Errors: ErrNotFound, ErrUnavailable, ErrFailed.
	Stop(ctx context.Context, id string) (again time.Time, err error)
	// Reboot stops and starts a desktop; a call that follows an unfinished one may
	// do so once more. Errors: those of Start.
	Reboot(ctx context.Context, id string) (again time.Time, err error)
	// Delete removes the desktop and both of its volumes, and whatever a Create that
	// died half-way left of them. Errors: ErrUnavailable, ErrFailed.
	Delete(ctx context.Context, id string) (again time.Time, err error)
	// List returns every desktop that this installation has on the engine, also
	// half-made and half-removed ones. Errors: ErrUnavailable.
	List(ctx context.Context) ([]Machine, error)
	// Snapshot keeps what is on the desktop's volumes under a name that the caller chose. The
	// desktop may run; what its programs have not written yet is not in it. Snapshots belong to
	// the desktop and go with it. Where one of the name is there already, of all that is asked for,
	// it is left as it is.
	// Errors: ErrNotFound, ErrInvalid, ErrCapacity, ErrUnavailable, ErrFailed.
	Snapshot(ctx context.Context, id string, s Snapshot) (again time.Time, err error)
	// DropSnapshot removes a snapshot of the volumes; where there is none it succeeds.
	// Errors: ErrUnavailable, ErrFailed.
	DropSnapshot(ctx context.Context, id, name string) (again time.Time, err error)
	// Rebuild makes the root volume anew from d.Image and takes the user volume back to its
	// snapshot of the name, or leaves it as it is where the name is "". Afterwards the desktop has
	// the sizes, the address, the subnet and the user of d, runs, and has answered; the snapshots of
	// its root volume are gone, those of the user volume are kept. A desktop that is half-made, or has
	// lost its root volume, is made whole. A call that follows an unfinished one may do all of it again.
	// Errors: those of Create, ErrNotFound, ErrSnapshot.
	Rebuild(ctx context.Context, d Desktop, user string) (again time.Time, err error)
	// Restore takes both volumes back to their snapshots of the name, starts the desktop and hears it
	// answer. Both snapshots are kept. A call that follows an unfinished one may do all of it again.
	// Errors: those of Start, ErrInvalid, ErrSnapshot (also where it has the user volume alone).
	Restore(ctx context.Context, id, name string) (again time.Time, err error)
	// Resize gives the desktop the processors, memory and volume sizes of d. It may run meanwhile, and
	// goes on running; what cannot change under it takes hold when it is started next. A volume that
	// is larger than that stays so. Errors: ErrNotFound, ErrCapacity, ErrInvalid, ErrUnavailable, ErrFailed.
	Resize(ctx context.Context, d Desktop) (again time.Time, err error)
	// Capture makes an image of the desktop's root volume, without the user volume, known by the name
	// from then on. The desktop is stopped meanwhile, and afterwards runs if it ran when Capture was first
	// called. Where there is an image of the name, it is left as it is.
	// Errors: ErrNotFound, ErrCapacity, ErrInvalid, ErrUnavailable, ErrFailed.
	Capture(ctx context.Context, id, image string) (again time.Time, err error)
	// MakeImage makes the image known as name from a source: another image of the engine, or a file.
	// Where there is an image of the name, it is left as it is. ErrImage: the source is not there.
	// Errors: ErrImage, ErrCapacity, ErrInvalid, ErrUnavailable, ErrFailed.
	MakeImage(ctx context.Context, name string, from ImageSource) (again time.Time, err error)
	// DeleteImage makes the engine forget an image name that Capture or MakeImage gave, and the image once
	// it has no other. Desktops made of it go on. A missing one is fine, and one that this installation did
	// not make is left alone. Errors: ErrUnavailable, ErrFailed.
	DeleteImage(ctx context.Context, name string) (again time.Time, err error)
	// Dial opens the stream of a running desktop's screen (RFB 3.8, no password).
	// Errors: ErrNotFound, ErrNotRunning, ErrUnavailable.
	Dial(ctx context.Context, id string) (net.Conn, error)
	// DialSide opens a connection to a running desktop's side channel, which speaks the
	// protocol of package sidechannel. Errors: those of Dial.
	DialSide(ctx context.Context, id string) (net.Conn, error)
	// About says what the engine is and how well it can do its work.
	About(ctx context.Context) (About, error)
}

// Tightener is a Driver that keeps desktops from the machine's own addresses by a list of
// them, which has to be brought up to date when the machine gets another. Errors of
// Tighten: ErrUnavailable, ErrFailed; called again it finishes what is unfinished.
type Tightener interface {
	Tighten(ctx context.Context) error
}

// Desktop is everything that a driver needs to make one.
type Desktop struct {
	ID           string // the WorkSpace id, e.g. ws-0123abcde; also names the machine
	Image        string // the engine's name of the image, e.g. carrel/xfce
	CPUs         int
	MemoryMiB    int
	RootGiB      int
	UserGiB      int // the user volume, mounted at /home
	Subnet       Subnet
	Address      netip.Addr // fixed, within the subnet
	ComputerName string
	User         User

	RootEncrypted bool // the root volume lies in encrypted storage
	UserEncrypted bool // the user volume does

	// Home is what the user volume is made from; nil: it begins empty. Only Create looks at it.
	Home *Home
}

// Home names the snapshot of another desktop's user volume, whose contents a new one begins with.
type Home struct {
	Desktop  string // the other desktop's id; it may run
	Snapshot string // the name of the snapshot
}

// Snapshot says what is to be kept, and under which name.
type Snapshot struct {
	Name string // lower-case letters, digits and hyphens, e.g. s-20261125t144200
	Root bool   // the root volume too; the user volume always
}

// ImageSource is what an image is made from: one of the two.
type ImageSource struct {
	Image  string // the name of an image that the engine has
	RootFS string // the path, on the engine's machine, of a root file system archive (tar, also compressed)
	// Update brings the packages of the image up to date, in a desktop that is made for it and removed.
	Update bool
}

// User is whose desktop it is.
type User struct {
	Name               string // as in the directory; the driver maps it to a system account
	FullName           string
	LocalAdministrator bool
}

// Subnet is a network of desktops. The driver makes it when the first desktop needs it.
type Subnet struct {
	ID      string // subnet-…
	Prefix  netip.Prefix
	Gateway netip.Addr
	Network string // the engine's own name of an existing network to use; "": the driver makes one
}

// Machine is a desktop as the engine sees it.
type Machine struct {
	ID      string
	Running bool
	Answers bool   // its screen has just answered; only ever true of a running one
	Whole   bool   // all its parts are there; false: half-made or half-removed
	Detail  string // what is wrong with it, for the administrator
}

// About describes an engine.
type About struct {
	Name            string   // simulated or incus
	Version         string   // the engine's
	SizesEnforced   bool     // volumes cannot grow past their sizes
	Problems        []string // what does not work or is missing, each with what to do about it
	Images          []Image
	DesktopsRunning int
}

// Image is a desktop image that the engine has.
type Image struct {
	Name    string // e.g. carrel/xfce
	Serial  string // tells builds of a recipe apart
	Bytes   int64
	BuiltAt time.Time
}

// The closed set of a driver's errors. A driver wraps one of them around the engine's own
// words; anything else is treated like ErrFailed.
var (
	ErrNotFound    = errors.New("no such desktop")             // final
	ErrNotRunning  = errors.New("the desktop does not run")    // final until started
	ErrImage       = errors.New("no such image")               // final until the image is there
	ErrSnapshot    = errors.New("no such snapshot")            // final
	ErrCapacity    = errors.New("the engine has no room left") // final until there is room
	ErrInvalid     = errors.New("the engine refuses this")     // final
	ErrUnavailable = errors.New("the engine does not answer")  // try again
	ErrFailed      = errors.New("the engine failed")           // try again, a few times
)
