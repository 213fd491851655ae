package channel

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"carrel/internal/compute"
	"carrel/internal/gateway"
	"carrel/internal/sidechannel"
)

const (
	// mostUnheard is how much sound is on its way to a browser at most, 0.3 s. What comes while there is more is left out:
	// sound that is late is worse than sound that has a gap.
	mostUnheard = sidechannel.SecondBytes * 3 / 10
	// packet is the most that goes in one message.
	packet = 8 << 10
	// ping is how often a silent browser is asked whether it is there, and pong how long it may take to say so.
	ping, pong = 20 * time.Second, 10 * time.Second
	// maxReceipt is the longest message of a browser: a number.
	maxReceipt = 20
)

// hearing is one browser that listens to a desktop.
type hearing struct {
	socket *websocket.Conn
	end    context.CancelCauseFunc

	sent  int64        // bytes
	heard atomic.Int64 // of them, as the browser says
}

// Sound turns the request into a WebSocket and sends what the desktop plays, in binary messages in the format of package
// sidechannel, nothing while it is silent. The browser answers each with a text, the number of bytes that it has received
// so far. It is closed with the gateway's codes.
func (c *Channels) Sound(w http.ResponseWriter, r *http.Request, v gateway.Visit) {
	ctx, leave, err := c.enter(r.Context(), v, func(gateway.Rules) bool { return true })
	defer leave()
	if err != nil {
		c.refuse(w, r, v, err)
		return
	}
	socket, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // it has been answered
	}
	socket.SetReadLimit(maxReceipt)
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	h := &hearing{socket: socket, end: end}
	go h.receipts(r.Context())
	go h.keepAlive(ctx, c)
	err = h.play(ctx, c.desktop(v.Desktop.ID))
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	c.Log.DebugContext(r.Context(), "the sound has ended", "workspace", v.Desktop.ID, "user", v.User, "error", err)
	_ = socket.Close(closing(err)) // the browser may have gone
}

// closing returns what a WebSocket is closed with.
func closing(err error) (code websocket.StatusCode, why string) {
	if reason, ok := errors.AsType[cut](err); ok {
		return gateway.CutAccess, string(reason)
	}
	if errors.Is(err, compute.ErrNotRunning) || errors.Is(err, compute.ErrNotFound) {
		return gateway.CutDesktop, "The desktop does not run."
	}
	return websocket.StatusTryAgainLater, "The desktop's sound has ended."
}

// play sends the sound until it ends.
func (h *hearing) play(ctx context.Context, desktop sidechannel.Client) error {
	sound, err := desktop.Listen(ctx)
	if err != nil {
		return err
	}
	defer sound.Close()
	defer context.AfterFunc(ctx, func() { _ = sound.Close() })()
	// Twice as much as sound is; what a desktop sends beyond is not sound.
	pace := rate.NewLimiter(2*sidechannel.SecondBytes, sidechannel.SecondBytes)
	pcm := make([]byte, packet)
	for rest := 0; ; {
		n, err := sound.Read(pcm[rest:])
		if err != nil {
			return err
		}
		if err := pace.WaitN(ctx, n); err != nil {
			return err
		}
		n += rest
		rest = n % sidechannel.FrameBytes
		if err := h.send(ctx, pcm[:n-rest]); err != nil {
			return err
		}
		copy(pcm, pcm[n-rest:n])
	}
}

// send sends whole frames, or leaves them out where too much is unheard. It does not end with the sound: a message that is
// broken off would take the socket along, which has yet to say why the sound ends.
func (h *hearing) send(ctx context.Context, frames []byte) error {
	if len(frames) == 0 || h.sent-h.heard.Load() > mostUnheard {
		return nil
	}
	h.sent += int64(len(frames))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pong)
	defer cancel()
	return h.socket.Write(ctx, websocket.MessageBinary, frames)
}

// receipts reads what the browser has received. Anything else ends the sound.
func (h *hearing) receipts(ctx context.Context) {
	defer h.end(nil)
	for {
		kind, text, err := h.socket.Read(ctx)
		if err != nil || kind != websocket.MessageText {
			return
		}
		heard, err := strconv.ParseInt(string(text), 10, 64)
		if err != nil || heard < h.heard.Load() {
			return
		}
		h.heard.Store(heard)
	}
}

// keepAlive ends the sound when the browser is not there any more.
func (h *hearing) keepAlive(ctx context.Context, c *Channels) {
	defer h.end(nil)
	for c.Real.Sleep(ctx, ping) == nil {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), pong)
		err := h.socket.Ping(limited)
		cancel()
		if err != nil {
			return
		}
	}
}
