package simulated

import (
	"context"
	"encoding/binary"
	"io"
	"math"

	"carrel/internal/sidechannel"
)

// The one sound of a simulated desktop, which whoever begins to listen hears once: a
// fifth of a second of a soft A that fades.
const (
	chimeLength = sidechannel.SampleRate / 5 // in frames
	chimePitch  = 440.0                      // in hertz
	chimeVolume = 0.2                        // of what can be played
)

type chime struct{}

// Listen implements [sidechannel.Sound].
func (chime) Listen(ctx context.Context) (io.ReadCloser, error) {
	return &ringing{rest: chimed(), ended: ctx.Done()}, nil
}

// chimed returns the chime, in the side channel's format.
func chimed() []byte {
	var pcm []byte
	for n := range chimeLength {
		t := float64(n) / sidechannel.SampleRate
		fading := 1 - float64(n)/chimeLength
		sample := int16(math.MaxInt16 * chimeVolume * fading * math.Sin(2*math.Pi*chimePitch*t))
		for range sidechannel.Channels {
			pcm = binary.LittleEndian.AppendUint16(pcm, uint16(sample)) //nolint:gosec // two's complement is the format
		}
	}
	return pcm
}

// ringing is a chime, and silence after it.
type ringing struct {
	rest  []byte
	ended <-chan struct{}
}

func (r *ringing) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		<-r.ended
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (*ringing) Close() error { return nil }
