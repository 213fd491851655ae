package gateway_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"carrel/internal/gateway"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// leavable is a house with a pool, whose users can sign out inside the desktop.
func leavable(t *testing.T) (*house, *channels) {
	t.Helper()
	beside := &channels{left: make(chan struct{})}
	return pooled(t, func(c *gateway.Config) { c.Channels = beside }), beside
}

// connected joins the pool and opens its desktop.
func (h *house) connected(b *browser) *websocket.Conn {
	h.Helper()
	ticket, said := b.ticket(lab, "start", "yes")
	way, status := b.connect(lab, ticket)
	if status != http.StatusSwitchingProtocols {
		h.Fatalf("%d: %v", status, said)
	}
	return way
}

// awaitSession waits until the session on the only desktop is what it should be; "": there is none.
func (h *house) awaitSession(want workspaces.PoolSessionState) {
	h.Helper()
	var state workspaces.PoolSessionState
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		changed := h.store.Changed()
		h.update(func(tx *store.Tx) error {
			s, found, err := tx.PoolSessionOn(h.Context(), here(), "pd-one")
			if state = ""; found {
				state = s.State
			}
			return err
		})
		if state == want {
			return
		}
		select {
		case <-changed:
		case <-time.After(100 * time.Millisecond):
		}
	}
	h.Fatalf("the session is %q, want %q", state, want)
}

// TestSigningOutInsideADesktop ends the session in the pool, and tells every tab why.
func TestSigningOutInsideADesktop(t *testing.T) {
	t.Parallel()
	h, beside := leavable(t)
	jane := h.signedIn("jane")
	one, two := h.connected(jane), h.connected(jane)
	h.awaitSession(workspaces.PoolSessionActive)
	beside.left <- struct{}{}
	for _, way := range []*websocket.Conn{one, two} {
		if _, _, err := way.Read(t.Context()); websocket.CloseStatus(err) != gateway.CutLeft {
			t.Errorf("the stream ends with %v", err)
		}
	}
	h.awaitSession(workspaces.PoolSessionEnding)
	beside.left <- struct{}{} // the other tab hears of it too, and nothing comes of that
	jane.get("/desktops").want(t, http.StatusOK, "Ending")
}

// TestSigningOutAndClosingTheTab does both at once.
func TestSigningOutAndClosingTheTab(t *testing.T) {
	t.Parallel()
	h, beside := leavable(t)
	way := h.connected(h.signedIn("jane"))
	if err := way.CloseNow(); err != nil {
		t.Fatal(err)
	}
	beside.left <- struct{}{}
	h.awaitSession(workspaces.PoolSessionEnding)
}

// TestWhereNobodyHearsOfSignOuts leaves desktops of old images, and those that are no pool's, as they are.
func TestWhereNobodyHearsOfSignOuts(t *testing.T) {
	t.Parallel()
	h := pooled(t, func(c *gateway.Config) { c.Channels = &channels{} })
	way := h.connected(h.signedIn("jane"))
	if err := way.Write(t.Context(), websocket.MessageBinary, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := way.Read(t.Context()); string(got) != "hello" {
		t.Errorf("%q, %v", got, err)
	}
	h.awaitSession(workspaces.PoolSessionActive)

	beside := &channels{left: make(chan struct{})}
	own := open(t, func(c *gateway.Config) { c.Channels = beside })
	jane := own.signedIn("jane")
	ticket, _ := jane.ticket(janes)
	if _, status := jane.connect(janes, ticket); status != http.StatusSwitchingProtocols {
		t.Fatal(status)
	}
	select {
	case beside.left <- struct{}{}:
		t.Error("it is asked of a WorkSpace whether its user has signed out")
	case <-time.After(50 * time.Millisecond): // nothing is to happen
	}
}
