package gateway_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"carrel/internal/gateway"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// ticket asks for the right to connect.
func (b *browser) ticket(id string, form ...string) (ticket string, said map[string]any) {
	b.Helper()
	values := url.Values{}
	for i := 0; i < len(form); i += 2 {
		values.Set(form[i], form[i+1])
	}
	b.header.Set("Accept", "application/json")
	got := b.do(http.MethodPost, "/desktop/"+id+"/ticket", values)
	if err := json.Unmarshal([]byte(got.text), &said); err != nil {
		b.Fatalf("%s: %v\n%s", got.Status, err, got.text)
	}
	ticket, _ = said["ticket"].(string)
	return ticket, said
}

// connect opens a stream, or returns the status that refuses it.
func (b *browser) connect(id, ticket string) (*websocket.Conn, int) {
	b.Helper()
	header := b.header.Clone()
	way, response, err := websocket.Dial(b.Context(), b.at+"/desktop/"+id+"/stream?ticket="+url.QueryEscape(ticket),
		&websocket.DialOptions{HTTPClient: b.client, HTTPHeader: header, Host: b.host})
	if err != nil {
		if response == nil {
			b.Fatal(err)
		}
		return nil, response.StatusCode
	}
	b.Cleanup(func() { _ = way.CloseNow() })
	return way, http.StatusSwitchingProtocols
}

