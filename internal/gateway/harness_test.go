package gateway_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/directory/embedded"
	"carrel/internal/gateway"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

const (
	code        = "WSfra+ABC123"
	password    = "Correct-Horse-1"
	directoryID = "d-0123456789"
	janes       = "ws-jane00001"
	johns       = "ws-john00001"
)

func here() workspaces.Scope {
	return workspaces.Scope{Account: "123456789012", Region: "eu-central-1"}
}

// house is a portal with a registered directory, in which jane and john have a WorkSpace each.
type house struct {
	testing.TB
	store   *store.Store
	clock   *clock.Clock // the service's
	real    *clock.Clock // the machine's
	streams *streams
	actions *actions
	config  gateway.Config
	server  *httptest.Server
}

// open makes a house; change may alter what its portal is made of.
func open(t testing.TB, change ...func(*gateway.Config)) *house {
	t.Helper()
	h := &house{TB: t, clock: clock.New(), real: clock.New(), streams: new(streams)}
	var err error
	if h.store, err = store.Open(t.Context(), storetest.SQLite(t)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.store.Close(); err != nil {
			t.Error(err)
		}
	})
	h.clock.Freeze()
	h.real.Freeze()
	h.actions = &actions{house: h}
	h.streams.lastInput = h.clock.Now()
	hasher := embedded.NewHasher()
	h.fill(hasher)
	h.config = gateway.Config{
		Store: h.store, Clock: h.clock, Real: h.real, Directories: embedded.New(h.store, hasher), Actions: h.actions,
		Pictures: pictures{}, Streams: h.streams, Log: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&h.config)
	}
	h.server = h.serve()
	return h
}

// serve starts a server with a portal of its own on the house's store, as another process would.
func (h *house) serve() *httptest.Server {
	h.Helper()
	portal, err := gateway.New(h.Context(), h.config)
	if err != nil {
		h.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", portal.Otherwise(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the API", http.StatusTeapot)
	})))
	portal.Register(mux)
	server := httptest.NewServer(mux)
	ctx, stop := context.WithCancel(h.Context())
	var run sync.WaitGroup
	run.Go(func() { portal.Run(ctx) })
	h.Cleanup(func() {
		stop()
		run.Wait()
		server.Close()
	})
	return server
}

func (h *house) fill(hasher *embedded.Hasher) {
	h.Helper()
	secret, err := hasher.Hash(h.Context(), password)
	if err != nil {
		h.Fatal(err)
	}
	settings := workspaces.NewDirectorySettings()
	settings.Access.Web = "ALLOW"
	h.update(func(tx *store.Tx) error {
		err := tx.InsertWorkspaceDirectory(h.Context(), &workspaces.WorkspaceDirectory{
			Scope: here(), ID: directoryID, RegistrationCode: code, State: workspaces.Registered, WorkspaceType: "PERSONAL", Settings: settings,
		})
		for _, name := range []string{"Jane", "john"} {
			if err == nil {
				err = tx.PutUser(h.Context(), &workspaces.User{Scope: here(), DirectoryID: directoryID, Name: name, Enabled: true, PasswordHash: secret})
			}
		}
		for id, user := range map[string]string{janes: "jane", johns: "john"} {
			if err == nil {
				err = tx.InsertWorkSpace(h.Context(), &workspaces.WorkSpace{
					Scope: here(), ID: id, DirectoryID: directoryID, UserName: user, State: workspaces.Available,
					Properties: workspaces.Properties{ComputeType: "STANDARD", RunningMode: workspaces.AutoStop, AutoStopMinutes: 60, RootGiB: 80, UserGiB: 50},
				})
			}
		}
		return err
	})
}

func (h *house) update(f func(tx *store.Tx) error) {
	h.Helper()
	if err := h.store.Update(h.Context(), f); err != nil {
		h.Fatal(err)
	}
}

// directory changes the registration.
func (h *house) directory(change func(*workspaces.WorkspaceDirectory)) {
	h.Helper()
	h.update(func(tx *store.Tx) error {
		d, _, err := tx.WorkspaceDirectory(h.Context(), here(), directoryID)
		if err != nil {
			return err
		}
		read := d.Generation
		change(d)
		_, err = tx.SaveWorkspaceDirectory(h.Context(), d, read)
		return err
	})
}

