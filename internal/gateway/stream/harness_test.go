package stream_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/compute/simulated"
	"carrel/internal/gateway"
	"carrel/internal/gateway/stream"
	"carrel/internal/rfb"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

const (
	desktopID   = "ws-jane00001"
	directoryID = "d-0123456789"
	patience    = 20 * time.Second
)

func here() workspaces.Scope {
	return workspaces.Scope{Account: "123456789012", Region: "eu-central-1"}
}

// house is Streams before a simulated engine with jane's desktop, behind a real server.
type house struct {
	*stream.Streams
	store    *store.Store
	clock    *clock.Clock // frozen
	engine   *simulated.Driver
	url      string
	database string
	stop     func()

	t      testing.TB
	mu     sync.Mutex
	visits int
	events []stream.Event
}

// open makes a house; change may replace what the Streams are made of.
func open(tb testing.TB, change ...func(*stream.Config)) *house {
	tb.Helper()
	return openOn(tb, storetest.SQLite(tb), change...)
}

func openOn(tb testing.TB, database string, change ...func(*stream.Config)) *house {
	tb.Helper()
	h := &house{t: tb, database: database, clock: clock.New()}
	h.clock.Freeze()
	var err error
	if h.store, err = store.Open(tb.Context(), database); err != nil {
		tb.Fatal(err)
	}
	if h.engine, err = simulated.Open(simulated.Config{AnyImage: true, Clock: h.clock}); err != nil {
		tb.Fatal(err)
	}
	_, err = h.engine.Create(tb.Context(), compute.Desktop{
		ID: desktopID, Image: "i", CPUs: 1, MemoryMiB: 1, RootGiB: 1, UserGiB: 1, Address: netip.MustParseAddr("10.0.0.5"),
		Subnet: compute.Subnet{Prefix: netip.MustParsePrefix("10.0.0.0/24")}, User: compute.User{Name: "jane"},
	})
	if err != nil {
		tb.Fatal(err)
	}
	h.furnish()
	config := stream.Config{
		Driver: h.engine, Store: h.store, Clock: h.clock, Real: clock.New(), Log: slog.New(slog.DiscardHandler), Observe: h.observe,
	}
	for _, c := range change {
		c(&config)
	}
	h.Streams = stream.New(config)
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	ran := make(chan struct{})
	go func() { defer close(ran); h.Run(ctx) }()
	h.stop = sync.OnceFunc(func() { cancel(); <-ran })
	server := httptest.NewServer(http.HandlerFunc(h.serve))
	h.url = server.URL
	tb.Cleanup(func() {
		h.stop()
		server.Close()
		if err := errors.Join(h.engine.Close(), h.store.Close()); err != nil {
			tb.Error(err)
		}
	})
	return h
}

// furnish writes the directory and the WorkSpace, unless another house on the database has.
func (h *house) furnish() {
	h.t.Helper()
	h.update(func(ctx context.Context, tx *store.Tx) error {
		if _, found, err := tx.WorkSpace(ctx, here(), desktopID); err != nil || found {
			return err
		}
		d := &workspaces.WorkspaceDirectory{
			Scope: here(), ID: directoryID, Type: "SIMPLE_AD", RegistrationCode: "WSfra+ABC123", Settings: workspaces.NewDirectorySettings(),
		}
		d.Enter(workspaces.Registered, h.clock.Now())
		if err := tx.InsertWorkspaceDirectory(ctx, d); err != nil {
			return err
		}
		w := &workspaces.WorkSpace{
			Scope: here(), ID: desktopID, DirectoryID: directoryID, UserName: "jane", State: workspaces.Available, ReadyAt: h.clock.Now(),
		}
		return tx.InsertWorkSpace(ctx, w)
	})
}

func (h *house) update(f func(ctx context.Context, tx *store.Tx) error) {
	h.t.Helper()
	ctx := context.WithoutCancel(h.t.Context())
	if err := h.store.Update(ctx, func(tx *store.Tx) error { return f(ctx, tx) }); err != nil {
		h.t.Fatal(err)
	}
}

