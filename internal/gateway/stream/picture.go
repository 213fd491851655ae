package stream

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/image/draw"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/gateway"
	"carrel/internal/rfb"
)

const (
	pictureWidth   = 480 // of a picture at most, in pixels
	pictureQuality = 80
	// pictureFresh is how long a picture is given again, by the machine's time.
	pictureFresh = 3 * time.Second
	// pictureTime is the longest that one may be waited for, and takingTime the longest that a desktop
	// may take once it is its turn: those that are silent must not keep the others from theirs.
	pictureTime = 10 * time.Second
	takingTime  = 3 * time.Second
	// picturesAtOnce is how many are taken at once: each holds a whole screen in memory.
	picturesAtOnce = 2
	// picturePixels bounds a screen that is worth a picture: 64 MiB.
	picturePixels = 16 << 20
	// picturesKept is how many are remembered, of some 20 KiB.
	picturesKept = 256
	pictureType  = "image/jpeg"
)

// pictures takes small pictures of screens by connections of its own, which share the
// screen with its user, and do nothing that they would notice.
type pictures struct {
	driver compute.Driver
	real   *clock.Clock
	recent *lru.Cache[gateway.Desktop, picture]
	flight singleflight.Group
	room   *semaphore.Weighted
}

// picture is one that was taken.
type picture struct {
	jpeg []byte
	at   time.Time
}

func newPictures(driver compute.Driver, real *clock.Clock) *pictures {
	recent, err := lru.New[gateway.Desktop, picture](picturesKept)
	if err != nil {
		panic(err) // only for a size below one
	}
	return &pictures{driver: driver, real: real, recent: recent, room: semaphore.NewWeighted(picturesAtOnce)}
}

// Picture returns a small picture of a desktop's screen, at most a few seconds old, and its
// media type. Errors: compute.ErrNotRunning, compute.ErrNotFound, compute.ErrUnavailable,
// rfb.ErrProtocol, and the context's.
func (s *Streams) Picture(ctx context.Context, d gateway.Desktop) (small []byte, mediaType string, err error) {
	small, err = s.pictures.of(ctx, d)
	return small, pictureType, err
}

func (p *pictures) of(ctx context.Context, d gateway.Desktop) ([]byte, error) {
	if known, fresh := p.known(d); fresh {
		return known, nil
	}
	// All who want it wait for one, which is taken also when the first of them has gone.
	taken := p.flight.DoChan(d.Account+" "+d.Region+" "+d.ID, func() (any, error) {
		if known, fresh := p.known(d); fresh { // another took it just now
			return known, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pictureTime)
		defer cancel()
		return p.take(ctx, d)
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case result := <-taken:
		shot, _ := result.Val.([]byte) // nil with an error
		return shot, result.Err
	}
}

// known returns the picture that was taken last; fresh: it is as good as a new one.
func (p *pictures) known(d gateway.Desktop) (small []byte, fresh bool) {
	last, ok := p.recent.Get(d)
	return last.jpeg, ok && p.real.Now().Sub(last.at) < pictureFresh
}

func (p *pictures) take(ctx context.Context, d gateway.Desktop) ([]byte, error) {
	if err := p.room.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer p.room.Release(1)
	ctx, cancel := context.WithTimeout(ctx, takingTime)
	defer cancel()
	conn, err := p.driver.Dial(ctx, d.ID)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	screen, err := rfb.ScreenshotWithin(ctx, conn, picturePixels)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, shrunk(screen), &jpeg.Options{Quality: pictureQuality}); err != nil {
		return nil, err
	}
	p.recent.Add(d, picture{jpeg: out.Bytes(), at: p.real.Now()})
	return out.Bytes(), nil
}

// shrunk returns a picture at the width of pictures, unless it is narrower.
func shrunk(screen image.Image) image.Image {
	size := screen.Bounds().Size()
	if size.X <= pictureWidth {
		return screen
	}
	small := image.NewRGBA(image.Rect(0, 0, pictureWidth, max(size.Y*pictureWidth/size.X, 1)))
	draw.ApproxBiLinear.Scale(small, small.Rect, screen, screen.Bounds(), draw.Src, nil)
	return small
}
