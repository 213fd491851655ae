package computetest

import (
	"net/netip"
	"testing"
	"time"

	"carrel/internal/clock"
	"carrel/internal/compute"
)

// Harness is an engine to test a driver on. The last four functions are for what
// only some engines can do; nil skips the part.
type Harness struct {
	// Driver is the driver under test. Its engine has no desktops.
	Driver compute.Driver
	// Clock is the clock that the driver returns times of. Where it is frozen the
	// suite advances it instead of waiting.
	Clock *clock.Clock
	// Desktop gives the image, sizes and subnet of the suite's desktops; their ids,
	// addresses, names and users are filled in. The 10th to the 40th address of the
	// subnet must be free.
	Desktop compute.Desktop
	// Group is the id of a security group that the engine knows.
	Group string
	// Reopen returns a new driver over the same engine, as a restarted Carrel would
	// make it, and disposes of the one before.
	Reopen func(t *testing.T) compute.Driver

	// RootFS is the path of an archive that images can be made from.
	RootFS string
	// Write makes a file in a volume of a running desktop hold the text.
	Write func(t *testing.T, id string, v Volume, name, text string)
	// Read returns what a file in a volume of a running desktop holds; "": it is not there.
	Read func(t *testing.T, id string, v Volume, name string) string

	// Address returns the address that a running desktop really has.
	Address func(t *testing.T, id string) netip.Addr
	// KillScreen makes a running desktop's screen stop answering until it is rebooted.
	KillScreen func(t *testing.T, id string)
	// FillHome writes so many bytes to the user volume of a running desktop, in place of
	// what it wrote before.
	FillHome func(t *testing.T, id string, bytes int64) error
	// CPUs returns how many processors a running desktop really has.
	CPUs func(t *testing.T, id string) int
}

// Volume is one of the two that a desktop has.
type Volume string

// The volumes of a desktop.
const (
	Root Volume = "root"
	Home Volume = "home" // the user volume
)

// UpdatedFile is the name of the file in the root volume by which an image that was brought
// up to date is to be known.
const UpdatedFile = "updated.txt"

const (
	// patience bounds one call's way to its end, in real time.
	patience = 3 * time.Minute
	// noticeable bounds, in real time, how long an engine may take to show what
	// happened to a desktop behind the driver's back.
	noticeable = 30 * time.Second
)

// Run runs the suite. It calls open once for each part, one part after the other,
// with the part's own t; each part leaves the engine without desktops, so that open
// may return the same engine each time.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	parts := []struct {
		name string
		run  func(s *suite)
	}{
		{"About", (*suite).about},
		{"Missing", (*suite).missing},
		{"Refused", (*suite).refused},
		{"Life", (*suite).life},
		{"Screen", (*suite).screen},
		{"Side", (*suite).side},
		{"Reach", (*suite).reach},
		{"Snapshots", (*suite).snapshots},
		{"Rebuild", (*suite).rebuild},
		{"Home", (*suite).carriedHome},
		{"Receive", (*suite).received},
		{"Resize", (*suite).resize},
		{"Scripts", (*suite).scripts},
		{"Capture", (*suite).capture},
		{"Images", (*suite).images},
		{"InterruptedCreate", (*suite).interruptedCreate},
		{"InterruptedLife", (*suite).interruptedLife},
		{"InterruptedVolumes", (*suite).interruptedVolumes},
		{"InterruptedImages", (*suite).interruptedImages},
		{"Several", (*suite).several},
	}
	for _, part := range parts {
		t.Run(part.name, func(t *testing.T) {
			s := newSuite(t, open(t))
			defer s.sweep() // before the harness's own clean-up, which disposes of the driver
			part.run(s)
		})
	}
}
