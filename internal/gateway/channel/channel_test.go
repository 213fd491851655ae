package channel_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/compute/simulated"
	"carrel/internal/gateway"
	"carrel/internal/gateway/channel"
)

// desk is a browser's way to one desktop.
type desk struct {
	*testing.T
	channels *channel.Channels
	server   *httptest.Server
	rules    gateway.Rules
}

const id = "ws-1"

// open has channels to a desktop that is reached by dial.
func open(t *testing.T, dial func(context.Context, string) (net.Conn, error)) *desk {
	t.Helper()
	d := &desk{T: t, rules: gateway.Rules{FilesIn: true, FilesOut: true}}
	d.channels = channel.New(channel.Config{Dial: dial, Real: clock.New(), Log: slog.New(slog.DiscardHandler), MaxFile: 2 << 20})
	visit := func(serve func(http.ResponseWriter, *http.Request, gateway.Visit)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			serve(w, r, gateway.Visit{Desktop: gateway.Desktop{ID: r.PathValue("id")}, ID: r.RemoteAddr, User: "jane", Rules: d.rules})
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/desktop/{id}/files/{rest...}", visit(d.channels.Files))
	mux.HandleFunc("/desktop/{id}/sound", visit(d.channels.Sound))
	d.server = httptest.NewServer(mux)
	t.Cleanup(d.server.Close)
	return d
}

// simulate has channels to a simulated desktop.
func simulate(t *testing.T) (*desk, *simulated.Driver) {
	t.Helper()
	driver, err := simulated.Open(simulated.Config{AnyImage: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = driver.Close() })
	_, err = driver.Create(t.Context(), compute.Desktop{
		ID: id, CPUs: 1, MemoryMiB: 1, RootGiB: 1, UserGiB: 1,
		Subnet: compute.Subnet{Prefix: netip.MustParsePrefix("10.0.0.0/24")}, Address: netip.MustParseAddr("10.0.0.10"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return open(t, driver.DialSide), driver
}

// answering has channels to a desktop that says the same to whatever it is asked.
func answering(t *testing.T, answer string) *desk {
	t.Helper()
	return open(t, func(context.Context, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			_, _ = theirs.Read(make([]byte, 64<<10))
			_, _ = io.WriteString(theirs, answer)
		}()
		return ours, nil
	})
}

const brokenOff = "broken off"

// answer is a reply that has been read.
type answer struct {
	status int
	header http.Header
	length int64
	body   string // brokenOff where it did
}

// ask makes a request below the desktop's files.
func (d *desk) ask(method, path, body string) answer {
	d.Helper()
	request, err := http.NewRequestWithContext(d.Context(), method, d.server.URL+"/desktop/"+id+"/files/"+path, strings.NewReader(body))
	if err != nil {
		d.Fatal(err)
	}
	reply, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return answer{body: brokenOff}
	}
	defer reply.Body.Close()
	got, err := io.ReadAll(reply.Body)
	if err != nil {
		got = []byte(brokenOff)
	}
	return answer{reply.StatusCode, reply.Header, reply.ContentLength, string(got)}
}

// said reads a reply in JSON.
func said[T any](t *testing.T, text string) (value T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return value
}
