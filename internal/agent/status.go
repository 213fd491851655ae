package agent

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"time"

	"carrel/internal/clock"
)

// Phase is how far a desktop has come.
type Phase string

// The phases, of which a desktop that runs well has the first two.
const (
	PhaseStarting Phase = "starting" // the X server does not answer yet, or not again
	PhaseReady    Phase = "ready"    // the X server answers; the session runs or is about to
	PhaseFailed   Phase = "failed"   // nothing can run; Error says why, and only another configuration helps
	PhaseStopping Phase = "stopping"
)

// Status is what [StatusFile] holds, as JSON.
type Status struct {
	Phase   Phase     `json:"phase"`
	Since   time.Time `json:"since"`             // when the phase began
	Error   string    `json:"error,omitempty"`   // the last thing that went wrong; a desktop may run in spite of it
	Account string    `json:"account,omitempty"` // the Linux account of the user
	Display Program   `json:"display"`
	Session Program   `json:"session"`
	// SignOuts is how often the user has signed out since the desktop was started.
	SignOuts int `json:"signOuts,omitempty"`
}

// Program is the state of one of the two programs that make a desktop.
type Program struct {
	PID      int    `json:"pid"`      // 0 while it does not run
	Restarts int    `json:"restarts"` // how often it was started again since the desktop was
	LastExit string `json:"lastExit,omitempty"`
}

// started notes a start. Every one but the first is a restart.
func (p *Program) started(pid int) {
	if p.LastExit != "" {
		p.Restarts++
	}
	p.PID = pid
}

// exited notes an end, and how it came about.
func (p *Program) exited(how string) {
	p.PID = 0
	p.LastExit = how
}

// statusBoard keeps the status, and the file, up to date.
type statusBoard struct {
	path  string
	clock *clock.Clock

	mu     sync.Mutex
	status Status
}

// update changes the status and writes the file in one step, so that a reader sees the old one or the new one. A file
// that cannot be written is not worth stopping for: the desktop matters more than the report on it.
func (b *statusBoard) update(change func(*Status)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	phase := b.status.Phase
	change(&b.status)
	if b.status.Phase != phase {
		b.status.Since = b.clock.Now()
	}
	content, err := json.Marshal(b.status)
	if err != nil {
		return
	}
	next := filepath.Join(filepath.Dir(b.path), ".status.json")
	if os.WriteFile(next, append(content, '\n'), 0o644) == nil { //nolint:gosec // it is there to be read
		_ = os.Rename(next, b.path)
	}
}
