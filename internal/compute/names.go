package compute

import (
	"fmt"
	"regexp"
	"strings"
)

// ImagePrefix begins the name of every desktop image.
const ImagePrefix = "carrel/"

var (
	snapshotName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	imageName    = regexp.MustCompile(`^carrel/[a-z0-9]([a-z0-9._-]{0,98}[a-z0-9])?$`)
)

// CheckSnapshot returns an error wrapping ErrInvalid for a name that no snapshot can have.
func CheckSnapshot(name string) error {
	if !snapshotName.MatchString(name) {
		return fmt.Errorf("%w: %q is not the name of a snapshot", ErrInvalid, name)
	}
	return nil
}

// CheckImage returns an error wrapping ErrInvalid for a name that no image can be given.
func CheckImage(name string) error {
	if !imageName.MatchString(name) {
		return fmt.Errorf("%w: %q is not the name of a desktop image: %s, then letters, digits, hyphens", ErrInvalid, name, ImagePrefix)
	}
	return nil
}

// Check returns an error wrapping ErrInvalid unless the source is one of the two.
func (s ImageSource) Check() error {
	if (s.Image == "") == (s.RootFS == "") {
		return fmt.Errorf("%w: an image is made from another image or from a file", ErrInvalid)
	}
	return nil
}

// Check returns an error wrapping ErrInvalid for a script that cannot be run.
func (s Script) Check() error {
	switch {
	case !snapshotName.MatchString(s.Name):
		return fmt.Errorf("%w: %q is not the name of a script", ErrInvalid, s.Name)
	case s.Text == "" || len(s.Text) > MaxScript || strings.ContainsRune(s.Text+s.Argument, 0):
		return fmt.Errorf("%w: the script %s is empty, longer than %d bytes, or no text", ErrInvalid, s.Name, MaxScript)
	case s.Limit < 0 || s.Limit > MaxRun:
		return fmt.Errorf("%w: the script %s may take %v; %v is the most", ErrInvalid, s.Name, s.Limit, MaxRun)
	}
	return nil
}
