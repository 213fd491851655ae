package stream

import (
	"context"
	"errors"
	"fmt"

	"github.com/coder/websocket"

	"carrel/internal/compute"
	"carrel/internal/gateway"
	"carrel/internal/rfb"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// ending is why a stream ends: how its WebSocket is closed, what its user is told, and what
// went wrong, where something did.
type ending struct {
	code websocket.StatusCode
	text string // at most 123 bytes
	err  error
}

// String is for the log.
func (e ending) String() string {
	if e.err != nil {
		return fmt.Sprintf("%s (%v)", e.text, e.err)
	}
	return e.text
}

// takenOver is what a tab's user is told when another takes its place.
const takenOver = "Another tab has taken over this desktop."

func stopping() ending {
	return ending{code: websocket.StatusGoingAway, text: "Carrel is being restarted."}
}

// lost is the end of a line that has broken: whoever is still there may try again.
func lost(err error) ending {
	return ending{code: websocket.StatusTryAgainLater, text: "The line was lost.", err: err}
}

// away is the end of a desktop's side; see judge for what comes of it.
func away(text string, err error) ending {
	return ending{code: gateway.CutDesktop, text: text, err: err}
}

// judge makes the end of a desktop's side a lost line where the desktop should be there: a
// page asks for the reason at once, would be told that there is none, and come again at once.
func (s *Streams) judge(ctx context.Context, st *stream, e ending) ending {
	if e.code != gateway.CutDesktop {
		return e
	}
	err := s.Store.View(func(tx *store.Tx) error {
		state, err := tx.VisitState(context.WithoutCancel(ctx), st.Scope, st.Desktop.ID)
		if state.TakesVisits() {
			e.code = websocket.StatusTryAgainLater
		}
		return err
	})
	if err != nil {
		e.err = errors.Join(e.err, err)
	}
	return e
}

// errText is what a tab does that sends text.
var errText = fmt.Errorf("%w: a message of text", rfb.ErrProtocol)

// ofTab is the end that an error of the direction into the desktop means.
func ofTab(err error) ending {
	switch code := websocket.CloseStatus(err); {
	case rfb.IsWriteError(err):
		return away("The desktop does not answer.", err)
	case errors.Is(err, rfb.ErrProtocol):
		return ending{code: websocket.StatusPolicyViolation, text: "This tab does not speak as a desktop's should.", err: err}
	case code != -1:
		return ending{code: websocket.StatusNormalClosure, text: "The tab has left."}
	default:
		return lost(err)
	}
}

// ofDesktop is the end that an error of the direction out of the desktop means.
func ofDesktop(err error) ending {
	switch {
	case rfb.IsWriteError(err):
		return lost(err)
	case errors.Is(err, rfb.ErrProtocol):
		return away("The desktop does not speak as a screen should.", err)
	default:
		return away("The desktop has gone.", err)
	}
}

// closedError is what a WorkSpace gives that takes no visits.
type closedError struct{ state workspaces.State }

func (e closedError) Error() string {
	return fmt.Sprintf("the WorkSpace is %q", e.state)
}

// errTooMany is what one more tab gives that wants to share a desktop.
var errTooMany = errors.New("too many tabs show the desktop")

// ofOpening is the end of a stream that could not begin.
func ofOpening(err error) ending {
	_, closed := errors.AsType[closedError](err)
	switch {
	case errors.Is(err, errTooMany):
		return ending{code: gateway.CutAccess, text: "Too many tabs show this desktop. Close one of them.", err: err}
	case closed, errors.Is(err, compute.ErrNotRunning), errors.Is(err, compute.ErrNotFound):
		return away("The desktop does not run now.", err)
	case errors.Is(err, rfb.ErrProtocol):
		return away("The desktop does not speak as a screen should.", err)
	default:
		return away("The desktop does not answer.", err)
	}
}
