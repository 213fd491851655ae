package sidechannel

import (
	"errors"
	"net/http"
	"slices"
	"time"
)

// Folder is one of the folders of a home that files are put into and taken from. Its value is what the protocol calls
// it; where it lies, and under which name, is the desktop's matter.
type Folder string

// The folders.
const (
	Desktop   Folder = "Desktop"
	Downloads Folder = "Downloads"
	Documents Folder = "Documents"
)

// Folders returns all of them.
func Folders() []Folder { return []Folder{Desktop, Downloads, Documents} }

// Valid tells whether it is one of them.
func (f Folder) Valid() bool { return slices.Contains(Folders(), f) }

// File is a file that lies directly in one of the folders.
type File struct {
	Folder   Folder    `json:"folder"`
	Name     string    `json:"name"`
	Size     int64     `json:"size"` // in bytes
	Modified time.Time `json:"modified"`
}

// Listing is what a desktop has to take.
type Listing struct {
	Files []File `json:"files"` // the latest first
	More  bool   `json:"more"`  // there are more, and older ones
}

// MaxListed is how many files a Listing has at most.
const MaxListed = 500

// What sound is: signed 16-bit little-endian samples, left and right in turn.
const (
	SampleRate  = 48000
	Channels    = 2
	FrameBytes  = 2 * Channels // a sample of each channel
	SecondBytes = SampleRate * FrameBytes
)

// The errors of files. Both ends know them, by the statuses below.
var (
	ErrName     = errors.New("not the name of a file")
	ErrNoFile   = errors.New("no such file")
	ErrDenied   = errors.New("the desktop's user may not do this")
	ErrTooLarge = errors.New("the file is too large")
	ErrNoRoom   = errors.New("no room left in the user volume")
	ErrTaken    = errors.New("too many files have this name")
)

// wire gives each error its HTTP status.
func wire() []struct {
	err    error
	status int
} {
	return []struct {
		err    error
		status int
	}{
		{ErrName, http.StatusBadRequest},
		{ErrNoFile, http.StatusNotFound},
		{ErrDenied, http.StatusForbidden},
		{ErrTooLarge, http.StatusRequestEntityTooLarge},
		{ErrNoRoom, http.StatusInsufficientStorage},
		{ErrTaken, http.StatusConflict},
	}
}

// statusOf returns the status that says an error, 500 for one that the protocol has no word for.
func statusOf(err error) int {
	for _, w := range wire() {
		if errors.Is(err, w.err) {
			return w.status
		}
	}
	return http.StatusInternalServerError
}

// errorOf returns the error that a status says, nil for one that says none of the protocol's.
func errorOf(status int) error {
	for _, w := range wire() {
		if w.status == status {
			return w.err
		}
	}
	return nil
}
