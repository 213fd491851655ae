package incus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/compute"
)

const (
	// publishPatience is how long a call waits for Incus to make an image of an instance
	// before it hands its worker back: some hundred megabytes.
	publishPatience = 20 * time.Second
	publishPause    = 2 * time.Second
)

// Capture makes the image in five steps, each of which is skipped where it is done:
//
//  1. a stop, which leaves a tag if the desktop ran
//  2. Incus makes an image of the instance, which bears our name for it but has no alias
//  3. a start, where the tag is, and the screen's greeting
//  4. the image is unpacked into the pool
//  5. the alias
//
// An image without its alias can be found by its properties.
func (d *Driver) Capture(ctx context.Context, id, image string) (again time.Time, err error) {
	if err := compute.CheckImage(image); err != nil {
		return time.Time{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	instance, err := d.settled(ctx, id)
	if err != nil {
		return time.Time{}, fmt.Errorf("capture %s: %w", id, err)
	}
	release, again, err := d.slot(ctx, d.imaging)
	if release == nil {
		return again, err
	}
	defer release()
	again, err = d.capture(ctx, instance, image)
	if err != nil {
		return time.Time{}, fmt.Errorf("capture %s: %w", id, err)
	}
	return again, nil
}

func (d *Driver) capture(ctx context.Context, instance *api.Instance, image string) (again time.Time, err error) {
	named, err := d.named(ctx, image)
	if err != nil {
		return time.Time{}, err
	}
	fingerprint := ""
	if !named {
		fingerprint, again, err = d.publish(ctx, instance, image, d.pauseFor(instance))
		if err != nil || !again.IsZero() {
			return again, err
		}
	}
	if instance, err = d.instance(ctx, instance.Name); err != nil {
		return time.Time{}, err
	}
	if instance.Config[tagCaptured] != "" {
		again, err = d.resume(ctx, instance)
		if err != nil || !again.IsZero() {
			return again, err
		}
	}
	if named {
		return time.Time{}, nil
	}
	return time.Time{}, d.name(ctx, image, fingerprint)
}

// pauseFor returns what stops the instance for as long as it takes to publish it.
func (d *Driver) pauseFor(instance *api.Instance) func(context.Context) error {
	return func(ctx context.Context) error {
		if !active(instance) {
			return nil
		}
		patch := api.InstancePut{Config: map[string]string{tagCaptured: "ran"}}
		if err := d.patchInstance(ctx, instance.Name, patch); err != nil {
			return err
		}
		return d.halt(ctx, instance.Name)
	}
}

// resume starts an instance again that was stopped to be captured.
func (d *Driver) resume(ctx context.Context, instance *api.Instance) (again time.Time, err error) {
	release, again, err := d.slot(ctx, d.booting)
	if release == nil {
		return again, err
	}
	defer release()
	if !active(instance) {
		if err := d.start(ctx, instance.Name); err != nil {
			return time.Time{}, err
		}
	}
	if again, err = d.answer(ctx, instance.Name); err != nil || !again.IsZero() {
		return again, err
	}
	return time.Time{}, d.patchInstance(ctx, instance.Name, api.InstancePut{Config: map[string]string{tagCaptured: ""}})
}

// publish makes an image of an instance, which prepare is to stop, and returns its
// fingerprint. Incus does not say of which instance it is making an image, and one at a
// time keeps its disk busy: whatever is under way is waited for.
func (d *Driver) publish(ctx context.Context, instance *api.Instance, image string, prepare func(context.Context) error) (fingerprint string, again time.Time, err error) {
	for begun := false; ; begun = true {
		busy, err := d.imageUnderWay(ctx)
		switch {
		case err != nil:
			return "", time.Time{}, err
		case busy:
			return "", d.soon(ctx, publishPause), nil
		}
		fingerprint, err = d.published(ctx, image)
		switch {
		case err != nil || fingerprint != "":
			return fingerprint, time.Time{}, err
		case begun:
			return "", time.Time{}, fmt.Errorf("%w: incus made no image, and did not say why", compute.ErrFailed)
		}
		if err := prepare(ctx); err != nil {
			return "", time.Time{}, err
		}
		if err := d.beginPublish(ctx, instance, image); err != nil {
			return "", time.Time{}, err
		}
	}
}

// imageUnderWay waits, not for long, until no image is being made, and tells whether one
// still is.
func (d *Driver) imageUnderWay(ctx context.Context) (bool, error) {
	patience, cancel := context.WithTimeout(ctx, publishPatience)
	defer cancel()
	err := d.client.settle(patience, described(makingImage))
	if patience.Err() != nil && ctx.Err() == nil {
		return true, nil
	}
	return false, err
}

// beginPublish has Incus make an image of an instance, and waits for it, not for long.
func (d *Driver) beginPublish(ctx context.Context, instance *api.Instance, image string) error {
	body, err := json.Marshal(api.ImagesPost{
		ImagePut: api.ImagePut{Properties: d.properties(image)},
		Source:   &api.ImagesPostSource{Type: "instance", Name: instance.Name},
		// Time is dearer than room: gzip takes seven times as long.
		CompressionAlgorithm: "none",
	})
	if err != nil {
		return fmt.Errorf("%w: %w", compute.ErrFailed, err)
	}
	patience, cancel := context.WithTimeout(ctx, publishPatience)
	defer cancel()
	header := http.Header{"Content-Type": {"application/json"}}
	_, err = d.client.operate(patience, http.MethodPost, "/images", header, bytes.NewReader(body))
	if patience.Err() != nil && ctx.Err() == nil && errors.Is(err, compute.ErrUnavailable) {
		return nil // it goes on
	}
	return err
}

// properties tell an image that this installation made, and under which name.
func (d *Driver) properties(image string) map[string]string {
	return map[string]string{
		propertyInstallation: d.installation,
		propertyImage:        image,
		"serial":             d.real.Now().UTC().Format("20060102150405"),
	}
}

// unnamed tells whether an image is ours and has no alias yet, or not any more.
func (d *Driver) unnamed(image api.Image) bool {
	return image.Properties[propertyInstallation] == d.installation && len(image.Aliases) == 0
}

// published returns the fingerprint of the image that this installation made under the
// name and has not given it yet, "" if there is none.
func (d *Driver) published(ctx context.Context, image string) (fingerprint string, err error) {
	var images []api.Image
	if err := d.client.get(ctx, "/images?recursion=1", &images); err != nil {
		return "", err
	}
	for _, i := range images {
		if d.unnamed(i) && i.Properties[propertyImage] == image {
			return i.Fingerprint, nil
		}
	}
	return "", nil
}
