// Package compute is what Carrel asks of machines: a small Driver that makes,
// starts, stops and removes desktops, and the closed set of errors it answers with.
//
// Two drivers exist, simulated and incus, each in a folder of its own, and both
// pass the suite in computetest. Only jobs and reconcile call a driver. The words
// here are a machine's (desktop, image, address), not the API's.
//
// # A desktop's life
//
//	Create    the desktop exists, runs and has answered (or will, at the returned time)
//	Stop      it exists and does not run; both volumes are kept
//	Start     it runs again and has answered
//	Reboot    it runs anew and has answered
//	Snapshot  what is on the volumes is kept under a name
//	Rebuild   a new root volume, the user volume as it was kept
//	Restore   both volumes as they were kept
//	Receive   its user volume holds what another's snapshot holds
//	Resize    more or fewer processors and memory, larger volumes
//	Run       a script has been run in it
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
	"errors"
	"net/netip"
	"time"
)

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
	Reach        Reach
	ComputerName string
	User         User

	RootEncrypted bool // the root volume lies in encrypted storage
	UserEncrypted bool // the user volume does

	// Home is what the user volume is made from; nil: it begins empty. Only Create looks at it.
	Home *Home
}

// Home names the snapshot of another desktop's user volume, whose contents one begins with or gets.
type Home struct {
	Desktop  string // the other desktop's id; it may run
	Snapshot string // the name of the snapshot
}

// Snapshot says what is to be kept, and under which name.
type Snapshot struct {
	Name string // lower-case letters, digits and hyphens, e.g. s-20261125t144200
	Root bool   // the root volume too; the user volume always
}

// Script is a program for a desktop's /bin/sh.
type Script struct {
	Name     string // of this one run: lower-case letters, digits and hyphens
	Text     string // at most MaxScript bytes, none of them zero
	Argument string // its first argument
	// Limit is how long it may take, of the machine's time; then it is killed, and has failed. 0: MaxRun.
	Limit time.Duration
}

// The bounds of scripts.
const (
	MaxScript = 64 << 10
	MaxRun    = 30 * time.Minute
)

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
	Reach   Reach  // what it is held to
}

// About describes an engine.
type About struct {
	Name            string   // simulated or incus
	Version         string   // the engine's
	SizesEnforced   bool     // volumes cannot grow past their sizes
	ReachEnforced   bool     // desktops cannot exchange packets with whom their Reach does not say
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
	ErrScript      = errors.New("the script failed")           // final
	ErrCapacity    = errors.New("the engine has no room left") // final until there is room
	ErrInvalid     = errors.New("the engine refuses this")     // final
	ErrUnavailable = errors.New("the engine does not answer")  // try again
	ErrFailed      = errors.New("the engine failed")           // try again, a few times
)

// RefusalError is an engine's last word about a desktop, in words of the engine's choice: a failure
// that nobody tries again. A simulated engine has it when it was asked to fail.
type RefusalError struct{ Code, Message string }

// Error implements error.
func (r *RefusalError) Error() string { return r.Message }

// HeldError says that the engine was told to hold the work up, whatever deadlines it has: it is to be
// called again at a time. Only a simulated engine is ever told so.
type HeldError struct{ Until time.Time }

// Error implements error.
func (*HeldError) Error() string { return "the engine was told to wait" }
