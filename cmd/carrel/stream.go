package main

import (
	"errors"
	"io"
	"log/slog"
	"net/http"

	"github.com/coder/websocket"

	"carrel/internal/gateway"
)

// streams carries screens between WebSockets and the engine, byte by byte.
type streams struct {
	engine engine
	log    *slog.Logger
}

// Serve carries a desktop's screen until either side ends it.
func (s streams) Serve(w http.ResponseWriter, r *http.Request, v gateway.Visit) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"binary"}})
	if err != nil {
		return
	}
	screen, err := s.engine.driver.Dial(r.Context(), v.Desktop.ID)
	if err != nil {
		s.log.WarnContext(r.Context(), "a desktop does not answer", "workspace", v.Desktop.ID, "error", err)
		_ = ws.Close(websocket.StatusCode(gateway.CutDesktop), "The desktop does not answer.") //nolint:errcheck // the browser may have gone
		return
	}
	browser := websocket.NetConn(r.Context(), ws, websocket.MessageBinary)
	go func() {
		_, err := io.Copy(screen, browser)
		_ = errors.Join(err, screen.Close()) //nolint:errcheck // either side may have gone
	}()
	_, err = io.Copy(browser, screen)
	s.log.DebugContext(r.Context(), "a visit is over", "workspace", v.Desktop.ID, "error", err)
	_ = errors.Join(ws.Close(websocket.StatusCode(gateway.CutDesktop), "The desktop does not run any more."), screen.Close()) //nolint:errcheck // either side may have gone
}

// Visits is not known.
func (streams) Visits() []gateway.Visit { return nil }

// Cut has none to cut.
func (streams) Cut(string, string) {}

// SetRules has none to change.
func (streams) SetRules(string, gateway.Rules) {}
