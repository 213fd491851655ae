package stream

import (
	"context"
	"image"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/gateway"
	"carrel/internal/rfb"
)

// mostlySilent is an engine whose desktops take connections and say nothing, but for one.
type mostlySilent struct{ compute.Driver }

func (mostlySilent) Dial(_ context.Context, id string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	if !strings.HasPrefix(id, "silent") {
		screen := rfb.NewScreen(image.NewRGBA(image.Rect(0, 0, 8, 8)))
		server := rfb.Server{Screen: func() *rfb.Screen { return screen }}
		go func() { _ = server.Serve(theirs) }()
	}
	return ours, nil
}

// TestSilentDesktopsKeepNoPicturesBack has more silent desktops than pictures are taken at once.
func TestSilentDesktopsKeepNoPicturesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPictures(mostlySilent{}, clock.New())
		ended := make(chan error, 9)
		for _, id := range []string{"silent 1", "silent 2", "silent 3", "silent 4"} {
			go func() {
				_, err := p.of(t.Context(), gateway.Desktop{ID: id})
				ended <- err
			}()
		}
		synctest.Wait()
		if _, err := p.of(t.Context(), gateway.Desktop{ID: "that speaks"}); err != nil {
			t.Errorf("of one that speaks: %v", err)
		}
		for range 4 {
			if err := <-ended; err == nil {
				t.Error("a picture of one that is silent")
			}
		}
	})
}
