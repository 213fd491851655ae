package jobtest

import (
	"context"
	"fmt"
	"slices"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Capture asks for an image of a WorkSpace, and returns its id; "": that is refused.
func (w *World) Capture(id string) string {
	w.tb.Helper()
	w.images++
	out, err := w.API.CreateWorkspaceImage(w.ctx, &wsapi.CreateWorkspaceImageRequest{
		Name: new(fmt.Sprint("image-", w.images)), Description: new("d"), WorkspaceId: &id,
	})
	return w.unless(err, func() *string { return out.ImageId })
}

// Copy asks for a copy of an image, and returns its id; "": that is refused.
func (w *World) Copy(id string) string {
	w.tb.Helper()
	w.images++
	out, err := w.API.CopyWorkspaceImage(w.ctx, &wsapi.CopyWorkspaceImageRequest{
		Name: new(fmt.Sprint("image-", w.images)), SourceImageId: &id, SourceRegion: new(Scope().Region),
	})
	return w.unless(err, func() *string { return out.ImageId })
}

// Discard asks for an image to be deleted, and reports whether it was accepted.
func (w *World) Discard(id string) bool {
	w.tb.Helper()
	_, err := w.API.DeleteWorkspaceImage(w.ctx, &wsapi.DeleteWorkspaceImageRequest{ImageId: &id})
	return w.unless(err, func() *string { return &id }) == id
}

// unless returns what was answered, "" where it was a refusal.
func (w *World) unless(err error, answer func() *string) string {
	w.tb.Helper()
	switch {
	case err == nil:
		return *answer()
	case workspaces.CodeOf(err) == "":
		w.tb.Fatalf("%v", err)
	}
	return ""
}

// Images returns every image.
func (w *World) Images() (all []*workspaces.Image) {
	w.tb.Helper()
	w.View(func(ctx context.Context, tx *store.Tx) error {
		page, err := tx.Images(ctx, store.ImageFilter{Scope: Scope(), Owned: true})
		all = page.Images
		return err
	})
	return all
}

// Image returns an image, nil where it is gone.
func (w *World) Image(id string) (found *workspaces.Image) {
	w.tb.Helper()
	w.View(func(ctx context.Context, tx *store.Tx) (err error) {
		found, _, err = tx.Image(ctx, Scope(), id)
		return err
	})
	return found
}

// WantImage fails the test unless an image has the state.
func (w *World) WantImage(id string, state workspaces.ImageState) {
	w.tb.Helper()
	if got := w.Image(id); got == nil || got.State != state {
		w.tb.Fatalf("%s is %+v, not %q", id, got, state)
	}
}

// DoImages takes turns of work on images, whether or not they are stale.
func (w *World) DoImages(refs ...workspaces.Ref) {
	w.tb.Helper()
	if err := w.Runner.Do(w.ctx, store.Work{Resource: workspaces.KindImage, Refs: refs}); err != nil {
		w.tb.Fatalf("%v", err)
	}
}

// EngineImages returns the ids of the images of this installation that the engine has, sorted.
func (w *World) EngineImages() (ids []string) {
	w.tb.Helper()
	about, err := w.Engine.About(w.ctx)
	if err != nil {
		w.tb.Fatalf("%v", err)
	}
	for _, i := range about.Images {
		ids = append(ids, i.Name[len(workspaces.EngineImages(w.Runner.Installation)):])
	}
	slices.Sort(ids)
	return ids
}

// SweepImages removes the engine's images that nobody needs, as reconcile does.
func (w *World) SweepImages() {
	w.tb.Helper()
	for _, id := range w.EngineImages() {
		if err := w.Runner.RemoveOrphanImage(w.ctx, workspaces.EngineImage(w.Runner.Installation, id)); err != nil {
			w.tb.Fatalf("%v", err)
		}
	}
}

// SoundImages fails the test unless, everything being at rest, the engine has exactly those
// images that are AVAILABLE.
func (w *World) SoundImages() {
	w.tb.Helper()
	var want []string
	for _, i := range w.Images() {
		switch i.State {
		case workspaces.ImageAvailable:
			want = append(want, i.ID)
		case workspaces.ImagePending:
			w.tb.Errorf("%s rests in %s", i.ID, i.State)
		case workspaces.ImageErrored:
		}
	}
	slices.Sort(want)
	if got := w.EngineImages(); !slices.Equal(got, want) {
		w.tb.Errorf("the engine has the images %v, and %v are AVAILABLE", got, want)
	}
}
