package workspaces

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

//go:generate go run ./lifecycledoc ../../docs/lifecycle.md

// LifecyclePage returns docs/lifecycle.md: the table of the lifecycle as a page to read.
func LifecyclePage() string {
	var b strings.Builder
	b.WriteString("# The life of a WorkSpace\n\n")
	b.WriteString("Generated from the table in `internal/workspaces/lifecycle.go` by `go generate`; do not edit.\n\n")
	b.WriteString("An action may begin in the states under *from*. Its job runs in *during* and ends in *done*, or in *failed* once it\n")
	b.WriteString("has been given up, at the latest after *within*. Actions without *during* happen at once; *as before* is the state in\n")
	b.WriteString("which the action began.\n\n")
	b.WriteString("| action | from | during | done | failed | within | why |\n|---|---|---|---|---|---|---|\n")
	for _, t := range lifecycle {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", t.Action, stateNames(t.From), stateName(t.During), stateName(t.Done),
			failedName(t), within(t.Within), t.Why)
	}
	b.WriteString("\n## By state\n\n| state | what may begin | what is running |\n|---|---|---|\n")
	for _, s := range States() {
		var may []string
		for _, t := range lifecycle {
			if slices.Contains(t.From, s) {
				may = append(may, string(t.Action))
			}
		}
		var running []string
		for _, a := range s.Running() {
			running = append(running, string(a))
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", s, strings.Join(may, ", "), strings.Join(running, " or "))
	}
	return b.String()
}

func stateNames(states []State) string {
	names := make([]string, len(states))
	for i, s := range states {
		names[i] = stateName(s)
	}
	return strings.Join(names, ", ")
}

func stateName(s State) string {
	if s == Absent {
		return "–"
	}
	return string(s)
}

func failedName(t Transition) string {
	if t.During == Absent {
		return "–"
	}
	return stateName(t.Failed)
}

func within(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	return strings.TrimSuffix(d.String(), "0s")
}
