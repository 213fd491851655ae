// Package simulated is the compute.Driver that needs no machines: its desktops are
// entries in memory and lines in a journal, so that ten thousand of them fit on a
// laptop, and still take as long, run out of room and fail as real ones would, the
// same way in every run. It is how Carrel runs in CI and in development, and passes
// the suite in computetest as the driver of Incus does.
//
// A [Driver] is engine and driver in one. What it was asked to do it finishes by the
// clock, whether or not anybody calls again, as an engine would; its desktops outlive
// the process. Dialing one gives a real RFB stream with a picture of the desktop, on
// which typing shows.
//
// Volumes hold files by name, which [Driver.ReadFile] and [Driver.WriteFile] reach, the side
// channel too; what is typed is one of them. Snapshots, images and other desktops share what
// they hold as copies on write do.
//
// It may import compute, clock, rfb, sidechannel and what draws text. Start at driver.go, where
// the methods of compute.Driver begin; desktop.go has what a desktop goes through, disks.go
// what its volumes hold, image.go what images go through, fate.go how long all that takes and
// whether it fails, journal.go what survives.
package simulated
