package compute

import (
	"context"
	"net"
	"time"
)

// Driver runs desktops on an engine.
//
// A method that returns a time above zero has asked the engine for the work and is
// not done: it is to be called again, with the same arguments, when the clock shows
// that time. That way waiting costs no worker. A zero time with a nil error means done.
type Driver interface {
	Desktops
	Volumes
	Images
	Scripts
	// About says what the engine is and how well it can do its work.
	About(ctx context.Context) (About, error)
}

// Desktops are what a driver is for.
type Desktops interface {
	// Create makes the desktop with its two volumes and starts it, held to d.Reach from its first
	// packet on until a Rebuild says otherwise. Done means that its screen has answered. Errors: ErrImage, ErrSnapshot (d.Home is not there), ErrCapacity,
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
	// Dial opens the stream of a running desktop's screen (RFB 3.8, no password).
	// Errors: ErrNotFound, ErrNotRunning, ErrUnavailable.
	Dial(ctx context.Context, id string) (net.Conn, error)
	// DialSide opens a connection to a running desktop's side channel, which speaks the
	// protocol of package sidechannel. Errors: those of Dial.
	DialSide(ctx context.Context, id string) (net.Conn, error)
}

// Volumes is what is done to the two volumes of a desktop while it lives.
type Volumes interface {
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
	// the sizes, the address, the subnet, the reach and the user of d, runs, and has answered; the snapshots of
	// its root volume are gone, those of the user volume are kept. A desktop that is half-made, or has
	// lost its root volume, is made whole. A call that follows an unfinished one may do all of it again.
	// Errors: those of Create, ErrNotFound, ErrSnapshot.
	Rebuild(ctx context.Context, d Desktop, user string) (again time.Time, err error)
	// Restore takes both volumes back to their snapshots of the name, starts the desktop and hears it
	// answer. Both snapshots are kept. A call that follows an unfinished one may do all of it again.
	// Errors: those of Start, ErrSnapshot (also where it has the user volume alone).
	Restore(ctx context.Context, id, name string) (again time.Time, err error)
	// Receive makes a desktop's user volume hold what the snapshot of another desktop's holds, and nothing else. The
	// desktop is stopped where it runs, and stays so. The snapshots of its own user volume are gone. The volume is as
	// large as the larger of the two. A call that follows an unfinished one may do all of it again.
	// Errors: ErrNotFound, ErrSnapshot, ErrCapacity, ErrUnavailable, ErrFailed.
	Receive(ctx context.Context, id string, from Home) (again time.Time, err error)
	// Resize gives the desktop the processors, memory and volume sizes of d. It may run meanwhile, and
	// goes on running; what cannot change under it takes hold when it is started next. A volume that
	// is larger than that stays so. Errors: ErrNotFound, ErrCapacity, ErrInvalid, ErrUnavailable, ErrFailed.
	Resize(ctx context.Context, d Desktop) (again time.Time, err error)
}

// Images is how desktop images come and go, beside those that an administrator builds.
type Images interface {
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
}

// Scripts is what is run in a desktop beside what its user runs.
type Scripts interface {
	// Run runs a script as root in a running desktop, which is used on meanwhile. What has come of it is
	// kept on the root volume by the script's name: a call after its end says so again, and runs nothing,
	// until a script of another name is run. One that was cut off, because the desktop stopped, is run anew.
	// ErrScript carries what a script that failed said last.
	// Errors: ErrNotFound, ErrNotRunning, ErrScript, ErrInvalid, ErrCapacity, ErrUnavailable, ErrFailed.
	Run(ctx context.Context, id string, s Script) (again time.Time, err error)
}

// Tightener is a Driver that keeps desktops from the machine's own addresses by a list of
// them, which has to be brought up to date when the machine gets another. Tighten does so,
// has running desktops follow the rules that their security groups have now,
// and removes what is left of work that nobody has taken up again for hours. Errors:
// ErrUnavailable, ErrFailed; called again it finishes what is unfinished.
type Tightener interface {
	Tighten(ctx context.Context) error
}
