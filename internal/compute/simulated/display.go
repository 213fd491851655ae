package simulated

import (
	"hash/fnv"
	"image"
	"image/color"
	"image/draw"
	"net"
	"slices"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"

	"carrel/internal/compute"
	"carrel/internal/rfb"
)

// The size of a screen that nobody has resized, and the bounds on resizing, in
// pixels; and how much typing a screen keeps, in bytes.
const (
	screenWidth, screenHeight = 1024, 768
	leastSide                 = 64
	mostWidth, mostHeight     = 3840, 2160
	mostTyped                 = 2048
)

// display is a desktop's screen while somebody looks at it. What is typed outlives it,
// in a file of the user volume.
type display struct {
	spec    compute.Desktop
	keep    func(typed []byte)
	streams map[net.Conn]struct{} // guarded by the driver's lock

	mu     sync.Mutex
	size   image.Point
	typed  []byte
	screen *rfb.Screen // nil until somebody wants to see it
}

// newDisplay returns the screen of a desktop, with what was typed before.
func (d *Driver) newDisplay(x desktop) *display {
	p := &display{spec: x.Spec, streams: make(map[net.Conn]struct{}), size: image.Pt(screenWidth, screenHeight)}
	p.keep = func(typed []byte) { d.keepTyped(p, typed) }
	if f, ok := x.Disks.volume(Home)[TypedFile]; ok {
		p.typed = last(f.bytes)
	}
	return p
}

// last is as much of a text as a screen keeps, in a copy.
func last(text []byte) []byte { return slices.Clone(text[max(len(text)-mostTyped, 0):]) }

// open returns the screen to look at.
func (p *display) open() *rfb.Screen {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.screen == nil {
		p.screen = rfb.NewScreen(p.picture())
	}
	return p.screen
}

// key types what a pressed key stands for.
func (p *display) key(k rfb.KeyEvent) {
	const backSpace, enter, keypadEnter = 0xff08, 0xff0d, 0xff8d // X11 keysyms
	if !k.Down {
		return
	}
	switch {
	case k.Key >= ' ' && k.Key <= '~':
		p.typing(func(typed []byte) []byte { return append(typed, byte(k.Key&0x7f)) })
	case k.Key == enter, k.Key == keypadEnter:
		p.typing(func(typed []byte) []byte { return append(typed, '\n') })
	case k.Key == backSpace:
		p.typing(func(typed []byte) []byte { return typed[:max(len(typed)-1, 0)] })
	}
}

// paste types what was copied on the other side.
func (p *display) paste(text []byte) {
	p.typing(func(typed []byte) []byte {
		for _, c := range text[max(len(text)-mostTyped, 0):] {
			if c == '\n' || (c >= ' ' && c <= '~') {
				typed = append(typed, c)
			}
		}
		return typed
	})
}

func (p *display) typing(edit func([]byte) []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.typed = last(edit(p.typed))
	p.keep(slices.Clone(p.typed))
	p.screen.Show(p.picture())
}

// retype shows what somebody else has made of what was typed.
func (p *display) retype(typed []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.typed = last(typed)
	if p.screen != nil {
		p.screen.Show(p.picture())
	}
}

// resize gives the screen another size, within the bounds.
func (p *display) resize(size image.Point) bool {
	if min(size.X, size.Y) < leastSide || size.X > mostWidth || size.Y > mostHeight {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.size = size
	p.screen.Show(p.picture())
	return true
}

// picture draws the screen: what the desktop is, and below it what was typed.
func (p *display) picture() *image.RGBA {
	// Drawn at half its size and then doubled, for the one font that x/image brings
	// is small.
	small := image.NewRGBA(image.Rect(0, 0, (p.size.X+1)/2, (p.size.Y+1)/2))
	draw.Draw(small, small.Rect, image.NewUniform(background(p.spec.ID)), image.Point{}, draw.Src)
	face := basicfont.Face7x13
	pen := font.Drawer{Dst: small, Src: image.White, Face: face}
	baseline := 2 * face.Height
	for _, line := range append(p.card(), p.lines(small.Rect.Dx()/face.Advance-4, small.Rect.Dy()/face.Height-12)...) {
		pen.Dot = fixed.P(2*face.Advance, baseline)
		pen.DrawString(line)
		baseline += face.Height
	}
	return double(small, p.size)
}

// card is the text that every simulated desktop shows.
func (p *display) card() []string {
	return []string{
		"Simulated desktop",
		"",
		"WorkSpace  " + p.spec.ID,
		"User       " + p.spec.User.Name,
		"Name       " + p.spec.User.FullName,
		"Computer   " + p.spec.ComputerName,
		"Address    " + p.spec.Address.String(),
		"Image      " + p.spec.Image,
		"State      running",
		"",
	}
}

// lines breaks what was typed into lines of a width, and returns the last ones.
func (p *display) lines(width, most int) []string {
	lines, line := []string{}, []byte("> ")
	for _, c := range p.typed {
		if c == '\n' || len(line) >= max(width, 3) {
			lines, line = append(lines, string(line)), []byte("  ")
		}
		if c != '\n' {
			line = append(line, c)
		}
	}
	lines = append(lines, string(line)+"_")
	return lines[max(len(lines)-max(most, 1), 0):]
}

// background is a desktop's own colour, dark enough for white text.
func background(id string) color.RGBA {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	sum := h.Sum32()
	return color.RGBA{R: uint8(sum & 0x7f), G: uint8(sum >> 8 & 0x7f), B: uint8(sum >> 16 & 0x7f), A: 255}
}

// double returns a picture at twice its size, cut to size.
func double(small *image.RGBA, size image.Point) *image.RGBA {
	big := image.NewRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		row := big.Pix[y*big.Stride:][:4*size.X]
		if y%2 == 1 {
			copy(row, big.Pix[(y-1)*big.Stride:])
			continue
		}
		from := small.Pix[y/2*small.Stride:]
		for x := range size.X {
			copy(row[4*x:4*x+4], from[4*(x/2):])
		}
	}
	return big
}
