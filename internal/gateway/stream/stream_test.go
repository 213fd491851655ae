package stream_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"

	"carrel/internal/clock"
	"carrel/internal/gateway"
	"carrel/internal/gateway/stream"
	"carrel/internal/rfb"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// TestStream types on a simulated desktop and sees it, and what is noted of that.
func TestStream(t *testing.T) {
	t.Parallel()
	h := open(t)
	began := h.clock.Now().Truncate(time.Microsecond)
	if c := h.connection(); c != (workspaces.Connection{}) {
		t.Errorf("before: %+v", c)
	}
	x := h.visit("")
	if c := h.connection(); !c.Connected || !c.ConnectedAt.Equal(began) {
		t.Errorf("while it is carried: %+v", c)
	}
	visits := h.Visits()
	if len(visits) != 1 || visits[0].User != "jane" {
		t.Fatalf("visits: %+v", visits)
	}
	if at, found := h.LastInput(visits[0].ID); !found || !at.Equal(began) {
		t.Errorf("input at %v, %v; nobody has done anything since they came at %v", at, found, began)
	}
	h.advance(time.Minute)

	// What is typed changes the picture, and is known as input.
	before := x.heard()
	x.say(rfb.KeyEvent{Down: true, Key: 'x'}, rfb.UpdateRequest{Incremental: true, Area: image.Rect(0, 0, 1024, 768)})
	h.await("the key's picture", func() bool { return x.heard() > before })
	if at, found := h.LastInput(visits[0].ID); !found || at.Before(began.Add(time.Minute)) {
		t.Errorf("input at %v, %v", at, found)
	}
	h.alive(x)

	h.advance(time.Minute)
	if err := x.ws.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
	h.await("the end", func() bool { return len(h.Visits()) == 0 })
	h.await("the note of it", func() bool { return !h.connection().Connected })
	if c := h.connection(); !c.DisconnectedAt.Equal(began.Add(2 * time.Minute)) {
		t.Errorf("afterwards: %+v", c)
	}
	for _, kind := range []stream.EventKind{stream.Attempted, stream.Succeeded, stream.Launched, stream.Disconnected} {
		h.await(string(kind), func() bool { return h.saw(kind) == 1 })
	}
	h.measured(map[string]float64{"carrel_streams_open": 0, "carrel_stream_bytes_total": 100, "carrel_stream_relay_seconds": 3, "carrel_stream_launch_seconds": 1})
}

func (h *house) advance(d time.Duration) {
	h.t.Helper()
	if err := h.clock.Advance(d); err != nil {
		h.t.Fatal(err)
	}
}

// measured fails the test unless the metrics are at least so many; 0: exactly.
func (h *house) measured(least map[string]float64) {
	h.t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(h.Collectors()...)
	families, err := registry.Gather()
	if err != nil {
		h.t.Fatal(err)
	}
	got := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			got[f.GetName()] += m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	for name, want := range least {
		if v, there := got[name]; !there || v < want || want == 0 && v > 0 {
			h.t.Errorf("%s is %v, want %v", name, v, want)
		}
	}
}

// TestTakeOver has a second tab take the desktop over, and a third share it.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	h := open(t)
	first := h.visit("")
	second := h.visit("")
	first.ends(4001, "Another tab")
	h.alive(second)
	if c := h.connection(); !c.Connected {
		t.Errorf("%+v", c)
	}
	third := h.visit("share=1", "")
	if got := <-third.text; got != `{"viewers":2}` {
		t.Errorf("the page is told %s", got)
	}
	h.alive(second)
	_ = second.ws.Close(websocket.StatusNormalClosure, "")
	if got := <-third.text; got != `{"viewers":1}` {
		t.Errorf("the page is told %s", got)
	}
	for range 2 { // the page is told once
		h.Warn(h.Visits()[0].ID, "soon")
	}
	if got := <-third.text; got != `{"warning":"soon"}` {
		t.Errorf("the page is told %s", got)
	}
	h.alive(third)
	if n := len(third.text) + len(second.text); n > 0 {
		t.Errorf("a page that asked for nothing but RFB is told of %d other things", n)
	}
}

