package cli

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"carrel/internal/workspaces"
)

// watchScreen is the live table. It is a tea.Model.
type watchScreen struct {
	ctx           context.Context //nolint:containedctx // the model's interface passes none
	watch         *watch
	board         *board
	looking       bool
	err           error // of the last look
	width, height int
}

// tickMsg comes each second, lookMsg when a look is over.
type (
	tickMsg time.Time
	lookMsg struct {
		list []listedWorkSpace
		err  error
	}
)

// Init implements tea.Model.
func (*watchScreen) Init() tea.Cmd { return tick() }

func tick() tea.Cmd { return tea.Tick(watchEvery, func(t time.Time) tea.Msg { return tickMsg(t) }) }

// Update implements tea.Model.
func (w *watchScreen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		w.width, w.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		if slices.Contains([]string{"q", "esc", "ctrl+c"}, msg.String()) {
			return w, tea.Quit
		}
	case tickMsg:
		if w.looking { // the list is long or the server slow: one look at a time
			return w, tick()
		}
		w.looking = true
		return w, tea.Batch(tick(), func() tea.Msg {
			list, err := w.watch.look(w.ctx)
			return lookMsg{list, err}
		})
	case lookMsg:
		w.looking, w.err = false, msg.err
		if msg.err == nil {
			w.board.observe(w.watch.s.clock.Now(), msg.list)
		}
	}
	return w, nil
}

// View implements tea.Model.
func (w *watchScreen) View() tea.View {
	view := tea.NewView(w.board.draw(w.width, w.height, w.watch.r.endpoint, w.err))
	view.AltScreen = true
	return view
}

// draw draws the board on a screen of that size: a line that sums up, a bar for each kind of work
// that is under way, and as much of the table as there is room for.
func (b *board) draw(width, height int, endpoint string, err error) string {
	lines := []string{b.summary(endpoint), ""}
	if err != nil {
		lines[1] = paint(ansi.Red, "The last look failed: "+clean(err.Error()))
	}
	for _, state := range workspaces.States() {
		if wave, ok := b.waves[state]; ok {
			lines = append(lines, bar(state, len(wave.seen)-wave.left, len(wave.seen), b.longest(state)))
		}
	}
	if len(b.waves) > 0 {
		lines = append(lines, "")
	}
	lines = append(lines, b.table(height-len(lines)-2)...)
	lines = append(lines, "", ansi.NewStyle().Faint().Styled("q quits"))
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, width, "…")
	}
	return strings.Join(lines, "\n")
}

// summary counts the WorkSpaces by state.
func (b *board) summary(endpoint string) string {
	count := make(map[workspaces.State]int)
	for _, w := range b.list {
		count[w.State]++
	}
	parts := []string{fmt.Sprintf("WorkSpaces at %s: %d", endpoint, len(b.list))}
	for _, state := range workspaces.States() {
		if count[state] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[state], state))
		}
	}
	return strings.Join(parts, "   ") + "   " + b.now.Local().Format(time.TimeOnly)
}

// barWidth is how wide a whole bar is.
const barWidth = 24

// bar shows how many of a wave are through.
func bar(state workspaces.State, through, all int, longest time.Duration) string {
	full := barWidth * through / all
	return fmt.Sprintf("%-16s %s%s  %d of %d done, longest %s", state,
		paint(ansi.Yellow, strings.Repeat("█", full)), strings.Repeat("░", barWidth-full), through, all, minutes(longest))
}

// table returns the table's lines, at most as many as there is room for.
func (b *board) table(room int) []string {
	list, rest := b.list, 0
	if room = max(room, 3); len(list) > room-1 { // but the titles
		list = b.urgent()[:room-2]
		rest = len(b.list) - len(list)
	}
	var text bytes.Buffer
	titles := []string{"WORKSPACE", "USER", "STATE", "FOR", "COMPUTE", "MODE", "ADDRESS", "ERROR"}
	_ = printList(&text, formatTable, list, titles, func(w listedWorkSpace) []string { // a buffer takes everything
		return []string{w.ID, w.User, string(w.State), b.elapsed(w.ID), w.ComputeType, w.RunningMode, w.Address, w.problem()}
	})
	lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	lines[0] = ansi.NewStyle().Bold().Styled(lines[0])
	for i, w := range list {
		lines[i+1] = colour(w.State, lines[i+1])
	}
	if rest > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", rest))
	}
	return lines
}

// elapsed is how long the WorkSpace has been in its state; with a + where it was so before.
func (b *board) elapsed(id string) string {
	s := b.since[id]
	text := minutes(b.now.Sub(s.at))
	if !s.began {
		text += "+"
	}
	return text
}

// colour shows at a glance how it stands with a WorkSpace.
func colour(state workspaces.State, line string) string {
	if len(state.Running()) > 0 {
		return paint(ansi.Yellow, line)
	}
	switch state {
	case workspaces.Errored, workspaces.Unhealthy:
		return paint(ansi.Red, line)
	case workspaces.Available:
		return line
	default:
		return ansi.NewStyle().Faint().Styled(line)
	}
}

func paint(c ansi.BasicColor, text string) string {
	return ansi.NewStyle().ForegroundColor(c).Styled(text)
}
