package simulated

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"carrel/internal/compute"
)

// UpdatedFile is the file of the root volume by which an image that was brought up to
// date is known. It holds when that was.
const UpdatedFile = "updated.txt"

// osImage is an image that was captured or made, as the engine has it and the journal keeps it.
// It is a value, like desktop.
type osImage struct {
	Name    string              `json:"name"`
	Gone    bool                `json:"gone,omitzero"`
	Ready   bool                `json:"ready,omitzero"` // it was captured or made
	Root    contents            `json:"root,omitzero"`
	BuiltAt time.Time           `json:"built,omitzero"`
	From    compute.ImageSource `json:"from,omitzero"`    // what it is made from…
	Desktop string              `json:"desktop,omitzero"` // …or captured from
	Doing   method              `json:"doing,omitzero"`
	Until   time.Time           `json:"until,omitzero"`
	Runs    int                 `json:"runs,omitzero"` // of the desktop that it is captured from, else its own
}

// usable tells whether desktops can be made of it.
func (i osImage) usable() bool { return i.Ready && !i.Gone }

// described is the image in the contract's words.
func (i osImage) described() compute.Image {
	described := compute.Image{Name: i.Name, Serial: i.BuiltAt.UTC().Format("20060102150405"), BuiltAt: i.BuiltAt}
	i.Root.files(func(f *file) { described.Bytes += int64(len(f.bytes)) })
	return described
}

// MakeImage implements [compute.Driver]. Of a file only that it exists is looked at.
func (d *Driver) MakeImage(ctx context.Context, name string, from compute.ImageSource) (time.Time, error) {
	if err := errors.Join(compute.CheckImage(name), from.Check()); err != nil {
		return time.Time{}, err
	}
	leave, err := d.enter(ctx)
	if err != nil {
		return time.Time{}, err
	}
	defer leave()
	return d.advanceImage(name, making, from)
}

// DeleteImage implements [compute.Driver].
func (d *Driver) DeleteImage(ctx context.Context, name string) (time.Time, error) {
	leave, err := d.enter(ctx)
	if err != nil {
		return time.Time{}, err
	}
	defer leave()
	return d.advanceImage(name, unmaking, compute.ImageSource{})
}

// Everything below is called with the driver's lock held.

// image returns what has become of an image by now; one that nobody has made is gone.
func (d *Driver) image(name string, now time.Time) osImage {
	stored, ok := d.images[name]
	if !ok {
		return osImage{Name: name, Gone: true}
	}
	i, _ := d.settleImage(*stored, now)
	return i
}

// source returns an image that desktops and other images can be made from.
func (d *Driver) source(name string, now time.Time) (osImage, bool) {
	if i := d.image(name, now); i.usable() {
		return i, true
	}
	known := func(image compute.Image) bool { return image.Name == name }
	return osImage{Name: name}, d.cfg.AnyImage || slices.ContainsFunc(d.cfg.Images, known)
}

func (d *Driver) settleImage(i osImage, now time.Time) (osImage, error) {
	if i.Doing == idle || now.Before(i.Until) {
		return i, nil
	}
	whose := i.Name
	if i.Doing == capturing {
		whose = i.Desktop
	}
	err := d.fate(whose, i.Doing, i.Runs).err
	if i.Doing == unmaking {
		i.Gone = err == nil
	} else {
		i.Ready = err == nil
	}
	i.Doing, i.Until = idle, time.Time{}
	return i, err
}

// capture is the image that a desktop, which has just begun to be captured, becomes.
func (d *Driver) capture(x desktop, name string, now time.Time) *osImage {
	until := x.Until
	if x.Doing != capturing {
		until = now // it took no time
	}
	i, _ := d.settleImage(osImage{
		Name: name, Root: x.Disks.volume(Root), BuiltAt: until,
		Desktop: x.Spec.ID, Doing: capturing, Until: until, Runs: x.Runs,
	}, now)
	return &i
}