// Of two that take over at once one stays, whichever.
func TestTakeOverAtOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	for range 5 {
		over := make(chan websocket.CloseError, 4)
		var together sync.WaitGroup
		for range cap(over) {
			together.Go(func() {
				x := &tab{t: t, ws: h.dial(""), over: over}
				go x.hear()
			})
		}
		together.Wait()
		for range cap(over) - 1 {
			if got := <-over; got.Code != 4001 {
				t.Errorf("one ends with %+v", got)
			}
		}
		h.await("one is left", func() bool { return len(h.Visits()) == 1 && h.connection().Connected })
		h.Cut(h.Visits()[0].ID, "That is enough.")
		if got := <-over; got.Code != 4002 {
			t.Errorf("the last ends with %+v", got)
		}
	}
}

// TestTakeOverFromAnotherProcess has two processes on one database.
func TestTakeOverFromAnotherProcess(t *testing.T) {
	t.Parallel()
	database := storetest.Postgres(t)
	one, two := openOn(t, database), openOn(t, database)
	first := one.visit("", "")
	if got := <-first.text; got != `{"viewers":1}` {
		t.Errorf("the page is told %s", got)
	}
	shared := two.visit("share=1")
	if got := <-first.text; got != `{"viewers":2}` {
		t.Errorf("the page is told %s", got)
	}
	second := two.visit("")
	first.ends(4001, "Another tab")
	shared.ends(4001, "Another tab")
	two.alive(second)
}

func TestTooManyTabs(t *testing.T) {
	t.Parallel()
	h := open(t)
	for range 8 {
		h.listen("share=1")
	}
	h.refuses("share=1", 4002, "Too many")
}

// refuses fails the test unless a tab is turned away.
func (h *house) refuses(query string, code websocket.StatusCode, says string) {
	h.t.Helper()
	x := &tab{t: h.t, ws: h.dial(query), over: make(chan websocket.CloseError, 1), text: make(chan string, 9)}
	go x.hear()
	x.ends(code, says)
	if x.heard() > 0 {
		h.t.Errorf("it is told %q", x.said)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, state := range workspaces.States() {
		if state.TakesVisits() {
			continue
		}
		h.enter(state)
		h.refuses("", 4003, "does not run")
	}
	h.refuses("desktop=ws-nobody001", 4003, "does not run")
	if c := h.connection(); c != (workspaces.Connection{}) {
		t.Errorf("somebody was connected: %+v", c)
	}
	if h.saw(stream.Failed) == 0 || h.saw(stream.Succeeded) > 0 || len(h.Visits()) > 0 {
		t.Errorf("%d failures, %d successes, %d visits", h.saw(stream.Failed), h.saw(stream.Succeeded), len(h.Visits()))
	}
	h.enter(workspaces.Available)
	if _, err := h.engine.Stop(t.Context(), desktopID); err != nil {
		t.Fatal(err)
	}
	h.refuses("", 1013, "does not run")
	if _, err := h.engine.Start(t.Context(), desktopID); err != nil {
		t.Fatal(err)
	}
	if err := h.engine.Break(t.Context(), desktopID); err != nil {
		t.Fatal(err)
	}
	h.refuses("", 1013, "does not answer")
}

// A tab that cannot be connected leaves the one that is.
func TestRefusedTakeOver(t *testing.T) {
	t.Parallel()
	h := open(t)
	x := h.visit("")
	h.enter(workspaces.AdminMaintenance)
	h.refuses("", 4003, "")
	h.alive(x) // whom the portal tells
}

// TestCut ends streams for every reason that others have.
func TestCut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		do   func(h *house)
		code websocket.StatusCode
		says string
	}{
		"by the portal": {func(h *house) { h.Cut(h.Visits()[0].ID, "Not from here.") }, 4002, "Not from here."},
		"by its user":   {func(h *house) { h.Leave(h.Visits()[0].ID) }, 4004, "You have signed out."},
		"shut down": {func(h *house) {
			if _, err := h.engine.Stop(context.Background(), desktopID); err != nil {
				h.t.Error(err)
			}
		}, 1013, "gone"},
		"stopping":           {func(h *house) { h.enter(workspaces.Stopping) }, 4003, "does not run"},
		"unhealthy and mute": {func(h *house) { h.enter(workspaces.Unhealthy) }, 4003, "does not answer"},
		"removed": {func(h *house) {
			h.update(func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.DeleteWorkSpace(ctx, workspaces.Ref{Scope: here(), ID: desktopID})
				return err
			})
		}, 4003, "removed"},
		"at the server's end": {func(h *house) { h.stop() }, 1001, "restarted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, func(c *stream.Config) { c.KeepAlive = 300 * time.Millisecond })
			x := h.visit("")
			c.do(h)
			x.ends(c.code, c.says)
			h.await("the end", func() bool { return len(h.Visits()) == 0 })
			h.await("the note", func() bool { return !h.connection().Connected })
		})
	}
}

