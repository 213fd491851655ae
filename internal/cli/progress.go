package cli

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"
)

// redraw is how often a line of progress is drawn again.
const redraw = 100 * time.Millisecond

// working runs f and meanwhile shows on standard error what is being done: a moving line with
// the time that has passed where that is a terminal, else a line for each step. f may report
// the step that it is at. Nothing of it reaches standard output, which scripts read.
func (s *shared) working(ctx context.Context, what string, f func(ctx context.Context, report func(step string)) error) error {
	file, live := terminal(s.Err)
	if !live {
		report := func(step string) { _, _ = fmt.Fprintf(s.Err, "%s: %s\n", what, step) }
		_, _ = fmt.Fprintln(s.Err, what)
		return f(ctx, report)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // lets go of a report that nobody reads any more
	steps, done := make(chan string), make(chan error, 1)
	go func() {
		done <- f(ctx, func(step string) {
			select {
			case steps <- step:
			case <-ctx.Done():
			}
		})
	}()
	tick := time.NewTicker(redraw) //nolint:forbidigo // the terminal's time, not the service's
	defer tick.Stop()
	started, step := s.clock.Now(), ""
	for turn := 0; ; turn++ {
		drawLine(file, turn, fmt.Sprintf("%s  %s  %s", what, minutes(s.clock.Now().Sub(started)), step))
		select {
		case step = <-steps:
		case <-tick.C:
		case err := <-done:
			_, _ = fmt.Fprint(file, "\r"+ansi.EraseLineRight)
			return err
		}
	}
}

// drawLine replaces the line of the terminal that the cursor is on.
func drawLine(file *os.File, turn int, text string) {
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		width = 80
	}
	wheel := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
	line := ansi.Truncate(string(wheel[turn%len(wheel)])+" "+text, width-1, "…")
	_, _ = fmt.Fprint(file, "\r"+line+ansi.EraseLineRight)
}

// minutes writes a duration as a clock shows it: 0:07, 12:30, 1:02:03.
func minutes(d time.Duration) string {
	seconds := int(d / time.Second)
	if seconds >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	}
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}