// workspace changes a WorkSpace.
func (h *house) workspace(id string, change func(*workspaces.WorkSpace)) {
	h.Helper()
	h.update(func(tx *store.Tx) error {
		w, _, err := tx.WorkSpace(h.Context(), here(), id)
		if err != nil {
			return err
		}
		read := w.Generation
		change(w)
		_, err = tx.SaveWorkSpace(h.Context(), w, read)
		return err
	})
}

func (h *house) advance(c *clock.Clock, d time.Duration) {
	h.Helper()
	if err := c.Advance(d); err != nil {
		h.Fatal(err)
	}
}

// browser is one person's, with cookies.
type browser struct {
	*house
	client *http.Client
	at     string      // the server's address
	header http.Header // sent with every request
	host   string      // that the browser was given, "" for the server's address
}

func (h *house) browser() *browser {
	h.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.Fatal(err)
	}
	b := &browser{house: h, at: h.server.URL, header: http.Header{"Accept": {"text/html"}, "Sec-Fetch-Site": {"same-origin"}}}
	b.client = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return b
}

// page is a reply.
type page struct {
	*http.Response
	text string
}

func (b *browser) do(method, path string, form url.Values) page {
	b.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(b.Context(), method, b.at+path, body)
	if err != nil {
		b.Fatal(err)
	}
	r.Header, r.Host = b.header.Clone(), b.host
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := b.client.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	return page{response, string(text)}
}

func (b *browser) get(path string) page { b.Helper(); return b.do(http.MethodGet, path, nil) }

// want fails the test unless the reply has the status and holds the texts.
func (p page) want(t testing.TB, status int, texts ...string) {
	t.Helper()
	if p.StatusCode != status {
		t.Errorf("%s %s: %s, want %d\n%s", p.Request.Method, p.Request.URL.Path, p.Status, status, p.text)
	}
	for _, text := range texts {
		if !strings.Contains(p.text, text) {
			t.Errorf("%s %s: no %q in\n%s", p.Request.Method, p.Request.URL.Path, text, p.text)
		}
	}
}

// signIn fills in the form.
func (b *browser) signIn(name, password string, more ...string) page {
	b.Helper()
	form := url.Values{"code": {code}, "name": {name}, "password": {password}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return b.do(http.MethodPost, "/sign-in", form)
}

// signedIn is a browser whose user is.
func (h *house) signedIn(name string) *browser {
	h.Helper()
	b := h.browser()
	b.signIn(name, password).want(h.TB, http.StatusSeeOther)
	return b
}

// pictures are of no screen.
type pictures struct{}

func (pictures) Picture(_ context.Context, d gateway.Desktop) (image []byte, mediaType string, err error) {
	if d.ID != janes {
		return nil, "", compute.ErrNotRunning
	}
	return []byte("picture of " + d.ID), "image/png", nil
}

// actions do at once what they are asked for.
type actions struct {
	house *house
	mu    sync.Mutex
	done  []string
}

func (a *actions) note(what string, d gateway.Desktop) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.done = append(a.done, what+" "+d.ID)
}

func (a *actions) list() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.done, ", ")
}

func (a *actions) begin(ctx context.Context, what workspaces.Action, d gateway.Desktop) error {
	return a.house.store.Update(ctx, func(tx *store.Tx) error {
		w, _, err := tx.WorkSpace(ctx, d.Scope, d.ID)
		if err != nil {
			return err
		}
		read := w.Generation
		if err := w.Begin(what, a.house.clock.Now()); err != nil {
			return err
		}
		_, err = tx.SaveWorkSpace(ctx, w, read)
		a.note(string(what), d)
		return err
	})
}

func (a *actions) Start(ctx context.Context, d gateway.Desktop) error {
	return a.begin(ctx, workspaces.ActionStart, d)
}

func (a *actions) Restart(ctx context.Context, d gateway.Desktop) error {
	return a.begin(ctx, workspaces.ActionReboot, d)
}