func TestNoneAfterTheEnd(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.stop()
	h.refuses("", 1001, "restarted")
	h.Cut("nobody", "")
	h.Leave("nobody")
	h.SetRules("nobody", gateway.Rules{})
	if _, found := h.LastInput("nobody"); found {
		t.Error("nobody did something")
	}
}

// UNHEALTHY alone ends no stream that works.
func TestUnhealthyButAlive(t *testing.T) {
	t.Parallel()
	h := open(t)
	x := h.visit("")
	h.enter(workspaces.Unhealthy)
	h.enter(workspaces.Unhealthy)
	h.alive(x)
}

// TestClipboardRules lets the administrator's word count while the stream is carried.
func TestClipboardRules(t *testing.T) {
	t.Parallel()
	copied := []byte{3, 0, 0, 0, 0, 0, 0, 6, 'c', 'o', 'p', 'i', 'e', 'd'}
	heard := make(chan byte, 99)
	h := open(t, speaks(nil, func(conn net.Conn) {
		// It copies for each update that it is asked for, and tells what it is given.
		b := make([]byte, 1)
		for {
			if _, err := io.ReadFull(conn, b); err != nil {
				return
			}
			switch b[0] {
			case 3:
				_, _ = io.ReadFull(conn, make([]byte, 9))
				_, _ = conn.Write(append(bytes.Clone(copied), 2))
			case 6:
				head := make([]byte, 7)
				_, _ = io.ReadFull(conn, head)
				_, _ = io.ReadFull(conn, make([]byte, head[6]))
				heard <- head[6]
			}
		}
	}))
	x := h.listen("")
	exchange := func() (got string, given int) {
		h.t.Helper()
		before := x.heard()
		x.say(rfb.CutText{Text: []byte("pasted")}, rfb.UpdateRequest{})
		h.await("the bell", func() bool {
			x.mu.Lock()
			defer x.mu.Unlock()
			return len(x.said) > before && x.said[len(x.said)-1] == 2
		})
		select {
		case n := <-heard:
			given = int(n)
		default:
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		return string(x.said[before : len(x.said)-1]), given
	}
	if got, given := exchange(); got != string(copied) || given != 6 {
		t.Errorf("out %q, in %d", got, given)
	}
	h.SetRules(h.Visits()[0].ID, gateway.Rules{ClipboardIn: 99})
	if got := h.Visits()[0].Rules; got != (gateway.Rules{ClipboardIn: 99}) {
		t.Errorf("%+v", got)
	}
	h.await("nothing comes out", func() bool {
		got, given := exchange()
		return got == "" && given == 6
	})
	h.SetRules(h.Visits()[0].ID, gateway.Rules{ClipboardIn: 2})
	h.await("little goes in", func() bool {
		got, given := exchange()
		return got == "" && given == 2
	})
}

// TestBeat lets the store forget streams, as when another process took this one for dead or
// a write failed: the next beat tells it again.
func TestBeat(t *testing.T) {
	t.Parallel()
	real := clock.New()
	real.Freeze()
	h := open(t, func(c *stream.Config) { c.Real = real })
	h.visit("")
	other, err := store.Open(t.Context(), h.database)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	err = other.Update(t.Context(), func(tx *store.Tx) error {
		all, err := tx.OtherStreamProcesses(t.Context())
		if err != nil || len(all) != 1 {
			return fmt.Errorf("%v, %w", all, err)
		}
		return tx.BuryStreamProcess(t.Context(), all[0])
	})
	if err != nil || h.connection().Connected {
		t.Fatal(err)
	}
	h.await("it is noted again", func() bool {
		if err := real.Advance(10 * time.Second); err != nil {
			t.Fatal(err)
		}
		return h.connection().Connected
	})
	if n := len(h.Visits()); n != 1 {
		t.Errorf("%d visits", n)
	}
}

// TestNoWebSocket is a request that asks for none.
func TestNoWebSocket(t *testing.T) {
	t.Parallel()
	h := open(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusUpgradeRequired || len(h.Visits()) > 0 {
		t.Errorf("%d, %d visits", response.StatusCode, len(h.Visits()))
	}
}
