package stream

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"carrel/internal/gateway"
	"carrel/internal/rfb"
	"carrel/internal/store"
)

const (
	// openPatience is how long a desktop may take to shake hands, and then a tab.
	openPatience = 15 * time.Second
	// maxTabs is how many streams a WorkSpace may have at once.
	maxTabs = 8
	// maxMessage is the longest message of a tab, in bytes. It is read in pieces; noVNC's are of 10 KiB.
	maxMessage = 1 << 20
	// plain is the subprotocol of clients that know nothing but RFB. Others are sent messages of
	// text beside it, of what is not RFB's to tell: see [stream.tellPage].
	plain = "binary"
)

// stream is one visit's.
type stream struct {
	gateway.Visit
	ws      *websocket.Conn
	conn    net.Conn // to the desktop
	desktop *bufio.Reader
	init    rfb.ServerInit
	began   time.Time

	noted   bool // in the store, or about to be; guarded by Streams.mu
	ends    chan ending
	viewers chan int // how many tabs show the desktop, when that has changed

	warned   string      // what the page was warned of last; guarded by Streams.mu
	warnings chan string // what it is to be warned of
	rules    atomic.Pointer[gateway.Rules]
	input    atomic.Int64 // when the user last did something, or came, by the service's time, in µs since 1970
	tab      moment       // when the tab was last heard
	screen   moment       // when the desktop was last heard
	writing  moment       // since when the tab has been given something that it does not take
}

// visit is the stream's with the rules that hold now.
func (st *stream) visit() gateway.Visit {
	v := st.Visit
	v.Rules = *st.rules.Load()
	return v
}

// clipboard is what may cross now.
func (st *stream) clipboard() rfb.Clipboard {
	rules := st.rules.Load()
	return rfb.Clipboard{In: rules.ClipboardIn, Out: rules.ClipboardOut}
}

// end ends the stream. The first reason is the one that counts.
func (st *stream) end(e ending) {
	select {
	case st.ends <- e:
	default:
	}
}

func (st *stream) record() store.Stream {
	return store.Stream{Scope: st.Scope, WorkSpaceID: st.Desktop.ID, ID: st.ID, OpenedAt: st.began}
}

// Serve turns the request into a WebSocket and carries the screen until either side ends
// it. It answers the request in any case. Visits have ids that are random.
//
// The WebSocket is closed with [gateway.CutTaken], CutAccess or CutDesktop where the page is
// to know why; the reason is a sentence for the user. Any other code is that of a line that
// was lost: 1001 while the server stops, 1008 where the tab sent what is no RFB.
func (s *Streams) Serve(w http.ResponseWriter, r *http.Request, v gateway.Visit) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: []string{plain}, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		s.Log.DebugContext(r.Context(), "no WebSocket", "error", err)
		return
	}
	ws.SetReadLimit(maxMessage)
	st := &stream{
		Visit: v, ws: ws, began: s.Clock.Now(), ends: make(chan ending, 1), viewers: make(chan int, 1), warnings: make(chan string, 1),
	}
	st.input.Store(st.began.UnixMicro())
	st.rules.Store(&v.Rules)
	if !s.enter(st) {
		e := stopping()
		_ = ws.Close(e.code, e.text)
		return
	}
	defer s.serving.Done()
	s.carry(r.Context(), st)
}

// carry is a stream's life.
func (s *Streams) carry(ctx context.Context, st *stream) {
	real := s.Real.Now()
	about := []any{"workspace", st.Desktop.ID, "user", st.User, "address", st.Address, "visit", st.ID}
	s.observe(st, Attempted, 0)
	if err := s.prepare(ctx, st); err != nil {
		e := s.judge(ctx, st, ofOpening(err))
		s.observe(st, Failed, 0)
		s.Log.WarnContext(ctx, "a user could not be connected", append(about, "why", e)...)
		s.part(ctx, st, e)
		return
	}
	s.observe(st, Succeeded, 0)
	s.Log.InfoContext(ctx, "a user is connected", about...)
	s.stirred()

	ctx, stop := context.WithCancel(ctx)
	var pumps sync.WaitGroup
	pumps.Go(func() { s.pump(st, real, &pumps) })
	pumps.Go(func() { s.keepAlive(ctx, st) })
	if st.ws.Subprotocol() != plain {
		pumps.Go(func() { st.tellPage(ctx) })
	}
	var e ending
	select {
	case e = <-st.ends:
	case <-ctx.Done():
		e = stopping()
	}
	e = s.judge(ctx, st, e)
	stop()
	s.part(ctx, st, e)
	pumps.Wait()
	s.observe(st, Disconnected, s.Real.Now().Sub(real))
	s.Log.InfoContext(ctx, "a user is disconnected", append(about, "after", s.Real.Now().Sub(real), "why", e)...)
}

