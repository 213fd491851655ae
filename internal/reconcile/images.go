package reconcile

import (
	"context"
	"errors"
	"time"

	"carrel/internal/compute"
)

// imagesEvery is how often the engine's images are looked at, in real time.
const imagesEvery = time.Minute

// images removes this installation's images from the engine that nobody needs: those of images
// that were deleted while something was being made of them, and what a crash has left. The engine
// is asked before the store: an image's row is written before the image is made.
func (r *Reconciler) images(ctx context.Context) error {
	for {
		about, err := r.Driver.About(ctx)
		switch {
		case err == nil:
		case errors.Is(err, compute.ErrUnavailable): // there is another look
		default:
			return err
		}
		for _, image := range about.Images {
			if err := r.Runner.RemoveOrphanImage(ctx, image.Name); err != nil {
				return err
			}
		}
		if err := r.Real.Sleep(ctx, imagesEvery); err != nil {
			return err
		}
	}
}
