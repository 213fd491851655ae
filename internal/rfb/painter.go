package rfb

import (
	"bufio"
	"image"
)

// painter sends a screen's picture to one client and remembers what that has seen.
type painter struct {
	w     *bufio.Writer
	size  image.Point     // of the client's screen
	last  *image.RGBA     // the picture that stale is reckoned from; nil: all is stale
	stale image.Rectangle // where the client has not seen it
	row   []byte
}

// paint answers the client's requests until done is closed or the connection fails.
func (c *session) paint(p *painter, done <-chan struct{}) {
	for {
		picture, changed := c.screen.Picture()
		p.compare(picture)
		if a, ok := c.due(p, picture); ok {
			if err := p.update(a, picture); err != nil {
				return // the connection's end, which the listener reports
			}
			continue
		}
		select {
		case <-c.wake:
		case <-changed:
		case <-done:
			return
		}
	}
}

// due takes what is asked when there is an answer to it: a whole area at once, and
// an incremental one as soon as something in it is stale.
func (c *session) due(p *painter, picture *image.RGBA) (asked, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := &c.asked
	if p.size != picture.Rect.Size() && a.layouts && !a.layout {
		a.layout, a.by, a.status = true, 0, 0
	}
	resized := p.size != picture.Rect.Size() && a.resizable
	if !a.pending || (a.incremental && !a.layout && !resized && !p.stale.Overlaps(a.area)) {
		return asked{}, false
	}
	taken := *a
	a.pending, a.layout, a.by, a.status = false, false, 0, 0
	return taken, true
}

// compare adds to stale what differs between the picture and the one before.
func (p *painter) compare(picture *image.RGBA) {
	switch {
	case p.last == picture:
		return
	case p.last == nil || p.last.Rect != picture.Rect:
		p.stale = picture.Rect
	default:
		p.stale = p.stale.Union(difference(p.last, picture))
	}
	// A client that cannot follow a new size sees what fits on its own screen.
	p.stale = p.stale.Intersect(image.Rectangle{Max: p.size})
	p.last = picture
}

// update sends one update: the screen's layout where it is owed, else the new size
// where there is one, else pixels. After a new size the client asks again.
func (p *painter) update(a asked, picture *image.RGBA) error {
	size := picture.Rect.Size()
	switch {
	case a.layout:
		p.size, p.stale = size, picture.Rect
		b := Update{Rectangles: 1}.AppendServer(nil)
		place := image.Pt(a.by, a.status)
		header := RectangleHeader{Area: image.Rectangle{place, place.Add(size)}, Encoding: EncodingExtendedDesktopSize}
		b = append(header.Append(b), 1, 0, 0, 0)
		_, _ = p.w.Write(ScreenLayout{Area: picture.Rect}.append(b))
	case size != p.size && a.resizable:
		p.size, p.stale = size, picture.Rect
		b := Update{Rectangles: 1}.AppendServer(nil)
		_, _ = p.w.Write(RectangleHeader{Area: picture.Rect, Encoding: EncodingDesktopSize}.Append(b))
	default:
		p.pixels(a, picture)
	}
	return p.w.Flush() // which also returns the error of a write before it
}

func (p *painter) pixels(a asked, picture *image.RGBA) {
	area := a.area.Intersect(picture.Rect).Intersect(image.Rectangle{Max: p.size})
	if a.incremental {
		area = area.Intersect(p.stale)
	}
	p.stale = without(p.stale, a.area)
	if area.Empty() {
		_, _ = p.w.Write(Update{}.AppendServer(nil))
		return
	}
	b := Update{Rectangles: 1}.AppendServer(nil)
	_, _ = p.w.Write(RectangleHeader{Area: area, Encoding: EncodingRaw}.Append(b))
	for y := area.Min.Y; y < area.Max.Y; y++ {
		p.row = a.format.appendPixels(p.row[:0], picture, image.Rect(area.Min.X, y, area.Max.X, y+1))
		if _, err := p.w.Write(p.row); err != nil {
			return
		}
	}
}

// without returns the smallest rectangle that holds what of r is outside of s.
func without(r, s image.Rectangle) image.Rectangle {
	switch s = s.Intersect(r); {
	case s == r:
		return image.Rectangle{}
	case s.Empty():
	case s.Dx() == r.Dx() && s.Min.Y == r.Min.Y:
		r.Min.Y = s.Max.Y
	case s.Dx() == r.Dx() && s.Max.Y == r.Max.Y:
		r.Max.Y = s.Min.Y
	case s.Dy() == r.Dy() && s.Min.X == r.Min.X:
		r.Min.X = s.Max.X
	case s.Dy() == r.Dy() && s.Max.X == r.Max.X:
		r.Max.X = s.Min.X
	}
	return r
}