// prepare opens the desktop's side and notes the stream. Only then may the desktop be taken
// over from others: one that cannot be opened is left to whoever has it.
func (s *Streams) prepare(ctx context.Context, st *stream) (err error) {
	ctx, cancel := context.WithTimeout(ctx, openPatience)
	defer cancel()
	if st.conn, err = s.Driver.Dial(ctx, st.Desktop.ID); err != nil {
		return err
	}
	st.desktop = bufio.NewReaderSize(st.conn, 4<<10) // only the handshake's: what is larger goes past it
	if st.init, err = rfb.Join(ctx, st.conn, st.desktop); err != nil {
		return err
	}
	st.init.Name = st.Desktop.ID // under a name of the desktop's choice noVNC reads other pixels than it asks for
	taken, err := s.note(ctx, st)
	if err != nil {
		return err
	}
	for _, id := range taken {
		s.cut(id, ending{code: gateway.CutTaken, text: takenOver})
	}
	return nil
}

// note writes that there is a stream, unless the WorkSpace takes none, and returns the visits
// that it takes the desktop over from. Of two that come at once it is the second that stays.
func (s *Streams) note(ctx context.Context, st *stream) (taken []string, err error) {
	s.mu.Lock()
	st.noted = true
	s.mu.Unlock()
	record := st.record()
	err = s.update(ctx, &store.Act{Kind: store.ActConnect, Scope: st.Scope, Stream: &record}, func(tx *store.Tx) error {
		state, err := tx.VisitState(ctx, st.Scope, st.Desktop.ID)
		if err != nil {
			return err
		}
		if !state.TakesVisits() {
			return closedError{state}
		}
		if !st.Share {
			if taken, err = tx.EndStreams(ctx, record, takenOver); err != nil {
				return err
			}
		} else if n, err := tx.CountStreams(ctx, st.Scope, st.Desktop.ID); err != nil {
			return err
		} else if n >= maxTabs {
			return errTooMany
		}
		return tx.OpenStream(ctx, record)
	})
	return taken, err
}

// update makes a change in the store that is an act of a user's.
func (s *Streams) update(ctx context.Context, act *store.Act, change func(*store.Tx) error) error {
	return s.Note(ctx, act, func(ctx context.Context) error { return s.Store.Update(ctx, change) })
}

// part ends both sides: the desktop's first, since whoever takes over waits for nothing else.
func (s *Streams) part(ctx context.Context, st *stream, e ending) {
	if st.conn != nil {
		_ = st.conn.Close() // nothing is left to be said
	}
	s.leave(st)
	if st.noted {
		record := st.record()
		act := &store.Act{Kind: store.ActDisconnect, Scope: st.Scope, Stream: &record}
		err := s.update(context.WithoutCancel(ctx), act, func(tx *store.Tx) error {
			act.At = s.Clock.Now()
			return tx.CloseStream(ctx, record, act.At)
		})
		if err != nil { // the next beat writes it
			s.Log.WarnContext(ctx, "the end of a stream could not be noted", "workspace", st.Desktop.ID, "error", err)
		}
		s.stirred()
	}
	_ = st.ws.Close(e.code, e.text) // the tab may have gone
}

// pump shakes hands with the tab and carries what it says; from then on what the desktop says, too.
func (s *Streams) pump(st *stream, since time.Time, pumps *sync.WaitGroup) {
	tab := &tabSide{st: st}
	slow := time.AfterFunc(openPatience, func() { st.end(lost(context.DeadlineExceeded)) })
	err := rfb.Welcome(tab, tab, st.init)
	if err != nil {
		st.end(ofTab(fmt.Errorf("shake hands: %w", err)))
	}
	if !slow.Stop() || err != nil {
		return
	}
	relay := rfb.NewRelay(st.init)
	relay.Clipboard = st.clipboard
	relay.Input = func() { st.input.Store(s.Clock.Now().UnixMicro()) }
	desktop := &desktopSide{st: st, patience: s.KeepAlive}
	pumps.Go(func() {
		out := s.metrics.leg(out, desktop, tab)
		out.first = func() { s.observe(st, Launched, s.Real.Now().Sub(since)) }
		st.end(ofDesktop(relay.ServerToClient(out, out)))
	})
	in := s.metrics.leg(in, tab, desktop)
	st.end(ofTab(relay.ClientToServer(in, in)))
}
