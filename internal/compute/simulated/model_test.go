package simulated_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"carrel/internal/compute"
	"carrel/internal/compute/simulated"
)

// model is what the simulated engine does, told as plainly as possible: it moves
// every desktop along whenever time passes, where the engine only looks at a desktop
// when it is asked about it.
type model struct {
	now      time.Time
	capacity int
	goes     map[string]simulated.Behaviour // by method; Min is Max, Fail is 0 or 1
	desktops map[string]*modelDesktop
	images   map[string]*modelImage // by the id of the desktop that is captured so
}

// modelImage is an image that is there, or will be at the end of a capture, or until the
// end of its deletion.
type modelImage struct {
	ready    bool
	deleting bool
	until    time.Time
	ended    bool // its deletion, which failed or not, and nobody has asked since
	gone     bool
}

// modelVolumes are what a file on each of the volumes holds; nil: it is not there.
type modelVolumes struct{ root, home *string }

type modelDesktop struct {
	modelVolumes

	kept     *modelVolumes // the one snapshot
	rootKept bool
	ran      bool // before it was captured
	unwanted bool // what it is captured as was deleted meanwhile

	whole, running, broken bool
	doing                  string // or ""
	until                  time.Time
	ended                  string // what has ended since somebody last called
	err                    error  // what came of that
	gone                   bool
}

// pass moves the time, and all desktops and images with it.
func (m *model) pass(by time.Duration) {
	m.now = m.now.Add(by)
	for id, d := range m.desktops {
		if d.doing != "" && !m.now.Before(d.until) {
			m.end(id, d)
		}
	}
	for _, i := range m.images {
		if i.deleting && !m.now.Before(i.until) {
			i.deleting, i.ended, i.gone = false, true, m.goes["delete image"].Fail == 0
		}
	}
}

func (m *model) end(id string, d *modelDesktop) {
	did := d.doing
	d.doing, d.ended, d.err = "", did, nil
	if m.goes[did].Fail == 1 {
		d.err = compute.ErrFailed
		switch did {
		case "reboot":
			d.running = false
		case "snapshot":
			d.kept = nil
		}
		return
	}
	switch did {
	case "create", "start", "reboot", "rebuild", "restore":
		d.whole, d.running, d.broken = true, true, false
	case "stop":
		d.running = false
	case "delete":
		d.gone = true
	case "capture":
		d.running, d.ran, d.broken = d.ran, false, false
		if !d.unwanted {
			m.images[id] = &modelImage{ready: true}
		}
	}
}

// call calls a method and returns when to come back, or the error's kind.
func (m *model) call(method, id string) (again time.Time, err error) {
	if method == "delete image" {
		return m.deleteImage(id)
	}
	d := m.desktops[id]
	if d == nil {
		d = &modelDesktop{gone: true}
	}
	if method == "create" && d.whole && !d.gone && d.ended != "create" {
		method = "start"
	}
	if d.doing == method {
		return d.until, nil
	}
	if d.ended == method {
		d.ended = ""
		m.bury()
		return time.Time{}, d.err
	}
	d.doing, d.ended = "", ""
	if disturbs(method) && method != "capture" {
		d.ran = false
	}
	if todo, err := m.todo(d, method, id); err != nil || !todo {
		m.bury()
		return time.Time{}, err
	}
	d = m.begin(d, method, id)
	if m.goes[method].Min > 0 {
		return d.until, nil
	}
	m.end(id, d)
	d.ended = ""
	m.bury()
	return time.Time{}, d.err
}

// begin begins a method that has something to do. What it does to volumes is done at once.
func (m *model) begin(d *modelDesktop, method, id string) *modelDesktop {
	switch method {
	case "create":
		d = &modelDesktop{}
		m.desktops[id] = d
	case "delete":
		d.whole, d.running = false, false
	case "snapshot":
		kept := d.modelVolumes
		d.kept, d.rootKept = &kept, true
	case "drop snapshot":
		d.kept = nil
	case "rebuild":
		d.running, d.root, d.home, d.rootKept = false, nil, d.kept.home, false
	case "restore":
		d.running, d.modelVolumes = false, *d.kept
	case "capture":
		d.running, d.ran = false, d.ran || d.running
		d.unwanted = false
		delete(m.images, id)
	}
	d.doing, d.until = method, m.now.Add(m.goes[method].Min)
	return d
}

