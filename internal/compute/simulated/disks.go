package simulated

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"

	"carrel/internal/compute"
)

// What fits on a volume. The sizes that a desktop was asked to have are not looked at:
// a simulated engine has ten thousand desktops in memory.
const (
	mostFiles = 256     // on a volume
	mostBytes = 1 << 20 // in a file
	mostName  = 1024    // bytes of a file's name, with its folders
)

// Volume is one of the two that a desktop has.
type Volume string

// The volumes of a desktop.
const (
	Root Volume = "root"
	Home Volume = "home" // the user volume
)

// file is what a file holds. It never changes, so that volumes, snapshots and images
// share it, as copies on write do.
type file struct {
	digest string // which names the bytes in the journal
	bytes  []byte // not known yet while the journal is being read
}

func newFile(content []byte) *file {
	sum := sha256.Sum256(content)
	return &file{digest: hex.EncodeToString(sum[:16]), bytes: content}
}

// MarshalText implements [encoding.TextMarshaler].
func (f *file) MarshalText() ([]byte, error) { return []byte(f.digest), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (f *file) UnmarshalText(text []byte) error {
	f.digest = string(text)
	return nil
}

// contents is what a volume holds, by name. It never changes.
type contents map[string]*file

// with is the contents with one file more, or another one of the name. Errors wrap
// ErrInvalid or ErrCapacity.
func (c contents) with(name string, content []byte) (contents, error) {
	_, there := c[name]
	switch {
	case !fs.ValidPath(name) || name == "." || len(name) > mostName:
		return nil, fmt.Errorf("%w: %q is not the name of a file", compute.ErrInvalid, name)
	case len(content) > mostBytes, !there && len(c) == mostFiles:
		return nil, fmt.Errorf("%w: a simulated volume holds %d files of %d bytes", compute.ErrCapacity, mostFiles, mostBytes)
	}
	next := maps.Clone(c)
	if next == nil {
		next = make(contents)
	}
	next[name] = newFile(content)
	return next, nil
}

// disks is what is on a desktop's volumes and kept of them. It never changes: methods
// return what comes of it, and nil is two empty volumes.
type disks struct {
	Root contents        `json:"root,omitzero"`
	Home contents        `json:"home,omitzero"`
	Kept map[string]kept `json:"kept,omitzero"` // the snapshots
}

// kept is a snapshot.
type kept struct {
	Home  contents `json:"home,omitzero"`
	Root  contents `json:"root,omitzero"`
	Whole bool     `json:"whole,omitzero"` // of the root volume too
}

// look returns a copy to change, in which the maps are still those of d.
func (d *disks) look() disks {
	if d == nil {
		return disks{}
	}
	return *d
}

// volume returns what one of the volumes holds.
func (d *disks) volume(v Volume) contents {
	if v == Root {
		return d.look().Root
	}
	return d.look().Home
}

// put is the disks with other contents of one volume.
func (d *disks) put(v Volume, c contents) *disks {
	next := d.look()
	if v == Root {
		next.Root = c
	} else {
		next.Home = c
	}
	return &next
}

// keep is the disks with one snapshot more.
func (d *disks) keep(w with) *disks {
	next := d.look()
	snapshot := kept{Home: next.Home, Whole: w.Root}
	if w.Root {
		snapshot.Root = next.Root
	}
	next.Kept = maps.Clone(next.Kept)
	if next.Kept == nil {
		next.Kept = make(map[string]kept)
	}
	next.Kept[w.Snapshot] = snapshot
	return &next
}

// drop is the disks without a snapshot.
func (d *disks) drop(name string) *disks {
	next := d.look()
	next.Kept = maps.Clone(next.Kept)
	delete(next.Kept, name)
	return &next
}

// restore is the disks with both volumes as the snapshot has them.
func (d *disks) restore(name string) *disks {
	next := d.look()
	next.Root, next.Home = next.Kept[name].Root, next.Kept[name].Home
	return &next
}

// receive is the disks with another user volume, of which nothing is kept.
func (d *disks) receive(home contents) *disks {
	next := d.look()
	next.Home, next.Kept = home, nil
	return &next
}

// rebuild is the disks with another root volume, and the user volume as the snapshot of
// the name has it; "": as it is.
func (d *disks) rebuild(root contents, name string) *disks {
	next := d.look()
	next.Root = root
	if name != "" {
		next.Home = next.Kept[name].Home
	}
	before := next.Kept
	next.Kept = make(map[string]kept, len(before))
	for name, snapshot := range before {
		next.Kept[name] = kept{Home: snapshot.Home}
	}
	return &next
}

// files calls yield with every file, of snapshots too.
func (d *disks) files(yield func(*file)) {
	if d == nil {
		return
	}
	all := []contents{d.Root, d.Home}
	for _, snapshot := range d.Kept {
		all = append(all, snapshot.Root, snapshot.Home)
	}
	for _, c := range all {
		c.files(yield)
	}
}

func (c contents) files(yield func(*file)) {
	for _, f := range c {
		yield(f)
	}
}
