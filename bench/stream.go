package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"carrel/internal/clock"
	"carrel/internal/compute/incus"
	"carrel/internal/rfb"
)

const (
	// screens is how many desktops there are: enough for 50 streams of at most 8 a desktop.
	screens = 7
	// pace is how often a stream goes there and back in a second: about what hands do.
	pace = 30
	// streamRounds is how often the two ways take turns.
	streamRounds = 3
)

// benchStream measures round trips of RFB to real desktops: through the server, as a
// browser that has signed in, and directly at the sockets of the same Xvncs. A fence shows
// what the way costs; an update of 64×64 pixels is what a user sees. The two take turns.
func benchStream(ctx context.Context, o options, t *table) error {
	s, err := startOnIncus(ctx, o)
	if errors.Is(err, errNoIncus) {
		t.add("a round trip of a stream on Incus", "not measured", "Incus does not answer", "")
		return nil
	}
	if err != nil {
		return err
	}
	defer s.stop()
	driver, err := incus.Open(ctx, incus.Config{Project: s.project, Installation: s.installation, Clock: clock.New()})
	if err != nil {
		return err
	}
	desks, err := s.desks(ctx)
	if err != nil {
		return err
	}
	for _, n := range []int{1, 50} {
		if err := compareStreams(ctx, o, t, driver, desks, n); err != nil {
			return err
		}
	}
	return nil
}

// compareStreams measures so many streams both ways.
func compareStreams(ctx context.Context, o options, t *table, driver *incus.Driver, desks []*desk, n int) error {
	for _, what := range []struct {
		name string
		trip func(*screen) error
	}{{"a fence", (*screen).fence}, {"an update of 64×64 pixels", (*screen).update}} {
		var gateway, direct []time.Duration
		for range streamRounds {
			g, err := measureStreams(o, n, what.trip, func(i int) (*screen, error) { return desks[i%len(desks)].open(ctx) })
			if err != nil {
				return fmt.Errorf("through the gateway: %w", err)
			}
			d, err := measureStreams(o, n, what.trip, func(i int) (*screen, error) {
				conn, err := driver.Dial(ctx, desks[i%len(desks)].id)
				if err != nil {
					return nil, err
				}
				return newScreen(ctx, conn)
			})
			if err != nil {
				return fmt.Errorf("directly: %w", err)
			}
			gateway, direct = append(gateway, g...), append(direct, d...)
		}
		slices.Sort(gateway)
		slices.Sort(direct)
		g, d := gateway[len(gateway)/2], direct[len(direct)/2]
		t.add(fmt.Sprintf("a stream's round trip on Incus, %s, %d at once, median (p99)", what.name, n), spell(g, gateway), "at the socket: "+spell(d, direct),
			fmt.Sprintf("%+.2f ms (at most 2)", float64((g-d).Microseconds())/1000))
	}
	return nil
}

func spell(median time.Duration, sorted []time.Duration) string {
	p99 := sorted[len(sorted)*99/100]
	return fmt.Sprintf("%.2f ms (%.2f)", float64(median.Microseconds())/1000, float64(p99.Microseconds())/1000)
}

// measureStreams has so many streams go there and back at their pace, and returns how long each trip took.
func measureStreams(o options, n int, trip func(*screen) error, open func(i int) (*screen, error)) ([]time.Duration, error) {
	all := make([]*screen, n)
	for i := range all {
		var err error
		if all[i], err = open(i); err != nil {
			return nil, err
		}
		defer all[i].Close()
	}
	took, errs := make([][]time.Duration, n), make([]error, n)
	var together sync.WaitGroup
	for i, x := range all {
		together.Go(func() {
			const every = time.Second / pace
			time.Sleep(time.Duration(rand.Int64N(int64(every)))) // hands do not move in step
			for range int(o.duration / every / streamRounds) {
				began := time.Now()
				if errs[i] = trip(x); errs[i] != nil {
					return
				}
				took[i] = append(took[i], time.Since(began))
				time.Sleep(every - took[i][len(took[i])-1])
			}
		})
	}
	together.Wait()
	return slices.Concat(took...), errors.Join(errs...)
}

// screen is a connection to a desktop that is used by hand.
type screen struct {
	net.Conn
	r *bufio.Reader
}

func newScreen(ctx context.Context, conn net.Conn) (*screen, error) {
	x := &screen{Conn: conn, r: bufio.NewReaderSize(conn, 64<<10)}
	if _, err := rfb.Join(ctx, conn, x.r); err != nil {
		return nil, err
	}
	return x, x.say(rfb.SetEncodings{Encodings: []int32{rfb.EncodingRaw, rfb.EncodingFence}})
}

func (x *screen) say(m rfb.ClientMessage) error {
	_, err := x.Write(m.AppendClient(nil))
	return err
}

// fenceRequest asks for an echo.
const fenceRequest = 1 << 31

