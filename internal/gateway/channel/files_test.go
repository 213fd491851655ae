package channel_test

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"carrel/internal/compute"
	"carrel/internal/compute/simulated"
	"carrel/internal/gateway"
	"carrel/internal/sidechannel"
)

func TestFilesGoInAndOut(t *testing.T) {
	t.Parallel()
	d, _ := simulate(t)
	const name = `<b>"Über" 100%.html`
	const content = "<script>alert(1)</script>"
	for _, want := range []string{name, `<b>"Über" 100% (2).html`} {
		reply := d.ask(http.MethodPut, "Documents/"+url.PathEscape(name), content)
		if file := said[sidechannel.File](t, reply.body); reply.status != http.StatusCreated || file.Name != want || file.Folder != "Documents" {
			t.Fatalf("PUT: %d %s", reply.status, reply.body)
		}
	}
	reply := d.ask(http.MethodPut, "plain.txt", "x")
	if file := said[sidechannel.File](t, reply.body); reply.status != http.StatusCreated || file.Folder != sidechannel.Desktop {
		t.Errorf("PUT without a folder: %d %s", reply.status, reply.body)
	}
	reply = d.ask(http.MethodGet, "", "")
	if listing := said[sidechannel.Listing](t, reply.body); reply.status != http.StatusOK || len(listing.Files) != 3 {
		t.Errorf("GET of the list: %d %s", reply.status, reply.body)
	}
	reply = d.ask(http.MethodGet, "Documents/"+url.PathEscape(name), "")
	if reply.status != http.StatusOK || reply.body != content || reply.length != int64(len(content)) {
		t.Errorf("GET: %d %q", reply.status, reply.body)
	}
	kind, parameters, err := mime.ParseMediaType(reply.header.Get("Content-Disposition"))
	if err != nil || kind != "attachment" || parameters["filename"] != name {
		t.Errorf("Content-Disposition %q", reply.header.Get("Content-Disposition"))
	}
}

// TestNothingRunsInThePortal has a desktop give its file headers, and sees that none of them come through.
func TestNothingRunsInThePortal(t *testing.T) {
	t.Parallel()
	d := answering(t, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Disposition: inline\r\nSet-Cookie: session=stolen\r\n"+
		"Content-Security-Policy: default-src *\r\nLocation: /\r\nRefresh: 0; url=//evil.example\r\nAccess-Control-Allow-Origin: *\r\n"+
		"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\n<i>hi")
	reply := d.ask(http.MethodGet, "Desktop/x.html", "")
	if reply.status != http.StatusOK || reply.body != "<i>hi" {
		t.Fatalf("%d %q", reply.status, reply.body)
	}
	want := http.Header{
		"Content-Type": {"application/octet-stream"}, "Content-Disposition": {"attachment; filename=x.html"}, "Content-Length": {"5"},
		"X-Content-Type-Options": {"nosniff"}, "Content-Security-Policy": {"default-src 'none'; sandbox"},
		"Cross-Origin-Resource-Policy": {"same-origin"}, "Cache-Control": {"no-store"}, "Date": reply.header["Date"],
	}
	if got := fmt.Sprint(reply.header); got != fmt.Sprint(want) {
		t.Errorf("headers %v\nwant %v", got, want)
	}
}