func (a *actions) Rebuild(_ context.Context, d gateway.Desktop) error {
	a.note("rebuild", d)
	return nil
}

func (a *actions) Modify(_ context.Context, d gateway.Desktop, _ gateway.Change) error {
	a.note("modify", d)
	return nil
}

// Join gives a user a desktop that is ready, for a session.
func (a *actions) Join(ctx context.Context, pool gateway.Desktop, user string) error {
	return a.house.store.Update(ctx, func(tx *store.Tx) error {
		a.note("join "+user, pool)
		now := a.house.clock.Now()
		p, _, err := tx.Pool(ctx, pool.Scope, pool.ID)
		if err != nil {
			return err
		}
		d, found, err := tx.ReadyPoolDesktop(ctx, pool.Scope, pool.ID)
		if err != nil {
			return err
		}
		if !found {
			return workspaces.Errorf(workspaces.CodeUnavailable, "All desktops are in use.")
		}
		read := d.Generation
		d.Assign(now)
		if _, err := tx.SavePoolDesktop(ctx, d, read); err != nil {
			return err
		}
		return tx.InsertPoolSession(ctx, workspaces.NewPoolSession(nil, p, d, user, false, now))
	})
}

// Leave begins to end a user's session.
func (a *actions) Leave(ctx context.Context, pool gateway.Desktop, user string) error {
	return a.house.store.Update(ctx, func(tx *store.Tx) error {
		a.note("leave "+user, pool)
		s, found, err := tx.PoolSessionOf(ctx, pool.Scope, pool.ID, user)
		if err != nil || !found {
			return err
		}
		return tx.EndPoolSession(ctx, s, a.house.clock.Now())
	})
}

// SignOut begins to end the session that is on a desktop.
func (a *actions) SignOut(ctx context.Context, d gateway.Desktop) error {
	return a.house.store.Update(ctx, func(tx *store.Tx) error {
		a.note("sign out", d)
		s, found, err := tx.PoolSessionOn(ctx, d.Scope, d.ID)
		if err != nil || !found {
			return err
		}
		return tx.EndPoolSession(ctx, s, a.house.clock.Now())
	})
}

// streams carry what a browser sends back to it.
type streams struct {
	mu     sync.Mutex
	visits map[string]gateway.Visit
	ways   map[string]*websocket.Conn

	lastInput time.Time // of every visit
	warned    string    // the last warning
}

func (s *streams) Serve(w http.ResponseWriter, r *http.Request, v gateway.Visit) {
	way, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	s.mu.Lock()
	if s.visits == nil {
		s.visits, s.ways = make(map[string]gateway.Visit), make(map[string]*websocket.Conn)
	}
	s.visits[v.ID], s.ways[v.ID] = v, way
	s.mu.Unlock()
	echo := websocket.NetConn(r.Context(), way, websocket.MessageBinary)
	_, _ = io.Copy(echo, echo)
	s.mu.Lock()
	delete(s.visits, v.ID)
	s.mu.Unlock()
}

func (s *streams) Visits() []gateway.Visit {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []gateway.Visit
	for _, v := range s.visits {
		all = append(all, v)
	}
	return all
}

// LastInput says that everybody did something when they came, at the time that the test began.
func (s *streams) LastInput(id string) (at time.Time, found bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, found = s.visits[id]
	return s.lastInput, found
}

// Warn says it on the stream itself.
func (s *streams) Warn(id, text string) {
	s.mu.Lock()
	way := s.ways[id]
	again := s.warned == text
	s.warned = text
	s.mu.Unlock()
	if way != nil && !again {
		_ = way.Write(context.Background(), websocket.MessageText, []byte(text))
	}
}

func (s *streams) SetRules(id string, rules gateway.Rules) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.visits[id]
	v.Rules = rules
	s.visits[id] = v
}

func (s *streams) Cut(id, why string) { s.close(id, gateway.CutAccess, why) }

func (s *streams) Leave(id string) { s.close(id, gateway.CutLeft, "") }

func (s *streams) close(id string, code websocket.StatusCode, why string) {
	s.mu.Lock()
	way := s.ways[id]
	s.mu.Unlock()
	if way != nil {
		_ = way.Close(code, why)
	}
}