// captured is what has become of the image that a desktop is captured as, when that is
// over, or is abandoned: nil if it was not being captured.
func (d *Driver) captured(before, x desktop, now time.Time) *osImage {
	stored, ok := d.images[before.With.Image]
	if before.Doing != capturing || !ok || stored.Doing != capturing || stored.Desktop != x.Spec.ID {
		return nil
	}
	if x.Doing == capturing {
		return &osImage{Name: stored.Name, Gone: true}
	}
	i, _ := d.settleImage(*stored, now)
	return &i
}

// advanceImage takes an image as far through a method as the time allows.
func (d *Driver) advanceImage(name string, m method, from compute.ImageSource) (again time.Time, err error) {
	now := d.clock.Now()
	i := osImage{Name: name, Gone: true}
	if stored, ok := d.images[name]; ok {
		i = *stored
	}
	ours := i.Doing == m && (m != making || i.From == from)
	if ours && now.Before(i.Until) {
		// Where the clock has been set back, no later than if it had begun just now.
		if latest := now.Add(d.fate(name, m, i.Runs).takes); latest.Before(i.Until) {
			i.Until = latest
		}
		return i.Until, d.commitImage(i)
	}
	i, err = d.settleImage(i, now)
	if !ours {
		i.Doing, i.Until = idle, time.Time{}
		i, err = d.beginImage(i, m, from, now)
	}
	if failed := d.commitImage(i); failed != nil {
		return time.Time{}, failed
	}
	return i.Until, err
}

// beginImage takes an idle image into a method that it needs, and through it where that
// takes no time.
func (d *Driver) beginImage(i osImage, m method, from compute.ImageSource, now time.Time) (osImage, error) {
	switch {
	case m == making && i.usable():
		return i, nil
	case m == unmaking && !i.usable():
		i.Gone = true // nothing that took time to make
		return i, nil
	}
	until := now.Add(d.fate(i.Name, m, i.Runs+1).takes)
	next := i
	if m == making {
		root, err := d.rootOf(from, now, until)
		if err != nil {
			return i, err
		}
		next = osImage{Name: i.Name, Root: root, BuiltAt: until, From: from}
	}
	next.Doing, next.Until, next.Runs = m, until, i.Runs+1
	return d.settleImage(next, now)
}

// rootOf returns what the root volume of an image holds that is made from the source.
// Errors: ErrImage, ErrInvalid.
func (d *Driver) rootOf(from compute.ImageSource, now, until time.Time) (contents, error) {
	var root contents
	if from.Image != "" {
		i, ok := d.source(from.Image, now)
		if !ok {
			return nil, fmt.Errorf("%w: %q", compute.ErrImage, from.Image)
		}
		root = i.Root
	} else if err := checkArchive(from.RootFS); err != nil {
		return nil, err
	}
	if !from.Update {
		return root, nil
	}
	return root.with(UpdatedFile, []byte(until.UTC().Format(time.RFC3339)))
}

func checkArchive(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", compute.ErrImage, err)
	case err != nil:
		return fmt.Errorf("%w: %w", compute.ErrInvalid, err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%w: %s is not a file", compute.ErrInvalid, path)
	}
	return nil
}

// commitImage makes the image what i says, in the journal first. Errors: ErrUnavailable.
func (d *Driver) commitImage(i osImage) error {
	if _, ok := d.images[i.Name]; !ok && i.Gone {
		return nil
	}
	return d.record(entry{Image: &i})
}

func (d *Driver) putImage(i *osImage) {
	switch {
	case i == nil:
	case i.Gone:
		delete(d.images, i.Name)
	default:
		d.images[i.Name] = i
	}
}

// describeImages returns what the engine has, sorted by name.
func (d *Driver) describeImages() []compute.Image {
	now := d.clock.Now()
	described := slices.Clone(d.cfg.Images)
	for name := range d.images {
		if i := d.image(name, now); i.usable() {
			described = append(described, i.described())
		}
	}
	slices.SortFunc(described, func(a, b compute.Image) int { return cmp.Compare(a.Name, b.Name) })
	return described
}