// TestHalfAFile sees that a browser is not told of a whole file where a desktop breaks off.
func TestHalfAFile(t *testing.T) {
	t.Parallel()
	d := answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
	if reply := d.ask(http.MethodGet, "Desktop/x", ""); reply.body != brokenOff {
		t.Errorf("%d %q, want it broken off", reply.status, reply.body)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 3<<20) // more than channels take
	middle := large[:3<<19]             // and more than a simulated desktop holds
	d, driver := simulate(t)
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{http.MethodGet, "Desktop/missing", "", http.StatusNotFound},
		{http.MethodGet, "Music/x", "", http.StatusNotFound},
		{http.MethodGet, "etc/passwd", "", http.StatusNotFound},
		{http.MethodGet, "Desktop/a%2Fb", "", http.StatusBadRequest},
		{http.MethodGet, "Desktop/%2e%2e%2fx", "", http.StatusBadRequest},
		{http.MethodGet, "Desktop/x%00", "", http.StatusBadRequest},
		{http.MethodGet, "Desktop/%ff", "", http.StatusBadRequest},
		{http.MethodPut, "Desktop/", "x", http.StatusBadRequest},
		{http.MethodPut, "", "x", http.StatusBadRequest},
		{http.MethodPut, "Desktop/bell%07", "x", http.StatusBadRequest},
		{http.MethodPut, "large", large, http.StatusRequestEntityTooLarge},
		{http.MethodPut, "middle", middle, http.StatusInsufficientStorage},
		{http.MethodDelete, "Desktop/x", "", http.StatusMethodNotAllowed},
		{http.MethodPost, "Desktop/x", "x", http.StatusMethodNotAllowed},
	} {
		reply := d.ask(c.method, c.path, c.body)
		why := said[map[string]string](t, reply.body)
		if reply.status != c.status || why["title"] == "" || why["text"] == "" {
			t.Errorf("%s of %q: %d %s, want %d", c.method, c.path, reply.status, reply.body, c.status)
		}
	}
	if _, err := driver.Stop(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if reply := d.ask(http.MethodGet, "", ""); reply.status != http.StatusConflict {
		t.Errorf("of a stopped desktop: %d %s", reply.status, reply.body)
	}
	if _, err := driver.Delete(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if reply := d.ask(http.MethodPut, "x", "x"); reply.status != http.StatusNotFound {
		t.Errorf("of a desktop that is gone: %d %s", reply.status, reply.body)
	}
}

func TestRulesDecideTheDirection(t *testing.T) {
	t.Parallel()
	d, _ := simulate(t)
	if reply := d.ask(http.MethodPut, "x", "x"); reply.status != http.StatusCreated {
		t.Fatalf("PUT: %d %s", reply.status, reply.body)
	}
	for _, c := range []struct {
		in, out                  bool
		wantPut, wantGet, wantLs int
	}{
		{true, false, http.StatusCreated, http.StatusForbidden, http.StatusForbidden},
		{false, true, http.StatusForbidden, http.StatusOK, http.StatusOK},
		{false, false, http.StatusForbidden, http.StatusForbidden, http.StatusForbidden},
	} {
		d.rules.FilesIn, d.rules.FilesOut = c.in, c.out
		for what, want := range map[[2]string]int{{http.MethodPut, "y"}: c.wantPut, {http.MethodGet, "Desktop/x"}: c.wantGet, {http.MethodGet, ""}: c.wantLs} {
			if reply := d.ask(what[0], what[1], "y"); reply.status != want {
				t.Errorf("in %v, out %v: %v: %d %s, want %d", c.in, c.out, what, reply.status, reply.body, want)
			}
		}
	}
}

// TestBadDesktops has desktops answer what they should not, or not be there.
func TestBadDesktops(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		desk   *desk
		status int
	}{
		"says nothing":     {answering(t, ""), http.StatusBadGateway},
		"redirects":        {answering(t, "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n"), http.StatusBadGateway},
		"fails":            {answering(t, "HTTP/1.1 500 Oops\r\nContent-Length: 6\r\n\r\nsecret"), http.StatusBadGateway},
		"has an old image": {open(t, refusing(compute.ErrUnavailable)), http.StatusServiceUnavailable},
	} {
		for _, path := range []string{"", "Desktop/x"} {
			reply := c.desk.ask(http.MethodGet, path, "")
			if reply.status != c.status || strings.Contains(reply.body, "secret") {
				t.Errorf("one that %s: GET of %q: %d %s", what, path, reply.status, reply.body)
			}
		}
		if reply := c.desk.ask(http.MethodPut, "x", "x"); reply.status != c.status {
			t.Errorf("one that %s: PUT: %d %s", what, reply.status, reply.body)
		}
	}
}

func refusing(err error) func(context.Context, string) (net.Conn, error) {
	return func(context.Context, string) (net.Conn, error) { return nil, err }
}

