package simulated

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"carrel/internal/compute"
)

// TypedFile is the file of the user volume that holds what was typed into the screen.
const TypedFile = "typed.txt"

// ReadFile returns what a file on a desktop's volume holds, whether or not the desktop
// runs. Errors: ErrNotFound and ErrUnavailable of compute, fs.ErrNotExist.
func (d *Driver) ReadFile(ctx context.Context, id string, v Volume, name string) ([]byte, error) {
	leave, err := d.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	x, err := d.made(id)
	if err != nil {
		return nil, err
	}
	f, there := x.Disks.volume(v)[name]
	if !there {
		return nil, fmt.Errorf("%s of %s: %s: %w", v, id, name, fs.ErrNotExist)
	}
	return slices.Clone(f.bytes), nil
}

// WriteFile makes a file on a desktop's volume hold the content, whether or not the
// desktop runs. Names are like those of package fs; a volume holds 256 files of 1 MiB
// at most. Writing [TypedFile] shows on the screen. Errors, all of compute: ErrNotFound,
// ErrInvalid, ErrCapacity, ErrUnavailable.
func (d *Driver) WriteFile(ctx context.Context, id string, v Volume, name string, content []byte) error {
	shown, err := d.write(ctx, id, v, name, slices.Clone(content))
	if err == nil && shown != nil && v == Home && name == TypedFile {
		shown.retype(content)
	}
	return err
}

func (d *Driver) write(ctx context.Context, id string, v Volume, name string, content []byte) (*display, error) {
	leave, err := d.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return d.displays[id], d.save(id, v, name, content)
}

// Files returns the names of the files on a desktop's volume, sorted. Errors: ErrNotFound,
// ErrUnavailable.
func (d *Driver) Files(ctx context.Context, id string, v Volume) ([]string, error) {
	leave, err := d.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	x, err := d.made(id)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(x.Disks.volume(v))), nil
}

// made returns a desktop that has volumes, as it was last left. Errors: ErrNotFound.
func (d *Driver) made(id string) (desktop, error) {
	x := d.get(id)
	if now, _ := d.settle(x, d.clock.Now()); now.Gone || !now.Whole {
		return x, fmt.Errorf("%w: %s", compute.ErrNotFound, id)
	}
	return x, nil
}

// save writes a file. What the desktop is going through goes on, even if its time is over:
// whoever began that has yet to be told. It is called with the lock held.
func (d *Driver) save(id string, v Volume, name string, content []byte) error {
	x, err := d.made(id)
	if err != nil {
		return err
	}
	next, err := x.Disks.volume(v).with(name, content)
	if err != nil {
		return err
	}
	x.Disks = x.Disks.put(v, next)
	return d.commit(x, nil)
}

// keepTyped keeps what was typed into a display, if that is still the desktop's.
func (d *Driver) keepTyped(p *display, typed []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if id := p.spec.ID; !d.closed && d.displays[id] == p {
		// A journal that cannot be written fails every call of the driver, and says so there.
		_ = d.save(id, Home, TypedFile, typed)
	}
}