// next returns the next message, and echoes the fences by which Xvnc measures the line: what
// is not echoed is not sent more.
func (x *screen) next() (rfb.ServerMessage, error) {
	for {
		m, err := rfb.ReadServerMessage(x.r)
		f, ok := m.(rfb.Fence)
		if err != nil || !ok || f.Flags&fenceRequest == 0 {
			return m, err
		}
		f.Flags &^= fenceRequest
		if err := x.say(f); err != nil {
			return nil, err
		}
	}
}

// fence waits for the echo of a fence.
func (x *screen) fence() error {
	if err := x.say(rfb.Fence{Flags: fenceRequest, Payload: []byte("12345678")}); err != nil {
		return err
	}
	for {
		m, err := x.next()
		if _, ok := m.(rfb.Fence); err != nil || ok {
			return err
		}
	}
}

// update waits for the pixels of a corner of the screen.
func (x *screen) update() error {
	if err := x.say(rfb.UpdateRequest{Area: image.Rect(0, 0, 64, 64)}); err != nil {
		return err
	}
	for {
		m, err := x.next()
		if err != nil {
			return err
		}
		u, ok := m.(rfb.Update)
		if !ok {
			continue
		}
		for range u.Rectangles {
			h, err := rfb.ReadRectangleHeader(x.r)
			if err != nil {
				return err
			}
			if _, err := io.CopyN(io.Discard, x.r, int64(4*h.Area.Dx()*h.Area.Dy())); err != nil {
				return err
			}
		}
		return nil
	}
}

// desk is a WorkSpace and a browser whose user has signed in.
type desk struct {
	id      string
	server  *server
	browser *http.Client
	seen    string // the state in which it was on its way
}

// desks makes desktops, and signs their users in.
func (s *server) desks(ctx context.Context) ([]*desk, error) {
	var reply struct {
		Directories []struct{ RegistrationCode string }
	}
	if err := s.call(ctx, "workspaces", "WorkspacesService.DescribeWorkspaceDirectories", struct{}{}, &reply); err != nil {
		return nil, err
	}
	if err := s.call(ctx, "workspaces", "WorkspacesService.ModifyWorkspaceAccessProperties", map[string]any{
		"ResourceId": s.directory, "WorkspaceAccessProperties": map[string]string{"DeviceTypeWeb": "ALLOW"},
	}, nil); err != nil {
		return nil, err
	}
	ids, err := s.fill(ctx, "wsb-carrelval", "stream", screens)
	if err != nil {
		return nil, err
	}
	var page struct {
		Workspaces []struct{ WorkspaceId, UserName string }
	}
	if err := s.call(ctx, "workspaces", "WorkspacesService.DescribeWorkspaces", map[string]any{"WorkspaceIds": ids}, &page); err != nil {
		return nil, err
	}
	var desks []*desk
	for _, w := range page.Workspaces {
		d, err := s.signIn(ctx, reply.Directories[0].RegistrationCode, w.UserName, w.WorkspaceId)
		if err != nil {
			return nil, err
		}
		desks = append(desks, d)
	}
	return desks, nil
}

// signIn signs a user in who has a desktop with the id.
func (s *server) signIn(ctx context.Context, code, user, id string) (*desk, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	d := &desk{id: id, server: s, browser: &http.Client{Jar: jar}}
	if _, err := d.post(ctx, "/sign-in", url.Values{"code": {code}, "name": {user}, "password": {"any"}}); err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	return d, nil
}

// post sends a form as the portal's own pages do.
func (d *desk) post(ctx context.Context, path string, form url.Values) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.server.endpoint+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Origin", d.server.endpoint)
	reply, err := d.browser.Do(r)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err == nil && reply.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("%s: %s", reply.Status, body)
	}
	return body, err
}

// errNotYet says that a desktop is on its way.
var errNotYet = errors.New("the desktop is on its way")

// open opens a stream beside those that there are, of a desktop that a pool gives where there is none yet.
func (d *desk) open(ctx context.Context) (*screen, error) {
	body, err := d.post(ctx, "/desktop/"+d.id+"/ticket", url.Values{"share": {"yes"}, "start": {"yes"}, "seen": {d.seen}})
	if err != nil {
		return nil, err
	}
	var reply struct {
		Ticket, Text, State string
		Wait                bool
	}
	if err := json.Unmarshal(body, &reply); err == nil && reply.Wait {
		d.seen = reply.State // the next reply comes when there is another
		return nil, errNotYet
	} else if err != nil || reply.Ticket == "" {
		return nil, fmt.Errorf("no ticket: %s, %w", body, err)
	}
	ws, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(d.server.endpoint, "http")+"/desktop/"+d.id+"/stream?ticket="+url.QueryEscape(reply.Ticket), //nolint:bodyclose // a WebSocket's has none
		&websocket.DialOptions{HTTPClient: d.browser, Subprotocols: []string{"binary"}, HTTPHeader: http.Header{"Origin": {d.server.endpoint}}})
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(-1)
	return newScreen(ctx, websocket.NetConn(ctx, ws, websocket.MessageBinary))
}