// TestNotTooManyAtOnce holds as many transfers as there may be, and one more.
func TestNotTooManyAtOnce(t *testing.T) {
	t.Parallel()
	held := make(chan net.Conn, 100)
	d := open(t, func(context.Context, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		held <- theirs
		return ours, nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for range 12 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.server.URL+"/desktop/"+id+"/files/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			if reply, err := http.DefaultClient.Do(request); err == nil {
				reply.Body.Close()
			}
		}()
		<-held
	}
	if reply := d.ask(http.MethodGet, "", ""); reply.status != http.StatusTooManyRequests {
		t.Errorf("one too many: %d %s", reply.status, reply.body)
	}
}

// TestTransfersAreCut breaks off a file on its way in and one on its way out.
func TestTransfersAreCut(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		method string
		cut    func(d *desk, id string)
	}{
		"out, by a cut":            {http.MethodGet, func(d *desk, id string) { d.channels.Cut(id, "Not from here.") }},
		"out, by a change of rule": {http.MethodGet, func(d *desk, id string) { d.channels.SetRules(id, gateway.Rules{FilesIn: true}) }},
		"in, by a cut":             {http.MethodPut, func(d *desk, id string) { d.channels.Cut(id, "Not from here.") }},
		"in, by a change of rule":  {http.MethodPut, func(d *desk, id string) { d.channels.SetRules(id, gateway.Rules{FilesOut: true}) }},
	} {
		asked := make(chan struct{})
		d := open(t, func(context.Context, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				_, _ = theirs.Read(make([]byte, 64<<10))
				if c.method == http.MethodGet { // once all of this is taken, a part of it is on its way to the browser
					_, _ = io.WriteString(theirs, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"+strings.Repeat("x", 100_000))
				}
				close(asked)
			}()
			return ours, nil
		})
		go func() {
			<-asked
			visits := d.channels.Visits()
			if len(visits) != 1 {
				t.Errorf("%s: visits %v", what, visits)
				return
			}
			d.channels.SetRules(visits[0].ID, visits[0].Rules) // which changes nothing
			c.cut(d, visits[0].ID)
		}()
		reply := d.ask(c.method, "Desktop/x", "content")
		if c.method == http.MethodGet && reply.body != brokenOff || c.method == http.MethodPut && reply.status != http.StatusForbidden {
			t.Errorf("%s: %d %s", what, reply.status, reply.body)
		}
	}
}

// FuzzFiles holds that no path makes channels fail, or reach beyond the folders.
func FuzzFiles(f *testing.F) {
	for _, path := range []string{"", "/", "Desktop/x", "Desktop//x", "../x", "Desktop/../../x", "%2e%2e/x", "Desktop/%00", "Desktop/a?b#c", "etc/passwd"} {
		f.Add(path, true)
	}
	f.Fuzz(func(t *testing.T, path string, puts bool) {
		d, driver := simulate(t)
		method := map[bool]string{true: http.MethodPut, false: http.MethodGet}[puts]
		request := httptest.NewRequestWithContext(t.Context(), method, "/", strings.NewReader("x"))
		request.SetPathValue("rest", path)
		reply := httptest.NewRecorder()
		d.channels.Files(reply, request, gateway.Visit{Desktop: gateway.Desktop{ID: id}, ID: "1", Rules: d.rules})
		if reply.Code >= http.StatusInternalServerError {
			t.Errorf("%s of %q: %d %s", method, path, reply.Code, reply.Body)
		}
		files, err := driver.Files(t.Context(), id, simulated.Home)
		if err != nil || len(files) > 1 || len(files) == 1 && reply.Code != http.StatusCreated {
			t.Fatalf("%s of %q: %d, and the volume holds %q, %v", method, path, reply.Code, files, err)
		}
		for _, file := range files {
			if folder, name, _ := strings.Cut(file, "/"); !sidechannel.Folder(folder).Valid() || !sidechannel.ValidName(name) {
				t.Errorf("%q made %q", path, file)
			}
		}
	})
}
