package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	wstypes "github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	"carrel/internal/workspaces"
)

// listedWorkSpace is a WorkSpace as watch --once --output json prints it.
type listedWorkSpace struct {
	ID           string           `json:"workspace_id"`
	DirectoryID  string           `json:"directory_id"`
	User         string           `json:"user"`
	State        workspaces.State `json:"state"`
	ComputeType  string           `json:"compute_type"`
	RunningMode  string           `json:"running_mode"`
	Address      string           `json:"ip_address,omitempty"`
	ErrorCode    string           `json:"error_code,omitempty"`
	ErrorMessage string           `json:"error_message,omitempty"`
}

func listed(w *wstypes.Workspace) listedWorkSpace {
	row := listedWorkSpace{
		ID: aws.ToString(w.WorkspaceId), DirectoryID: aws.ToString(w.DirectoryId), User: aws.ToString(w.UserName),
		State: workspaces.State(w.State), Address: aws.ToString(w.IpAddress),
		ErrorCode: aws.ToString(w.ErrorCode), ErrorMessage: aws.ToString(w.ErrorMessage),
	}
	if p := w.WorkspaceProperties; p != nil {
		row.ComputeType, row.RunningMode = string(p.ComputeTypeName), string(p.RunningMode)
	}
	return row
}

// printWorkSpaces prints WorkSpaces as they are now.
func printWorkSpaces(w io.Writer, f format, list []listedWorkSpace) error {
	return printList(w, f, list, []string{"WORKSPACE", "USER", "STATE", "COMPUTE", "MODE", "ADDRESS", "ERROR"}, func(w listedWorkSpace) []string {
		return []string{w.ID, w.User, string(w.State), w.ComputeType, w.RunningMode, w.Address, w.problem()}
	})
}

// problem is why the WorkSpace is in ERROR.
func (w listedWorkSpace) problem() string {
	return strings.TrimSpace(w.ErrorCode + " " + w.ErrorMessage)
}

// board is what watching has shown so far.
type board struct {
	now   time.Time // of the last look
	list  []listedWorkSpace
	since map[string]sighting // by WorkSpace id
	waves map[workspaces.State]*wave
}

// sighting is since when a WorkSpace has been seen in its state.
type sighting struct {
	listedWorkSpace
	at    time.Time
	began bool // it was seen to come into the state; false: it was in it at the first look
}

// wave is work of one kind that is under way together: the WorkSpaces that have been seen in
// a passing state since there was none in it.
type wave struct {
	seen map[string]bool
	left int // are still in the state
}

// change is a WorkSpace that has come into a state.
type change struct {
	listedWorkSpace
	at    time.Time
	from  workspaces.State // Absent: it is new
	after time.Duration    // it was in the state before, as far as seen
}

// newBoard begins with the first look.
func newBoard(now time.Time, list []listedWorkSpace) *board {
	b := &board{since: make(map[string]sighting), waves: make(map[workspaces.State]*wave)}
	b.observe(now, list)
	for id, s := range b.since {
		s.began = false
		b.since[id] = s
	}
	return b
}

// changes tells the WorkSpaces of the first look as if they had just come.
func (b *board) changes(list []listedWorkSpace) []change {
	changes := make([]change, len(list))
	for i, w := range list {
		changes[i] = change{listedWorkSpace: w, at: b.now}
	}
	return changes
}

// observe takes in another look and returns what has changed since the last.
func (b *board) observe(now time.Time, list []listedWorkSpace) []change {
	b.now, b.list = now, list
	var changes []change
	here := make(map[string]bool, len(list))
	for _, w := range list {
		here[w.ID] = true
		before, known := b.since[w.ID]
		if known && before.State == w.State {
			continue
		}
		c := change{listedWorkSpace: w, at: now}
		if known {
			c.from, c.after = before.State, now.Sub(before.at)
		}
		changes = append(changes, c)
		b.since[w.ID] = sighting{listedWorkSpace: w, at: now, began: true}
	}
	for id, before := range b.since {
		if !here[id] {
			gone := before.listedWorkSpace
			gone.State = workspaces.Absent
			changes = append(changes, change{listedWorkSpace: gone, at: now, from: before.State, after: now.Sub(before.at)})
			delete(b.since, id)
		}
	}
	b.count()
	return changes
}

// count brings the waves up to the last look.
func (b *board) count() {
	for _, w := range b.waves {
		w.left = 0
	}
	for _, s := range b.list {
		if len(s.State.Running()) == 0 {
			continue
		}
		w, known := b.waves[s.State]
		if !known {
			w = &wave{seen: make(map[string]bool)}
			b.waves[s.State] = w
		}
		w.seen[s.ID] = true
		w.left++
	}
	for state, w := range b.waves {
		if w.left == 0 {
			delete(b.waves, state)
		}
	}
}

// line tells a change to a file or a pipe.
func (c change) line() string {
	state := string(cmp.Or(c.State, "gone"))
	if c.from != workspaces.Absent {
		state = fmt.Sprintf("%s -> %s after %s", c.from, state, minutes(c.after))
	}
	line := strings.Join([]string{c.at.Local().Format(time.TimeOnly), c.ID, c.User, state, c.Address, c.problem()}, "  ")
	return strings.TrimRight(clean(line), " ") + "\n"
}

// longest is how long the WorkSpace that has been in the state for the longest has been so, as
// far as seen.
func (b *board) longest(state workspaces.State) time.Duration {
	var most time.Duration
	for _, s := range b.since {
		if s.State == state {
			most = max(most, b.now.Sub(s.at))
		}
	}
	return most
}

// urgent is the list with what needs attention first: failures, then work under way.
func (b *board) urgent() []listedWorkSpace {
	rank := func(w listedWorkSpace) int {
		switch {
		case w.State == workspaces.Errored, w.State == workspaces.Unhealthy:
			return 0
		case len(w.State.Running()) > 0:
			return 1
		default:
			return 2
		}
	}
	return slices.SortedStableFunc(slices.Values(b.list), func(x, y listedWorkSpace) int { return cmp.Compare(rank(x), rank(y)) })
}
