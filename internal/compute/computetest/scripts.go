package computetest

import (
	"context"
	"strings"
	"time"

	"carrel/internal/compute"
)

func (s *suite) script(id, name, text string) call {
	return func(ctx context.Context) (time.Time, error) {
		return s.Driver.Run(ctx, id, compute.Script{Name: name, Text: text})
	}
}

// scripts runs scripts in a desktop, each once, through a restart of Carrel and one of the desktop.
func (s *suite) scripts() {
	const writes = "printf first >/root/" + note
	d := s.desktop()
	s.refuses("Run in no desktop", s.script(d.ID, "run-1", writes), compute.ErrNotFound)
	s.must("Create", s.create(d))
	s.mustTwice("Run", s.script(d.ID, "run-1", writes))
	s.holds(d.ID, "", "first")
	s.Write(s.T, d.ID, Root, note, "changed since")
	s.reopen()
	s.must("Run of what has been run", s.script(d.ID, "run-1", writes))
	s.holds(d.ID, "", "changed since")

	s.refuses("Run of a script that fails", s.script(d.ID, "run-2", "exit 3"), compute.ErrScript)
	s.refuses("Run of a script that has failed", s.script(d.ID, "run-2", "exit 3"), compute.ErrScript)
	s.must("Run after a failure", s.script(d.ID, "run-3", "printf third >/root/"+note))
	s.holds(d.ID, "", "third")

	for what, script := range map[string]compute.Script{
		"without a name":          {Text: writes},
		"with a bad name":         {Name: "../run", Text: writes},
		"without a text":          {Name: "run-4"},
		"with too long a text":    {Name: "run-4", Text: strings.Repeat("#", compute.MaxScript+1)},
		"with a limit below zero": {Name: "run-4", Text: writes, Limit: -1},
	} {
		s.refuses("Run "+what, func(ctx context.Context) (time.Time, error) { return s.Driver.Run(ctx, d.ID, script) }, compute.ErrInvalid)
	}

	s.must("Reboot", s.reboot(d.ID))
	s.must("Run of what was run before a reboot", s.script(d.ID, "run-3", writes))
	s.holds(d.ID, "", "third")
	s.must("Rebuild", s.rebuilds(d, ""))
	s.must("Run of what was run on the old root volume", s.script(d.ID, "run-3", "printf anew >/root/"+note))
	s.holds(d.ID, "", "anew")
	s.must("Stop", s.stop(d.ID))
	s.refuses("Run in a stopped desktop", s.script(d.ID, "run-5", writes), compute.ErrNotRunning)
}
