package computetest

import (
	"path/filepath"
	"slices"

	"carrel/internal/compute"
)

// lists tells whether About tells of an image.
func (s *suite) lists(image string) bool {
	s.Helper()
	about, err := s.Driver.About(s.Context())
	if err != nil {
		s.Fatalf("About: %v", err)
	}
	return slices.ContainsFunc(about.Images, func(i compute.Image) bool { return i.Name == image })
}

// knows fails the test unless About tells of an image.
func (s *suite) knows(image string) {
	s.Helper()
	if !s.lists(image) {
		s.Errorf("About does not list %s", image)
	}
}

// forgot fails the test if About tells of an image.
func (s *suite) forgot(image string) {
	s.Helper()
	if s.lists(image) {
		s.Errorf("About still lists %s", image)
	}
}

// of makes a desktop of an image, looks at it and removes it.
func (s *suite) of(image, root string) {
	s.Helper()
	d := s.desktop()
	d.Image = image
	s.must("Create of a new image", s.create(d))
	s.holds(d.ID, "", root)
	s.must("Delete", s.destroy(d.ID))
}

// capture makes images of a desktop that runs, and of one that does not.
func (s *suite) capture() {
	d, image := s.desktop(), s.image()
	s.must("Create", s.create(d))
	s.write(d.ID, "private", "captured")
	s.must("Snapshot", s.snapshot(d.ID, "s-1", true))
	s.refuses("Capture under a bad name", s.captures(d.ID, "somebody's/image"), compute.ErrInvalid)
	held := s.dial(d.ID)
	s.must("Capture", s.captures(d.ID, image))
	s.ends(held)
	s.holds(d.ID, "private", "captured")
	s.write(d.ID, "private", "too late")
	s.must("Capture, called twice", s.captures(d.ID, image))
	s.holds(d.ID, "private", "too late")
	s.reopen()
	s.knows(image)
	s.of(image, "captured")

	other := s.image()
	s.must("Stop", s.stop(d.ID))
	s.mustTwice("Capture of a stopped desktop", s.captures(d.ID, other))
	s.stopped(d.ID)
	s.of(other, "too late")

	d.Image = image
	s.must("Rebuild with a captured image", s.rebuilds(d, ""))
	s.holds(d.ID, "private", "captured")
	s.mustTwice("DeleteImage of one in use", s.deleteImage(image))
	s.forgot(image)
	s.must("Reboot of a desktop whose image is gone", s.reboot(d.ID))
	s.holds(d.ID, "private", "captured")
	s.refuses("Rebuild with an image that is gone", s.rebuilds(d, ""), compute.ErrImage)
	s.holds(d.ID, "private", "captured")
}

// images makes images from each kind of source.
func (s *suite) images() {
	first, second, updated, file := s.image(), s.image(), s.image(), s.image()
	for what, refusal := range map[string]struct {
		name string
		from compute.ImageSource
		want error
	}{
		"no image":     {first, compute.ImageSource{Image: "carrel/no-such-image"}, compute.ErrImage},
		"no file":      {first, compute.ImageSource{RootFS: filepath.Join(s.TempDir(), "none")}, compute.ErrImage},
		"a folder":     {first, compute.ImageSource{RootFS: s.TempDir()}, compute.ErrInvalid},
		"nothing":      {first, compute.ImageSource{}, compute.ErrInvalid},
		"two things":   {first, compute.ImageSource{Image: s.Desktop.Image, RootFS: s.RootFS}, compute.ErrInvalid},
		"a bad name":   {"somebody's/image", compute.ImageSource{Image: s.Desktop.Image}, compute.ErrInvalid},
		"an odd alias": {"carrel/../x", compute.ImageSource{Image: s.Desktop.Image}, compute.ErrInvalid},
	} {
		s.refuses("MakeImage from "+what, s.makeImage(refusal.name, refusal.from), refusal.want)
	}

	s.mustTwice("MakeImage from an image", s.makeImage(first, compute.ImageSource{Image: s.Desktop.Image}))
	s.mustTwice("MakeImage from a made one", s.makeImage(second, compute.ImageSource{Image: first}))
	s.reopen()
	s.mustTwice("DeleteImage", s.deleteImage(first))
	s.forgot(first)
	s.knows(second)
	s.knows(s.Desktop.Image)
	s.of(second, "")
	gone := s.desktop()
	gone.Image = first
	s.refuses("Create of a deleted image", s.create(gone), compute.ErrImage)

	s.mustTwice("MakeImage with an update", s.makeImage(updated, compute.ImageSource{Image: second, Update: true}))
	d := s.desktop()
	d.Image = updated
	s.must("Create of an updated image", s.create(d))
	if s.Read(s.T, d.ID, Root, UpdatedFile) == "" {
		s.Error("the updated image is not up to date")
	}

	s.mustTwice("MakeImage from a file", s.makeImage(file, compute.ImageSource{RootFS: s.RootFS}))
	s.reopen()
	s.of(file, "")
	// What the engine shares with others is not this installation's to delete.
	s.mustTwice("DeleteImage of the public image", s.deleteImage(s.Desktop.Image))
	s.knows(s.Desktop.Image)
}
