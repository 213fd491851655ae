package stream_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"image"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/compute/computetest"
	"carrel/internal/compute/incus"
	"carrel/internal/gateway"
	"carrel/internal/gateway/stream"
	"carrel/internal/rfb"
)

// onIncus has the house's desktop be a real one. The test is skipped unless
// CARREL_TEST_INCUS=1 says that there is Incus, with the image carrel/xfce.
func onIncus(t *testing.T) func(*stream.Config) {
	t.Helper()
	if os.Getenv("CARREL_TEST_INCUS") != "1" {
		t.Skip("CARREL_TEST_INCUS is not 1: make test sets it, where it has started Incus")
	}
	name := "carrel-test-stream-" + strings.ToLower(rand.Text()[:6])
	driver, err := incus.Open(t.Context(), incus.Config{
		Project: name, Installation: "of-" + name, Clock: clock.New(), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := driver.Remove(ctx); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	err = computetest.Wait(ctx, clock.New(), func(ctx context.Context) (time.Time, error) {
		return driver.Create(ctx, compute.Desktop{
			ID: desktopID, Image: "carrel/xfce", CPUs: 1, MemoryMiB: 1024, RootGiB: 4, UserGiB: 1, ComputerName: "A-STREAM",
			Address: netip.MustParseAddr("10.251.77.5"), User: compute.User{Name: "jane", FullName: "Jane Doe"},
			Subnet: compute.Subnet{ID: "subnet-" + name, Prefix: netip.MustParsePrefix("10.251.77.0/24"), Gateway: netip.MustParseAddr("10.251.77.1")},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(c *stream.Config) { c.Driver = driver }
}

// fence waits for the echo of a fence, with which all that was said before it has been
// followed by the gateway as it was meant.
func (h *house) fence(x *tab) {
	h.t.Helper()
	mark := []byte(rand.Text())
	x.say(rfb.Fence{Flags: 1 << 31, Payload: mark})
	h.await("the echo of a fence", func() bool {
		x.mu.Lock()
		defer x.mu.Unlock()
		return bytes.Contains(x.said, mark)
	})
}

// TestStreamOnIncus follows a real Xvnc in every encoding that it and noVNC speak, while it
// draws, is resized, is copied to, is looked at, and stops.
func TestStreamOnIncus(t *testing.T) {
	t.Parallel()
	h := open(t, onIncus(t))
	common := []int32{
		rfb.EncodingDesktopSize, rfb.EncodingLastRectangle, rfb.EncodingExtendedKeyEvent, rfb.EncodingLEDs, rfb.EncodingExtendedDesktopSize, -309,
		rfb.EncodingFence, rfb.EncodingContinuousUpdates, rfb.EncodingDesktopName, rfb.EncodingExtendedClipboard, rfb.EncodingExtendedButtons,
		rfb.EncodingVMwareCursor, rfb.EncodingCursor, -26, -254,
	}
	screen := image.Rect(0, 0, 1280, 800)
	all := rfb.UpdateRequest{Area: screen}
	for _, encodings := range [][]int32{
		{rfb.EncodingCopyRect, rfb.EncodingH264, rfb.EncodingTight, rfb.EncodingTightPNG, rfb.EncodingZRLE, 21, rfb.EncodingHextile, rfb.EncodingRRE, rfb.EncodingZlib, rfb.EncodingRaw},
		{rfb.EncodingZRLE},
		{rfb.EncodingHextile},
		{rfb.EncodingRRE},
		{rfb.EncodingRaw},
	} {
		x := h.listen("")
		x.say(rfb.SetPixelFormat{Format: trueColour()}, rfb.SetEncodings{Encodings: append(encodings, common...)}, all)
		h.await("the session's own picture", func() bool {
			h.fence(x)
			x.say(all)
			return x.heard() > 10_000
		})
		came := h.clock.Now()
		h.advance(time.Second)
		x.say(rfb.CutText{Extended: true, Text: []byte{0x1f, 0, 0, 1, 0, 0, 0, 0}}, rfb.CutText{Extended: true, Text: []byte{8, 0, 0, 1}})
		for i := range 40 { // what draws is drawn over, moves and changes its size meanwhile
			x.say(
				rfb.PointerEvent{At: image.Pt(20*i, 15*i), Buttons: uint8(i % 2)},
				rfb.ExtendedKeyEvent{Down: i%2 == 0, Key: 0xffeb, Code: 0xdb}, all,
				rfb.UpdateRequest{Incremental: true, Area: screen},
			)
		}
		x.say(rfb.SetDesktopSize{Size: image.Pt(1000, 700), Screens: []rfb.ScreenLayout{{Area: image.Rect(0, 0, 1000, 700)}}}, all)
		h.fence(x)
		x.say(rfb.ContinuousUpdates{On: true, Area: screen})
		h.fence(x)
		x.say(rfb.SetDesktopSize{Size: screen.Size(), Screens: []rfb.ScreenLayout{{Area: screen}}})
		if _, _, err := h.Picture(t.Context(), gateway.Desktop{Scope: here(), ID: desktopID}); err != nil {
			t.Error(err)
		}
		h.fence(x)
		if at, _ := h.LastInput(h.Visits()[0].ID); !at.After(came) {
			t.Error("keys and a pointer are no input")
		}
		_ = x.ws.Close(websocket.StatusNormalClosure, "")
		h.await("the end", func() bool { return len(h.Visits()) == 0 })
	}
	first, second := h.visit(""), h.visit("share=1")
	if _, err := h.Driver.Stop(t.Context(), desktopID); err != nil {
		t.Fatal(err)
	}
	first.ends(1013, "gone")
	second.ends(1013, "gone")
	if _, _, err := h.Picture(t.Context(), gateway.Desktop{Scope: here(), ID: desktopID}); !errors.Is(err, compute.ErrNotRunning) && err != nil {
		t.Error(err)
	}
}