func TestConnect(t *testing.T) {
	t.Parallel()
	h := open(t)
	jane := h.signedIn("jane")
	jane.get("/desktop/"+janes).want(t, http.StatusOK, `data-desktop="`+janes+`"`)
	ticket, said := jane.ticket(janes, "share", "yes")
	if len(ticket) < 40 {
		t.Fatalf("the ticket is %v", said)
	}
	way, status := jane.connect(janes, ticket)
	if status != http.StatusSwitchingProtocols {
		t.Fatalf("refused with %d", status)
	}
	if err := way.Write(t.Context(), websocket.MessageBinary, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := way.Read(t.Context()); err != nil || string(got) != "hello" {
		t.Errorf("read %q, %v", got, err)
	}
	visits := h.streams.Visits()
	if len(visits) != 1 {
		t.Fatalf("visits: %+v", visits)
	}
	v := visits[0]
	if v.Desktop != (gateway.Desktop{Scope: here(), ID: janes}) || v.User != "Jane" || !v.Share || v.DirectoryID != directoryID ||
		v.Address.String() != "127.0.0.1" || v.Rules.ClipboardIn != workspaces.MaxCopied {
		t.Errorf("the visit is %+v", v)
	}
	if _, status := jane.connect(janes, ticket); status != http.StatusForbidden {
		t.Errorf("the ticket was used twice: %d", status)
	}
}

// TestTicketRace has several take the same ticket at once, at two processes.
func TestTicketRace(t *testing.T) {
	t.Parallel()
	h := open(t)
	jane := h.signedIn("jane")
	there := *jane
	there.at = h.serve().URL
	ticket, _ := jane.ticket(janes)
	var let atomic.Int32
	var wait sync.WaitGroup
	for range 8 {
		for _, at := range []*browser{jane, &there} {
			wait.Go(func() {
				if _, status := at.connect(janes, ticket); status == http.StatusSwitchingProtocols {
					let.Add(1)
				}
			})
		}
	}
	wait.Wait()
	if let.Load() != 1 {
		t.Errorf("%d were let in with one ticket", let.Load())
	}
}

func TestTicketsAreBound(t *testing.T) {
	t.Parallel()
	h := open(t, func(c *gateway.Config) { c.Proxies = loopback() })
	jane, john := h.signedIn("jane"), h.signedIn("john")
	for why, use := range map[string]func(ticket string) int{
		"another's session": func(ticket string) int { _, status := john.connect(janes, ticket); return status },
		"another desktop":   func(ticket string) int { _, status := jane.connect(johns, ticket); return status },
		"no ticket":         func(string) int { _, status := jane.connect(janes, ""); return status },
		"a made-up ticket":  func(string) int { _, status := jane.connect(janes, strings.Repeat("A", 52)); return status },
		"too late": func(ticket string) int {
			h.advance(h.real, 21*time.Second)
			_, status := jane.connect(janes, ticket)
			return status
		},
		"another address": func(ticket string) int {
			jane.header.Set("X-Forwarded-For", "198.51.100.7")
			defer jane.header.Del("X-Forwarded-For")
			_, status := jane.connect(janes, ticket)
			return status
		},
		"signed out since": func(string) int {
			gone := h.signedIn("jane")
			ticket, _ := gone.ticket(janes)
			gone.do(http.MethodPost, "/sign-out", nil)
			_, status := gone.connect(janes, ticket)
			return status
		},
	} {
		ticket, said := jane.ticket(janes)
		if ticket == "" {
			t.Fatalf("%s: no ticket: %v", why, said)
		}
		if status := use(ticket); status < 400 || status >= 500 {
			t.Errorf("%s: %d", why, status)
		}
	}
	if visits := h.streams.Visits(); len(visits) > 0 {
		t.Errorf("visits: %+v", visits)
	}
}

// TestOthersDesktops asks for everything about desktops of somebody else's, and of nobody's:
// also of those who have the same name in another directory, and in another account.
func TestOthersDesktops(t *testing.T) {
	t.Parallel()
	beside := new(channels)
	h := open(t, func(c *gateway.Config) { c.Channels = beside })
	abroad := workspaces.Scope{Account: "210987654321", Region: here().Region}
	h.update(func(tx *store.Tx) error {
		return errors.Join(
			tx.InsertWorkSpace(t.Context(), &workspaces.WorkSpace{
				Scope: here(), ID: "ws-namesake1", DirectoryID: "d-9876543210", UserName: "jane", State: workspaces.Available,
			}),
			tx.InsertWorkSpace(t.Context(), &workspaces.WorkSpace{
				Scope: abroad, ID: "ws-namesake2", DirectoryID: directoryID, UserName: "jane", State: workspaces.Available,
			}),
			tx.InsertWorkSpace(t.Context(), &workspaces.WorkSpace{
				Scope: here(), ID: "ws-nobodys00", DirectoryID: directoryID, UserName: workspaces.Undefined, State: workspaces.Available,
			}),
		)
	})
	jane := h.signedIn("jane")
	if list := jane.get("/desktops").text; strings.Contains(list, "namesake") || strings.Contains(list, "nobodys") || !strings.Contains(list, janes) {
		t.Errorf("the list is\n%s", list)
	}
	others := []string{johns, "ws-namesake1", "ws-namesake2", "ws-nobodys00", "ws-none00000", "x", "ws-%00", "ws-'", strings.Repeat("x", 3000)}
	for _, id := range others {
		for _, path := range []string{"/desktop/" + id, "/desktops/" + id + "/screen", "/desktop/" + id + "/files/", "/desktop/" + id + "/files/Desktop/x", "/desktop/" + id + "/sound"} {
			jane.get(path).want(t, http.StatusNotFound)
		}
		jane.do(http.MethodPut, "/desktop/"+id+"/files/x", url.Values{}).want(t, http.StatusNotFound)
		jane.do(http.MethodPost, "/desktop/"+id+"/ticket", url.Values{"start": {"yes"}}).want(t, http.StatusNotFound)
		for _, action := range []string{"start", "restart", "rebuild", "compute-type", "running-mode", "volumes"} {
			jane.do(http.MethodPost, "/desktops/"+id+"/"+action, url.Values{"to": {"POWER"}}).want(t, http.StatusNotFound)
		}
		ticket, _ := jane.ticket(janes)
		if _, status := jane.connect(url.PathEscape(id), ticket); status < 400 || status >= 500 {
			t.Errorf("%s: a ticket for another desktop: %d", id, status)
		}
		jane.header.Set("Accept", "text/html")
	}
	if done := h.actions.list(); done != "" || beside.served() > 0 || len(h.streams.Visits()) > 0 {
		t.Errorf("done: %s; %d files and sounds", done, beside.served())
	}
	// What is refused of others' is there of one's own.
	jane.get("/desktop/"+janes+"/files/").want(t, http.StatusOK)
	jane.get("/desktop/"+janes+"/sound").want(t, http.StatusOK)
	h.browser().get("/desktop/"+janes+"/files/").want(t, http.StatusSeeOther)
	h.browser().do(http.MethodPut, "/desktop/"+janes+"/files/x", nil).want(t, http.StatusUnauthorized)
	if n := beside.served(); n != 2 {
		t.Errorf("%d files and sounds", n)
	}
}

// TestCutBeside takes permissions from somebody whose files are on their way.
func TestCutBeside(t *testing.T) {
	t.Parallel()
	beside := &channels{hold: true}
	h := open(t, func(c *gateway.Config) { c.Channels = beside })
	jane := h.signedIn("jane")
	var wait sync.WaitGroup
	for _, path := range []string{"files/Desktop/x", "sound"} {
		wait.Go(func() { jane.get("/desktop/"+janes+"/"+path).want(t, http.StatusForbidden, "browsers") })
	}
	h.until("both", func() bool { return len(beside.Visits()) == 2 })
	h.directory(func(d *workspaces.WorkspaceDirectory) {
		d.Settings.Streaming.Permissions = []workspaces.StreamPermission{{Action: workspaces.CopyToDevice, Permission: workspaces.Disabled}}
	})
	h.until("the new rules", func() bool {
		return !slices.ContainsFunc(beside.Visits(), func(v gateway.Visit) bool { return v.Rules.FilesOut })
	})
	h.directory(func(d *workspaces.WorkspaceDirectory) { d.Settings.Access.Web = workspaces.Deny })
	wait.Wait()
}

func TestConnectStarts(t *testing.T) {
	t.Parallel()
	h := open(t)
	jane := h.signedIn("jane")
	h.workspace(janes, func(w *workspaces.WorkSpace) { w.State = workspaces.Stopped })
	if _, said := jane.ticket(janes); said["wait"] == true || said["startable"] != true || h.actions.list() != "" {
		t.Errorf("a page by itself: %v, done %s", said, h.actions.list())
	}
	if _, said := jane.ticket(janes, "start", "yes"); said["wait"] != true || said["state"] != "STARTING" || h.actions.list() != "start "+janes {
		t.Errorf("the person: %v, done %s", said, h.actions.list())
	}
	// A page that has seen the state hears of the next one at once.
	var ticket atomic.Value
	var wait sync.WaitGroup
	wait.Go(func() {
		got, _ := jane.ticket(janes, "seen", "STARTING")
		ticket.Store(got)
	})
	h.workspace(janes, func(w *workspaces.WorkSpace) { w.Finish(h.clock.Now()) })
	wait.Wait()
	if ticket.Load() == "" {
		t.Error("no ticket once it runs")
	}
	for state, want := range map[workspaces.State]string{
		workspaces.AdminMaintenance: "Maintenance", workspaces.Errored: "Failed", workspaces.Unhealthy: "Not responding", workspaces.Rebooting: "Restarting",
	} {
		h.workspace(janes, func(w *workspaces.WorkSpace) { w.State = state })
		if ticket, said := jane.ticket(janes, "start", "yes"); ticket != "" || said["title"] != want {
			t.Errorf("%s: %v", state, said)
		}
	}
	// Whoever comes during a maintenance waits for its end, and is let in then; a migration is not for waiting.
	h.workspace(janes, func(w *workspaces.WorkSpace) { w.State = workspaces.Maintenance })
	if _, said := jane.ticket(janes, "start", "yes"); said["wait"] != true || said["title"] != "Being updated" {
		t.Errorf("in a maintenance: %v", said)
	}
	h.workspace(janes, func(w *workspaces.WorkSpace) { w.Migrating = johns })
	if _, said := jane.ticket(janes, "start", "yes"); said["wait"] == true || said["title"] != "Maintenance" {
		t.Errorf("in a migration: %v", said)
	}
	h.workspace(janes, func(w *workspaces.WorkSpace) {
		w.State, w.Migrating, w.Properties.RunningMode = workspaces.Stopped, "", workspaces.Manual
	})
	if _, said := jane.ticket(janes, "start", "yes"); said["startable"] == true || h.actions.list() != "start "+janes {
		t.Errorf("a MANUAL one was started: %v", said)
	}
}

func TestSelfService(t *testing.T) {
	t.Parallel()
	h := open(t)
	all := workspaces.SelfServicePermissions{
		Restart: workspaces.Enabled, IncreaseVolume: workspaces.Enabled, ChangeComputeType: workspaces.Enabled,
		SwitchRunningMode: workspaces.Enabled, Rebuild: workspaces.Enabled,
	}
	for action, c := range map[string]struct {
		to     string
		want   string
		forbid func(*workspaces.SelfServicePermissions)
	}{
		"restart":      {"", "reboot", func(s *workspaces.SelfServicePermissions) { s.Restart = workspaces.Disabled }},
		"rebuild":      {"", "rebuild", func(s *workspaces.SelfServicePermissions) { s.Rebuild = workspaces.Disabled }},
		"compute-type": {"POWER", "modify", func(s *workspaces.SelfServicePermissions) { s.ChangeComputeType = workspaces.Disabled }},
		"running-mode": {"ALWAYS_ON", "modify", func(s *workspaces.SelfServicePermissions) { s.SwitchRunningMode = workspaces.Disabled }},
		"volumes":      {"user:100", "modify", func(s *workspaces.SelfServicePermissions) { s.IncreaseVolume = workspaces.Disabled }},
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			jane := h.signedIn("jane")
			post := func(to string) page {
				return jane.do(http.MethodPost, "/desktops/"+janes+"/"+action, url.Values{"to": {to}})
			}
			h.directory(func(d *workspaces.WorkspaceDirectory) {
				d.Settings.SelfService = all
				c.forbid(&d.Settings.SelfService)
			})
			post(c.to).want(t, http.StatusForbidden, "cannot be done now")
			list := jane.get("/desktops").text
			if strings.Contains(list, "/"+action+`"`) {
				t.Errorf("offered though not permitted:\n%s", list)
			}
			h.directory(func(d *workspaces.WorkspaceDirectory) { d.Settings.SelfService = all })
			jane.get("/desktops").want(t, http.StatusOK, `action="/desktops/`+janes+"/"+action+`"`)
			if c.to != "" {
				post("nonsense").want(t, http.StatusForbidden)
			}
			if done := h.actions.list(); done != "" {
				t.Errorf("done before: %s", done)
			}
			post(c.to).want(t, http.StatusSeeOther)
			if done := h.actions.list(); done != c.want+" "+janes {
				t.Errorf("done: %s", done)
			}
		})
	}
	jane := h.signedIn("jane")
	jane.do(http.MethodPost, "/desktops/"+janes+"/terminate", nil).want(t, http.StatusNotFound)
	h.workspace(janes, func(w *workspaces.WorkSpace) { w.State = workspaces.AdminMaintenance })
	jane.do(http.MethodPost, "/desktops/"+janes+"/restart", nil).want(t, http.StatusConflict, "ADMIN_MAINTENANCE")
}

func TestScreen(t *testing.T) {
	t.Parallel()
	h := open(t)
	jane := h.signedIn("jane")
	got := jane.get("/desktops/" + janes + "/screen")
	got.want(t, http.StatusOK, "picture of "+janes)
	if got.Header.Get("Content-Type") != "image/png" || got.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", got.Header)
	}
	h.workspace(janes, func(w *workspaces.WorkSpace) { w.State = workspaces.Stopped })
	jane.get("/desktops/"+janes+"/screen").want(t, http.StatusNotFound)
	h.browser().get("/desktops/"+janes+"/screen").want(t, http.StatusSeeOther)
	john := h.signedIn("john") // whose screen cannot be seen
	john.get("/desktops/"+johns+"/screen").want(t, http.StatusNotFound)
}

// TestEvents follows the list of WorkSpaces.
func TestEvents(t *testing.T) {
	t.Parallel()
	h := open(t)
	jane := h.signedIn("jane")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.server.URL+"/desktops/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := jane.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var heard lockedText
	go func() { _, _ = io.Copy(&heard, response.Body) }()
	h.until("the first cards", func() bool { return heard.has("event: cards") && heard.has("Ready") })
	h.workspace(janes, func(w *workspaces.WorkSpace) { w.State = workspaces.Rebooting })
	h.until("the new state", func() bool { return heard.has("Restarting") })
	h.user("jane", func(u *workspaces.User) { u.Enabled = false })
	h.until("the end", func() bool { return heard.has("event: over") })
}

type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lockedText) has(part string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), part)
}

// TestCut takes one permission after the other from somebody at work.
func TestCut(t *testing.T) {
	t.Parallel()
	for why, c := range map[string]struct {
		f    func(h *house, jane *browser)
		says string
	}{
		"signed out":     {func(_ *house, jane *browser) { jane.do(http.MethodPost, "/sign-out", nil) }, "signed out"},
		"disabled":       {func(h *house, _ *browser) { h.user("jane", func(u *workspaces.User) { u.Enabled = false }) }, "signed out"},
		"a new password": {func(h *house, _ *browser) { h.user("jane", func(u *workspaces.User) { u.PasswordHash = "another" }) }, "signed out"},
		"web access": {func(h *house, _ *browser) {
			h.directory(func(d *workspaces.WorkspaceDirectory) { d.Settings.Access.Web = workspaces.Deny })
		}, "browsers"},
		"deleted": {func(h *house, _ *browser) { h.deleteUser("jane") }, "signed out"},
		"a rule of an IP group": {func(h *house, _ *browser) {
			h.onlyFrom("127.0.0.1", "203.0.113.0/24")
			h.update(func(tx *store.Tx) error {
				groups, err := tx.DirectoryIPGroups(h.Context(), here(), directoryID)
				if err != nil {
					return err
				}
				if err := groups[0].Revoke([]string{"127.0.0.1"}); err != nil {
					return err
				}
				return tx.SaveIPGroup(h.Context(), groups[0])
			})
		}, "127.0.0.1"},
		"deregistering": {func(h *house, _ *browser) {
			h.directory(func(d *workspaces.WorkspaceDirectory) { d.State = workspaces.Deregistering })
		}, "signed out"},
		"encryption":  {func(h *house, _ *browser) { h.directory(needsFIPS) }, "FIPS 140"},
		"an IP group": {func(h *house, _ *browser) { h.onlyFrom("203.0.113.0/24") }, "127.0.0.1"},
		"maintenance": {func(h *house, _ *browser) {
			h.workspace(janes, func(w *workspaces.WorkSpace) { w.State = workspaces.AdminMaintenance })
		}, "administrator"},
		"the session ends": {func(h *house, _ *browser) { h.advance(h.clock, 12*time.Hour) }, "signed out"},
		"terminated": {func(h *house, _ *browser) {
			h.workspace(janes, func(w *workspaces.WorkSpace) { w.State = workspaces.Terminating })
		}, "No such WorkSpace"},
	} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			jane, john := h.signedIn("jane"), h.signedIn("john")
			ticket, _ := jane.ticket(janes)
			way, _ := jane.connect(janes, ticket)
			ticket, _ = john.ticket(johns)
			other, _ := john.connect(johns, ticket)
			h.until("both to be connected", func() bool { return len(h.streams.Visits()) == 2 })
			begun := time.Now()
			c.f(h, jane)
			_, _, err := way.Read(t.Context())
			if code := websocket.CloseStatus(err); code != gateway.CutAccess || !strings.Contains(err.Error(), c.says) {
				t.Errorf("cut with %v", err)
			}
			if took := time.Since(begun); took > 15*time.Second {
				t.Errorf("cut after %v", took)
			}
			if slices.Contains([]string{"encryption", "an IP group", "a rule of an IP group", "web access", "the session ends", "deregistering"}, why) {
				return // john too
			}
			if err := other.Write(t.Context(), websocket.MessageBinary, []byte("x")); err != nil {
				t.Errorf("john: %v", err)
			}
			if _, _, err := other.Read(t.Context()); err != nil {
				t.Errorf("john was cut too: %v", err)
			}
		})
	}
}

// onlyFrom lets addresses of a range into the directory.
func (h *house) onlyFrom(ranges ...string) {
	h.Helper()
	g := &workspaces.IPGroup{Scope: here(), ID: "wsipg-000000001", Name: "office"}
	for _, text := range ranges {
		g.Rules = append(g.Rules, workspaces.IPRule{Range: text})
	}
	h.update(func(tx *store.Tx) error {
		if err := tx.InsertIPGroup(h.Context(), g); err != nil {
			return err
		}
		return tx.AssociateIPGroup(h.Context(), here(), directoryID, g.ID)
	})
}

func TestStreamingRulesChange(t *testing.T) {
	t.Parallel()
	h := open(t)
	jane := h.signedIn("jane")
	ticket, _ := jane.ticket(janes)
	jane.connect(janes, ticket)
	h.until("the visit", func() bool { return len(h.streams.Visits()) == 1 })
	h.directory(func(d *workspaces.WorkspaceDirectory) {
		d.Settings.Streaming.Permissions = []workspaces.StreamPermission{{Action: workspaces.CopyToDevice, Permission: workspaces.Disabled}}
	})
	h.until("the new rules", func() bool {
		v := h.streams.Visits()
		return len(v) == 1 && v[0].Rules.ClipboardOut == 0 && v[0].Rules.ClipboardIn > 0 && !v[0].Rules.FilesOut
	})
	if page := jane.get("/desktop/" + janes).text; strings.Contains(page, "data-copy") || !strings.Contains(page, "data-paste") {
		t.Error("the page offers what is not permitted, or not what is")
	}
}

// impatient is a browser's side of a connection that notes until when it has to have taken what it is sent.
type impatient struct {
	*httptest.ResponseRecorder
	until   time.Time
	gone    bool
	written int
}

func (*impatient) SetReadDeadline(time.Time) error { return nil }

func (i *impatient) SetWriteDeadline(until time.Time) error {
	i.until = until
	return nil
}

func (i *impatient) Write(p []byte) (int, error) {
	i.written++
	if left := time.Until(i.until); i.until.IsZero() || left > time.Minute {
		i.gone = true
	}
	return 0, os.ErrDeadlineExceeded
}

func TestEventsWaitForNobody(t *testing.T) {
	t.Parallel()
	h := open(t)
	jane := h.signedIn("jane")
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/desktops/events", http.NoBody)
	at, err := url.Parse(h.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range jane.client.Jar.Cookies(at) {
		r.AddCookie(cookie)
	}
	w := &impatient{ResponseRecorder: httptest.NewRecorder()}
	h.handler().ServeHTTP(w, r)
	if w.written != 1 || w.gone || !w.until.IsZero() {
		t.Errorf("%d writes, without an end: %v, and afterwards %v", w.written, w.gone, w.until)
	}
}
