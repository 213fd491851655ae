package gateway_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"carrel/internal/gateway"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

const lab = "wspool-lab000001"

// pooled is a house whose directory has a pool in place of WorkSpaces, with one desktop, and one of another directory.
func pooled(t *testing.T, change ...func(*gateway.Config)) *house {
	t.Helper()
	h := open(t, change...)
	h.directory(func(d *workspaces.WorkspaceDirectory) { d.WorkspaceType = "POOLS" })
	p := workspaces.Pool{
		Scope: here(), ID: lab, Name: "Lab", Description: "For chemists", DirectoryID: directoryID, State: workspaces.PoolRunning, Desired: 1,
		Timeouts: workspaces.PoolTimeouts{Disconnect: 300, Idle: 600, Maximum: 36_000},
	}
	other := p
	other.ID, other.Name, other.DirectoryID = "wspool-other0001", "Other", "d-9999999999"
	d, _ := workspaces.NewPoolDesktop(&p, h.clock.Now())
	d.Place(workspaces.Subnet{ID: "subnet-1", Prefix: netip.MustParsePrefix("10.0.0.0/24")}, 9)
	d.ID = "pd-one"
	d.Made(h.clock.Now())
	h.update(func(tx *store.Tx) error {
		err := tx.InsertPool(t.Context(), &p)
		if err == nil {
			err = tx.InsertPool(t.Context(), &other)
		}
		if err == nil {
			err = tx.InsertPoolDesktop(t.Context(), d)
		}
		return err
	})
	return h
}

// TestPool goes from the list to a desktop, while another finds that there is none left, and back.
func TestPool(t *testing.T) {
	t.Parallel()
	h := pooled(t)
	jane, john := h.signedIn("jane"), h.signedIn("john")
	page := jane.get("/desktops")
	page.want(t, http.StatusOK, "Lab", "For chemists", "A desktop waits for you", `href="/desktop/`+lab+`"`)
	if strings.Contains(page.text, "Other") || strings.Contains(page.text, "End session") {
		t.Errorf("the list has\n%s", page.text)
	}
	for _, path := range []string{"/desktop/wspool-other0001", "/desktop/" + janes, "/desktop/pd-one", "/desktop/wspool-x"} {
		jane.get(path).want(t, http.StatusNotFound, "No such WorkSpace")
	}
	jane.get("/desktop/"+lab).want(t, http.StatusOK, `data-desktop="`+lab+`"`, "Lab")
	if ticket, said := jane.ticket(lab); ticket != "" || said["startable"] != true || said["title"] != "Your session has ended" || len(h.actions.list()) > 0 {
		t.Errorf("nobody asked for a desktop, and there is %v", said)
	}
	ticket, said := jane.ticket(lab, "start", "yes")
	way, status := jane.connect(lab, ticket)
	if status != http.StatusSwitchingProtocols {
		t.Fatalf("%d: %v", status, said)
	}
	if err := way.Write(t.Context(), websocket.MessageBinary, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := way.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	visits := h.streams.Visits()
	if len(visits) != 1 || visits[0].Desktop != (gateway.Desktop{Scope: here(), ID: "pd-one"}) || visits[0].User != "Jane" {
		t.Errorf("visits: %+v", visits)
	}

	// Nobody else is given it, by whatever way.
	if ticket, said := john.ticket(lab, "start", "yes"); ticket != "" || said["text"] != "All desktops are in use." || said["startable"] != true {
		t.Errorf("john is told %v", said)
	}
	john.header.Set("Accept", "text/html")
	john.get("/desktops").want(t, http.StatusOK, "None is free")
	john.get("/desktops/"+lab+"/screen").want(t, http.StatusNotFound)

	// Jane's second tab has the same; her list offers to end it.
	if ticket, said := jane.ticket(lab, "start", "yes"); ticket == "" {
		t.Errorf("a second tab is told %v", said)
	}
	jane.header.Set("Accept", "text/html")
	jane.get("/desktops").want(t, http.StatusOK, "End session", "/desktops/"+lab+"/end", "away for 5 minutes")
	jane.do(http.MethodPost, "/desktops/"+lab+"/rebuild", nil).want(t, http.StatusNotFound)
	jane.do(http.MethodPost, "/desktops/"+lab+"/end", nil).want(t, http.StatusSeeOther)
	jane.get("/desktops").want(t, http.StatusOK, "Your last session is being ended")
	if ticket, said := jane.ticket(lab, "seen", "ACTIVE"); ticket != "" || said["wait"] != true || said["state"] != "ENDING" {
		t.Errorf("while it ends she is told %v", said)
	}
	if want := "join Jane " + lab + ", join john " + lab + ", leave Jane " + lab; h.actions.list() != want {
		t.Errorf("done was %s, want %s", h.actions.list(), want)
	}
	_ = way.CloseNow()

	h.update(func(tx *store.Tx) error {
		p, _, err := tx.Pool(t.Context(), here(), lab)
		if err != nil {
			return err
		}
		read := p.Generation
		p.State = workspaces.PoolStopped
		p.Generation++
		_, err = tx.SavePool(t.Context(), p, read)
		return err
	})
	john.get("/desktops").want(t, http.StatusOK, "Your administrator starts it")
	if ticket, said := john.ticket(lab, "start", "yes"); ticket != "" || said["startable"] != nil {
		t.Errorf("a stopped pool gives %v", said)
	}
}

// TestIdle cuts off who has done nothing for too long, and lets them come back to their session.
func TestIdle(t *testing.T) {
	t.Parallel()
	h := pooled(t)
	jane := h.signedIn("jane")
	ticket, _ := jane.ticket(lab, "start", "yes")
	way, _ := jane.connect(lab, ticket)
	h.advance(h.clock, 599*time.Second)
	if err := way.Write(t.Context(), websocket.MessageBinary, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := way.Read(t.Context()); err != nil {
		t.Fatalf("cut too soon: %v", err)
	}
	h.advance(h.clock, time.Second)
	_, _, err := way.Read(t.Context())
	if websocket.CloseStatus(err) != gateway.CutAccess || !strings.Contains(err.Error(), "10 minutes") {
		t.Errorf("cut with %v", err)
	}
	if ticket, said := jane.ticket(lab); ticket == "" {
		t.Errorf("coming back, she is told %v", said)
	}
}

// TestWarned warns who is connected five minutes before their session is over, once.
func TestWarned(t *testing.T) {
	t.Parallel()
	h := pooled(t)
	h.update(func(tx *store.Tx) error {
		p, _, err := tx.Pool(t.Context(), here(), lab)
		if err != nil {
			return err
		}
		p.Timeouts.Idle = 0
		_, err = tx.SavePool(t.Context(), p, p.Generation)
		return err
	})
	jane := h.signedIn("jane")
	ticket, _ := jane.ticket(lab, "start", "yes")
	way, _ := jane.connect(lab, ticket)
	h.advance(h.clock, 9*time.Hour+54*time.Minute)
	if err := way.Write(t.Context(), websocket.MessageBinary, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if kind, _, err := way.Read(t.Context()); err != nil || kind != websocket.MessageBinary {
		t.Fatalf("warned too soon: %v", err)
	}
	h.advance(h.clock, time.Minute)
	kind, text, err := way.Read(t.Context())
	if err != nil || kind != websocket.MessageText || !strings.Contains(string(text), "Your session ends at") {
		t.Errorf("warned with %q, %v", text, err)
	}
}