func (m *model) todo(d *modelDesktop, method, id string) (bool, error) {
	switch {
	case d.gone && (method == "delete" || method == "drop snapshot"):
		return false, nil
	case d.gone && method != "create":
		return false, compute.ErrNotFound
	case method == "stop":
		return d.running, nil
	case method == "delete":
		return true, nil
	case method == "drop snapshot":
		return d.kept != nil, nil
	case method == "rebuild" && d.kept == nil:
		return false, compute.ErrSnapshot
	case method != "create" && method != "rebuild" && !d.whole:
		return false, compute.ErrFailed
	case method == "snapshot":
		return d.kept == nil || !d.rootKept, nil
	case method == "restore" && (d.kept == nil || !d.rootKept):
		return false, compute.ErrSnapshot
	case method == "start" && d.running && d.broken:
		return false, compute.ErrFailed
	case method == "start" && d.running:
		return false, nil
	case method == "capture" && m.images[id].usable():
		return false, nil
	}
	needsPlace := method != "capture" || d.ran
	if m.capacity > 0 && needsPlace && !m.awake(d) && m.count() >= m.capacity {
		return false, compute.ErrCapacity
	}
	return true, nil
}

func disturbs(method string) bool {
	return method != "snapshot" && method != "drop snapshot" && method != ""
}

func (i *modelImage) usable() bool { return i != nil && i.ready && !i.gone }

// deleteImage deletes the image that a desktop was captured as.
func (m *model) deleteImage(id string) (time.Time, error) {
	goes, i := m.goes["delete image"], m.images[id]
	switch {
	case i == nil:
		if d := m.desktops[id]; d != nil && d.doing == "capture" {
			d.unwanted = true
		}
		return time.Time{}, nil
	case i.deleting:
		return i.until, nil
	case !i.ended:
		if i.gone {
			return time.Time{}, nil
		}
		i.deleting, i.until = true, m.now.Add(goes.Min)
		if goes.Min > 0 {
			return i.until, nil
		}
		i.deleting = false
	}
	i.ended = false
	if goes.Fail == 1 {
		return time.Time{}, compute.ErrFailed
	}
	delete(m.images, id)
	return time.Time{}, nil
}

// listImages returns the names of what About has to list, sorted.
func (m *model) listImages() []string {
	names := []string{testImage}
	for id, i := range m.images {
		if i.usable() {
			names = append(names, imageOf(id))
		}
	}
	slices.Sort(names)
	return names
}

// write writes into a volume.
func (m *model) write(id string, v simulated.Volume, text string) error {
	d := m.desktops[id]
	switch {
	case d == nil || d.gone || !d.whole:
		return compute.ErrNotFound
	case v == simulated.Root:
		d.root = &text
	default:
		d.home = &text
	}
	return nil
}

// read returns what a volume holds, or the error's kind.
func (m *model) read(id string, v simulated.Volume) (string, error) {
	d := m.desktops[id]
	if d == nil || d.gone || !d.whole {
		return "", compute.ErrNotFound
	}
	held := d.home
	if v == simulated.Root {
		held = d.root
	}
	if held == nil {
		return "", fs.ErrNotExist
	}
	return *held, nil
}

func (*model) awake(d *modelDesktop) bool {
	starting := []string{"create", "start", "reboot", "rebuild", "restore"}
	return !d.gone && (d.running || slices.Contains(starting, d.doing) || d.doing == "capture" && d.ran)
}

func (m *model) count() (n int) {
	for _, d := range m.desktops {
		if m.awake(d) {
			n++
		}
	}
	return n
}

// bury forgets desktops that are gone once nothing is to be told about them.
func (m *model) bury() {
	for id, d := range m.desktops {
		if d.gone && d.ended == "" {
			delete(m.desktops, id)
		}
	}
}

// touch breaks or mends a screen.
func (m *model) touch(id string, how string) error {
	if err := m.dial(id); err != nil && !errors.Is(err, compute.ErrUnavailable) {
		return err
	}
	m.desktops[id].broken = how == "break"
	m.desktops[id].ended = ""
	return nil
}

// dial returns the kind of error that Dial has to return.
func (m *model) dial(id string) error {
	d := m.desktops[id]
	switch {
	case d == nil || d.gone:
		return compute.ErrNotFound
	case !d.running || !d.whole || disturbs(d.doing):
		return compute.ErrNotRunning
	case d.broken:
		return compute.ErrUnavailable
	}
	return nil
}

// list returns what List has to return, in the order of the ids and without details.
func (m *model) list() []string {
	var all []string
	for id, d := range m.desktops {
		if !d.gone {
			all = append(all, machineLine(compute.Machine{
				ID: id, Running: d.running, Whole: d.whole, Answers: m.dial(id) == nil,
			}))
		}
	}
	slices.Sort(all)
	return all
}

func machineLine(m compute.Machine) string {
	return fmt.Sprintf("%s running=%t whole=%t answers=%t", m.ID, m.Running, m.Whole, m.Answers)
}