// enter moves the WorkSpace to a state.
func (h *house) enter(state workspaces.State) {
	h.t.Helper()
	h.update(func(ctx context.Context, tx *store.Tx) error {
		w, _, err := tx.WorkSpace(ctx, here(), desktopID)
		if err != nil {
			return err
		}
		w.State = state
		_, err = tx.SaveWorkSpace(ctx, w, w.Generation)
		return err
	})
}

func (h *house) connection() (c workspaces.Connection) {
	h.t.Helper()
	err := h.store.View(func(tx *store.Tx) error {
		all, err := tx.Connections(h.t.Context(), here(), []string{desktopID})
		c = all[desktopID]
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return c
}

func (h *house) observe(e stream.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
}

// saw returns how often something has happened.
func (h *house) saw(kind stream.EventKind) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// serve lets everybody in, as the portal would.
func (h *house) serve(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.visits++
	id := fmt.Sprintf("visit-%p-%d", h, h.visits)
	h.mu.Unlock()
	desktop := r.URL.Query().Get("desktop")
	if desktop == "" {
		desktop = desktopID
	}
	h.Serve(w, r, gateway.Visit{
		Desktop: gateway.Desktop{Scope: here(), ID: desktop}, ID: id, DirectoryID: directoryID, User: "jane",
		Share: r.URL.Query().Has("share"), Rules: gateway.Rules{ClipboardIn: 99, ClipboardOut: 99},
	})
}

// await returns when what is wanted has come.
func (h *house) await(what string, come func() bool) {
	h.t.Helper()
	deadline := time.Now().Add(patience)
	for !come() {
		if time.Now().After(deadline) {
			h.t.Fatalf("waited in vain for: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// tab is a browser's end of a stream.
type tab struct {
	t    testing.TB
	ws   *websocket.Conn
	text chan string
	over chan websocket.CloseError

	mu   sync.Mutex
	said []byte // by the desktop, since the handshake
}

// dial opens a tab, and does nothing with it.
func (h *house) dial(query string, protocols ...string) *websocket.Conn {
	h.t.Helper()
	if len(protocols) == 0 {
		protocols = []string{"binary"}
	}
	if protocols[0] == "" {
		protocols = nil
	}
	ws, response, err := websocket.Dial(h.t.Context(), "ws"+strings.TrimPrefix(h.url, "http")+"/?"+query, &websocket.DialOptions{Subprotocols: protocols})
	if err != nil {
		h.t.Fatal(err)
	}
	if response.Body != nil {
		response.Body.Close()
	}
	ws.SetReadLimit(-1)
	h.t.Cleanup(func() { _ = ws.CloseNow() })
	return ws
}

// visit opens a tab that shakes hands and asks for the screen.
func (h *house) visit(query string, protocols ...string) *tab {
	h.t.Helper()
	x := h.listen(query, protocols...)
	x.say(rfb.SetPixelFormat{Format: trueColour()}, rfb.SetEncodings{Encodings: []int32{rfb.EncodingRaw, rfb.EncodingExtendedDesktopSize}})
	x.say(rfb.UpdateRequest{Area: image.Rect(0, 0, 16, 16)})
	h.await("the screen", func() bool { return x.heard() > 0 })
	return x
}

// listen opens a tab that shakes hands.
func (h *house) listen(query string, protocols ...string) *tab {
	h.t.Helper()
	x := &tab{t: h.t, ws: h.dial(query, protocols...), text: make(chan string, 99), over: make(chan websocket.CloseError, 1)}
	var hello []byte
	for range 2 {
		kind, b, err := x.ws.Read(h.t.Context())
		if err != nil || kind != websocket.MessageBinary {
			h.t.Fatalf("instead of a handshake: %v, %v", kind, err)
		}
		hello = append(hello, b...)
	}
	if !strings.HasPrefix(string(hello), "RFB 003.008\n\x01\x01\x00\x00\x00\x00") {
		h.t.Fatalf("the handshake is %q", hello)
	}
	if !strings.HasSuffix(string(hello), desktopID) { // and not what a desktop calls itself
		h.t.Errorf("the handshake ends with %q", hello[24:])
	}
	x.write([]byte("RFB 003.008\n\x01\x01"))
	go x.hear()
	return x
}

// hear collects what is said until the stream is over.
func (x *tab) hear() {
	for {
		kind, b, err := x.ws.Read(context.WithoutCancel(x.t.Context()))
		if err != nil {
			closed, ok := errors.AsType[websocket.CloseError](err)
			if !ok {
				closed = websocket.CloseError{Reason: err.Error()}
			}
			x.over <- closed
			return
		}
		if kind == websocket.MessageText {
			x.text <- string(b)
			continue
		}
		x.mu.Lock()
		x.said = append(x.said, b...)
		x.mu.Unlock()
	}
}

// heard returns how many bytes the desktop has said.
func (x *tab) heard() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.said)
}

func (x *tab) write(b []byte) {
	x.t.Helper()
	if err := x.ws.Write(x.t.Context(), websocket.MessageBinary, b); err != nil {
		x.t.Fatal(err)
	}
}

func (x *tab) say(messages ...rfb.ClientMessage) {
	x.t.Helper()
	var b []byte
	for _, m := range messages {
		b = m.AppendClient(b)
	}
	x.write(b)
}

// ends waits for the end of the stream, which must have the code and say why.
func (x *tab) ends(code websocket.StatusCode, says string) {
	x.t.Helper()
	select {
	case got := <-x.over:
		if got.Code != code || !strings.Contains(got.Reason, says) {
			x.t.Errorf("it ends with %d %q, want %d %q", got.Code, got.Reason, code, says)
		}
	case <-time.After(patience):
		x.t.Fatalf("it does not end with %d %q", code, says)
	}
}

// alive fails the test unless the desktop still answers this tab.
func (h *house) alive(x *tab) {
	h.t.Helper()
	before := x.heard()
	x.say(rfb.UpdateRequest{Area: image.Rect(0, 0, 9, 9)})
	h.await("an answer", func() bool { return x.heard() > before })
}

func trueColour() rfb.PixelFormat {
	return rfb.PixelFormat{
		BitsPerPixel: 32, Depth: 24, TrueColour: true, RedMax: 255, GreenMax: 255, BlueMax: 255, GreenShift: 8, BlueShift: 16,
	}
}

// scripted is an engine whose desktop does what a function says.
type scripted struct {
	compute.Driver
	screen func(conn net.Conn)
}

func (s scripted) Dial(context.Context, string) (net.Conn, error) {
	gatewaySide, desktop := net.Pipe()
	go s.screen(desktop)
	return gatewaySide, nil
}

// speaks replaces the engine by one whose desktop shakes hands, says what it is to, and then
// does what else there is.
func speaks(said []byte, then func(net.Conn)) func(*stream.Config) {
	return func(c *stream.Config) {
		c.Driver = scripted{c.Driver, func(conn net.Conn) {
			defer conn.Close()
			if !shakeHands(conn) {
				return
			}
			if _, err := conn.Write(said); err != nil {
				return
			}
			then(conn)
		}}
	}
}

// shakeHands is what a desktop says and hears at first.
func shakeHands(conn net.Conn) bool {
	init := append([]byte{0, 16, 0, 16, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0}, 0, 0, 0, 1, 'x')
	for _, step := range []struct {
		says  string
		hears int
	}{{"RFB 003.008\n", 12}, {"\x01\x01", 1}, {"\x00\x00\x00\x00", 1}, {string(init), 0}} {
		if _, err := io.WriteString(conn, step.says); err != nil {
			return false
		}
		if _, err := io.ReadFull(conn, make([]byte, step.hears)); err != nil {
			return false
		}
	}
	return true
}

// swallow reads until the end.
func swallow(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }
