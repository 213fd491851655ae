package stream_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"net"
	"sync"
	"testing"
	"time"

	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/gateway"
	"carrel/internal/gateway/stream"
)

func TestPicture(t *testing.T) {
	t.Parallel()
	real := clock.New()
	real.Freeze()
	dials := 0
	var mu sync.Mutex
	h := open(t, func(c *stream.Config) {
		c.Real = real
		c.Driver = counted{c.Driver, func() { mu.Lock(); dials++; mu.Unlock() }}
	})
	d := gateway.Desktop{Scope: here(), ID: desktopID}
	var together sync.WaitGroup
	for range 20 {
		together.Go(func() {
			b, kind, err := h.Picture(t.Context(), d)
			if err != nil || kind != "image/jpeg" {
				t.Errorf("%s, %v", kind, err)
				return
			}
			picture, err := jpeg.Decode(bytes.NewReader(b))
			if err != nil || picture.Bounds().Size() != image.Pt(480, 360) {
				t.Errorf("%v, %v", picture.Bounds(), err)
			}
		})
	}
	together.Wait()
	if mu.Lock(); dials != 1 {
		t.Errorf("20 pictures took %d connections", dials)
	}
	mu.Unlock()
	if err := real.Advance(3 * time.Second); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.Picture(t.Context(), d); err != nil || dials != 2 {
		t.Errorf("%d connections, %v", dials, err)
	}
	if c := h.connection(); c.Connected || !c.DisconnectedAt.IsZero() {
		t.Errorf("a picture is no visit: %+v", c)
	}
	if _, err := h.engine.Stop(t.Context(), desktopID); err != nil {
		t.Fatal(err)
	}
	if err := real.Advance(3 * time.Second); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.Picture(t.Context(), d); !errors.Is(err, compute.ErrNotRunning) {
		t.Errorf("of a stopped desktop: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := h.Picture(ended, gateway.Desktop{Scope: here(), ID: "ws-nobody001"}); err == nil {
		t.Error("a picture of nothing")
	}
}

// counted tells of each dial.
type counted struct {
	compute.Driver
	dialled func()
}

func (c counted) Dial(ctx context.Context, id string) (net.Conn, error) {
	c.dialled()
	return c.Driver.Dial(ctx, id)
}
