package stream_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"carrel/internal/compute"
	"carrel/internal/gateway/stream"
	"carrel/internal/rfb"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// BenchmarkRoundTrip sends a fence to a desktop and waits for its echo, directly and through
// the gateway, with one stream and with 50 that all do so as fast as they can. The desktop is
// a Unix socket that does nothing else. What counts are the medians side by side.
//
//	go test -run XXX -bench RoundTrip ./internal/gateway/stream
func BenchmarkRoundTrip(b *testing.B) {
	desktop := filepath.Join(b.TempDir(), "rfb.sock")
	listener, err := new(net.ListenConfig).Listen(b.Context(), "unix", desktop)
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go echoFences(conn)
		}
	}()
	h := open(b, func(c *stream.Config) { c.Driver = socket{c.Driver, desktop} })
	h.update(func(ctx context.Context, tx *store.Tx) error {
		for i := range 50 {
			w := &workspaces.WorkSpace{
				Scope: here(), ID: nth(i), DirectoryID: directoryID, UserName: nth(i), State: workspaces.Available, ReadyAt: h.clock.Now(),
			}
			if err := tx.InsertWorkSpace(ctx, w); err != nil {
				return err
			}
		}
		return nil
	})
	for _, way := range []struct {
		name string
		dial func(i int) io.ReadWriter
	}{
		{"direct", func(int) io.ReadWriter {
			conn, err := new(net.Dialer).DialContext(b.Context(), "unix", desktop)
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { conn.Close() })
			if _, err := rfb.Join(b.Context(), conn, bufio.NewReader(conn)); err != nil {
				b.Fatal(err)
			}
			return conn
		}},
		{"gateway", func(i int) io.ReadWriter {
			conn := websocket.NetConn(context.Background(), h.dial("desktop="+nth(i)), websocket.MessageBinary)
			if _, err := rfb.Join(b.Context(), conn, bufio.NewReader(conn)); err != nil {
				b.Fatal(err)
			}
			return conn
		}},
	} {
		for _, n := range []int{1, 50} {
			b.Run(fmt.Sprintf("%s/%d", way.name, n), func(b *testing.B) {
				conns := make([]io.ReadWriter, n)
				for i := range conns {
					conns[i] = way.dial(i)
				}
				roundTrips(b, conns)
			})
		}
	}
}

// nth is the id of one of many desktops.
func nth(i int) string { return fmt.Sprintf("ws-many%05d", i) }

// roundTrips shares b.N round trips among connections, and reports their median.
func roundTrips(b *testing.B, conns []io.ReadWriter) {
	b.Helper()
	took := make([][]time.Duration, len(conns))
	var together sync.WaitGroup
	b.ResetTimer()
	for i, conn := range conns {
		together.Go(func() {
			fence := rfb.Fence{Flags: 1 << 31, Payload: []byte("12345678")}.AppendClient(nil)
			echo := make([]byte, len(fence))
			for range max(b.N/len(conns), 1) {
				began := time.Now()
				if _, err := conn.Write(fence); err != nil {
					b.Error(err)
					return
				}
				if _, err := io.ReadFull(conn, echo); err != nil {
					b.Error(err)
					return
				}
				took[i] = append(took[i], time.Since(began))
			}
		})
	}
	together.Wait()
	all := slices.Concat(took...)
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
}

// socket is an engine whose desktops are at a Unix socket.
type socket struct {
	compute.Driver
	path string
}

func (s socket) Dial(ctx context.Context, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", s.path)
}

// echoFences is a desktop that echoes fences.
func echoFences(conn net.Conn) {
	defer conn.Close()
	if !shakeHands(conn) {
		return
	}
	r := bufio.NewReader(conn)
	for {
		m, err := rfb.ReadClientMessage(r)
		if err != nil {
			return
		}
		if f, ok := m.(rfb.Fence); ok {
			f.Flags &^= 1 << 31
			if _, err := conn.Write(f.AppendServer(nil)); err != nil {
				return
			}
		}
	}
}
