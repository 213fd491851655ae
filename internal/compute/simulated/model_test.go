package simulated_test

import (
	"errors"
	"fmt"
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
}

type modelDesktop struct {
	whole, running, broken bool
	doing                  string // or ""
	until                  time.Time
	ended                  string // what has ended since somebody last called
	err                    error  // what came of that
	gone                   bool
}

// pass moves the time, and all desktops with it.
func (m *model) pass(by time.Duration) {
	m.now = m.now.Add(by)
	for _, d := range m.desktops {
		if d.doing != "" && !m.now.Before(d.until) {
			m.end(d)
		}
	}
}

func (m *model) end(d *modelDesktop) {
	did := d.doing
	d.doing, d.ended, d.err = "", did, nil
	if m.goes[did].Fail == 1 {
		d.err = compute.ErrFailed
		if did == "reboot" {
			d.running = false
		}
		return
	}
	switch did {
	case "create", "start", "reboot":
		d.whole, d.running, d.broken = true, true, false
	case "stop":
		d.running = false
	case "delete":
		d.gone = true
	}
}

// call calls a method and returns when to come back, or the error's kind.
func (m *model) call(method, id string) (again time.Time, err error) {
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
	if todo, err := m.todo(d, method); err != nil || !todo {
		m.bury()
		return time.Time{}, err
	}
	switch method {
	case "create":
		d = &modelDesktop{}
		m.desktops[id] = d
	case "delete":
		d.whole, d.running = false, false
	}
	d.doing, d.until = method, m.now.Add(m.goes[method].Min)
	if m.goes[method].Min > 0 {
		return d.until, nil
	}
	m.end(d)
	d.ended = ""
	m.bury()
	return time.Time{}, d.err
}

func (m *model) todo(d *modelDesktop, method string) (bool, error) {
	switch {
	case d.gone && method == "delete":
		return false, nil
	case d.gone && method != "create":
		return false, compute.ErrNotFound
	case method == "stop":
		return d.running, nil
	case method == "delete":
		return true, nil
	case method != "create" && !d.whole:
		return false, compute.ErrFailed
	case method == "start" && d.running && d.broken:
		return false, compute.ErrFailed
	case method == "start" && d.running:
		return false, nil
	}
	if m.capacity > 0 && !m.awake(d) && m.count() >= m.capacity {
		return false, compute.ErrCapacity
	}
	return true, nil
}

func (*model) awake(d *modelDesktop) bool {
	return !d.gone && (d.running || slices.Contains([]string{"create", "start", "reboot"}, d.doing))
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
	case !d.running || !d.whole || d.doing != "":
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
