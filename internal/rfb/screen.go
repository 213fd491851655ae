package rfb

import (
	"image"
	"sync"
)

// Screen is what a Server shows: a picture that is replaced as a whole when
// anything changes. Many servers may show the same screen. All methods may be
// called from any goroutine.
type Screen struct {
	mu      sync.Mutex
	picture *image.RGBA
	changed chan struct{} // closed and replaced with the picture
}

// NewScreen returns a screen that shows a picture; see [Screen.Show].
func NewScreen(picture *image.RGBA) *Screen {
	s := &Screen{changed: make(chan struct{})}
	s.Show(picture)
	return s
}

// Show replaces the picture, which must not be written to any more. Its bounds
// begin at (0, 0) and give the screen's size: at most 65535 pixels on a side.
func (s *Screen) Show(picture *image.RGBA) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.picture = picture
	close(s.changed)
	s.changed = make(chan struct{})
}

// Picture returns what is shown, which must not be written to, and a channel that
// is closed when something else is.
func (s *Screen) Picture() (*image.RGBA, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.picture, s.changed
}

// difference returns the smallest rectangle outside of which two pictures of the
// same size are alike.
func difference(a, b *image.RGBA) image.Rectangle {
	var diff image.Rectangle
	size := b.Rect.Size()
	for y := range size.Y {
		rowA, rowB := a.Pix[y*a.Stride:][:4*size.X], b.Pix[y*b.Stride:][:4*size.X]
		if string(rowA) == string(rowB) {
			continue
		}
		left, right := 0, size.X
		for [4]byte(rowA[4*left:]) == [4]byte(rowB[4*left:]) {
			left++
		}
		for [4]byte(rowA[4*right-4:]) == [4]byte(rowB[4*right-4:]) {
			right--
		}
		diff = diff.Union(image.Rect(left, y, right, y+1))
	}
	return diff
}
