package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"carrel/internal/workspaces"
)

// list makes WorkSpaces in these states, with the ids ws-0, ws-1 and so on.
func list(states ...workspaces.State) []listedWorkSpace {
	all := make([]listedWorkSpace, len(states))
	for i, s := range states {
		all[i] = listedWorkSpace{ID: fmt.Sprintf("ws-%d", i), User: fmt.Sprintf("user%d", i), State: s}
	}
	return all
}

func told(changes []change) string {
	var all []string
	for _, c := range changes {
		all = append(all, strings.TrimSpace(strings.Join(strings.Fields(c.line())[1:], " ")))
	}
	return strings.Join(all, "; ")
}

func TestABoardTellsChanges(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	first := list(workspaces.Pending, workspaces.Available)
	b := newBoard(start, first)
	if got := told(b.changes(first)); got != "ws-0 user0 PENDING; ws-1 user1 AVAILABLE" {
		t.Errorf("at first: got %s", got)
	}
	steps := []struct {
		list []listedWorkSpace
		want string
	}{
		{list(workspaces.Pending, workspaces.Available), ""},
		{list(workspaces.Available, workspaces.Stopping), "ws-0 user0 PENDING -> AVAILABLE after 1:00; ws-1 user1 AVAILABLE -> STOPPING after 1:00"},
		{list(workspaces.Available, workspaces.Stopping, workspaces.Pending), "ws-2 user2 PENDING"},
		{list(workspaces.Available), "ws-1 user1 STOPPING -> gone after 1:00; ws-2 user2 PENDING -> gone after 0:30"},
	}
	for i, step := range steps {
		got := b.observe(start.Add(time.Duration(i+1)*30*time.Second), step.list)
		if sorted := told(got); len(got) < 2 && sorted != step.want || !sameParts(sorted, step.want) {
			t.Errorf("step %d: got %s, want %s", i, sorted, step.want)
		}
	}
}

// sameParts compares without regard to the order, which is not promised for what has gone.
func sameParts(got, want string) bool {
	for part := range strings.SplitSeq(want, "; ") {
		if !strings.Contains(got, part) {
			return false
		}
	}
	return len(got) == len(want)
}

func TestABoardCountsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	b := newBoard(start, list(workspaces.Pending, workspaces.Pending, workspaces.Available))
	bars := func(after time.Duration, states ...workspaces.State) string {
		b.observe(start.Add(after), list(states...))
		var bars []string
		for line := range strings.Lines(ansi.Strip(b.draw(120, 30, "here", nil))) {
			if strings.Contains(line, "done") {
				bars = append(bars, strings.Join(strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \n█░", r) }), " "))
			}
		}
		return strings.Join(bars, "; ")
	}
	for _, step := range []struct{ got, want string }{
		{bars(5*time.Second, workspaces.Pending, workspaces.Available, workspaces.Available), "PENDING 1 of 2 done, longest 0:05"},
		{bars(9*time.Second, workspaces.Pending, workspaces.Stopping, workspaces.Available, workspaces.Pending), "PENDING 1 of 3 done, longest 0:09; STOPPING 0 of 1 done, longest 0:00"},
		{bars(9*time.Second, workspaces.Available, workspaces.Stopped, workspaces.Available, workspaces.Errored), ""},
		{bars(9*time.Second, workspaces.Available, workspaces.Stopped, workspaces.Available, workspaces.Pending), "PENDING 0 of 1 done, longest 0:00"},
	} {
		if step.got != step.want {
			t.Errorf("got %q, want %q", step.got, step.want)
		}
	}
}

func TestASmallScreenShowsWhatNeedsAttention(t *testing.T) {
	t.Parallel()
	states := make([]workspaces.State, 100)
	for i := range states {
		states[i] = workspaces.Available
	}
	states[70], states[80] = workspaces.Starting, workspaces.Errored
	all := list(states...)
	all[80].ErrorMessage = "no\nroom\x1b[2J left"
	b := newBoard(time.Now(), all)
	drawn := ansi.Strip(b.draw(90, 20, "http://127.0.0.1:8383", errors.New("lost")))
	lines := strings.Split(drawn, "\n")
	if len(lines) > 20 {
		t.Errorf("got %d lines on a screen of 20", len(lines))
	}
	for _, line := range lines {
		if ansi.StringWidth(line) > 90 {
			t.Errorf("a line of %d columns on a screen of 90: %s", ansi.StringWidth(line), line)
		}
	}
	for _, want := range []string{"ws-80", "no room [2J left", "ws-70", "STARTING", "more", "The last look failed: lost", "98 AVAILABLE"} {
		if !strings.Contains(drawn, want) {
			t.Errorf("%q is not shown: %s", want, drawn)
		}
	}
	if strings.Index(drawn, "ws-80") > strings.Index(drawn, "ws-0 ") {
		t.Error("the failure does not come first")
	}
}

func TestMinutes(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0:00", 7900 * time.Millisecond: "0:07", 12*time.Minute + 30*time.Second: "12:30", time.Hour + 2*time.Minute + 3*time.Second: "1:02:03",
	} {
		if got := minutes(d); got != want {
			t.Errorf("%s: got %s, want %s", d, got, want)
		}
	}
}
