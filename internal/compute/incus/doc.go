// Package incus runs desktops as system containers of Incus (6.0 or newer) on the
// local machine: it is the [compute.Driver] that makes real ones.
//
// Start reading at [Open] and create.go. One file per verb follows the contract:
// create.go, power.go, delete.go, list.go, dial.go, snapshot.go, rebuild.go (which also
// resizes), capture.go, make_image.go, update.go, about.go. Beside them, names.go says what
// everything is called, instance.go what a desktop is made of, volume.go what there is to
// know of user volumes, network.go
// how desktops are kept from each other and from the host, socket_linux.go how a
// screen is reached that its user may have tampered with, client.go how Incus is
// spoken to and errors.go what its answers mean to Carrel.
//
// # What is made
//
// Everything but images lies in one Incus project and one storage pool, or two where there
// is one for encrypted volumes, and carries the tag user.carrel.installation; what does not
// carry it is never changed. Images are shared by all projects, and carry it as a property,
// their aliases in the description.
//
//	instance ID        the desktop; its root disk is copied on write from the image
//	volume   ID-home   the user volume, at /home; it also says what limits the desktop is to have
//	snapshot NAME      of the volume, and of the instance where the root volume was kept too
//	image    carrel/…  captured from a desktop or made; the public ones are not the driver's
//	instance unpack-…  for a moment, so that an image is unpacked into the pool
//	instance update-…  in which an image is brought up to date
//	network  carrel…   one bridge for each subnet that does not name an existing network
//	ACL      carrel-…  what desktops may reach, for all of those networks
//
// # Crash safety
//
// The driver remembers nothing of desktops: each call asks Incus what there is. A Create that
// died leaves, in this order, a volume, an instance that never ran, or a running
// instance; the next Create continues from there and Delete removes all of it. What
// a dead process asked of Incus goes on inside Incus, so that every call first waits
// for what is still under way on its desktop.
//
// # What it may import
//
// The standard library, carrel/internal/{clock,compute,rfb}, Incus's own API types
// (github.com/lxc/incus/v6/shared/api) and golang.org/x/{sync,sys}.
package incus
