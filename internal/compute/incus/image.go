package incus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/compute"
)

// importLimit ends an import that hangs. A desktop's image has some gigabytes.
const importLimit = 30 * time.Minute

// ImportImage makes an image known as alias, from the two files of Incus's "split"
// format: the metadata archive and the root file system (an archive or squashfs). It
// unpacks the image into the storage pool, so that nobody's Create has to wait for
// that, and only then moves the alias; desktops that exist keep what they were made
// from. The image that had the alias is removed unless it has another one. Importing
// the same files again changes nothing.
//
// Errors: ErrInvalid when a file cannot be read or is not what it should be,
// ErrCapacity, ErrUnavailable, ErrFailed.
func (d *Driver) ImportImage(ctx context.Context, alias, metadata, rootfs string) error {
	ctx, cancel := context.WithTimeout(ctx, importLimit)
	defer cancel()
	if err := d.importImage(ctx, alias, metadata, rootfs); err != nil {
		return fmt.Errorf("import image %s: %w", alias, err)
	}
	return nil
}

func (d *Driver) importImage(ctx context.Context, alias, metadata, rootfs string) error {
	fingerprint, err := d.load(ctx, metadata, rootfs)
	if err != nil {
		return err
	}
	before, err := d.moveAlias(ctx, alias, fingerprint)
	if err != nil || before == "" || before == fingerprint {
		return err
	}
	return d.removeUnnamed(ctx, before)
}

// load has Incus take the two files in as an image and unpack it.
func (d *Driver) load(ctx context.Context, metadata, rootfs string) (fingerprint string, err error) {
	fingerprint, err = hashFiles(metadata, rootfs)
	if err != nil {
		return "", fmt.Errorf("%w: %w", compute.ErrInvalid, err)
	}
	err = d.client.get(ctx, "/images/"+fingerprint, nil)
	if missing(err) {
		err = d.upload(ctx, metadata, rootfs)
	}
	if err != nil {
		return "", err
	}
	return fingerprint, d.unpack(ctx, fingerprint)
}

// hashFiles returns the hash of the files, one after the other, which is what Incus
// calls an image.
func hashFiles(paths ...string) (string, error) {
	sum := sha256.New()
	for _, path := range paths {
		if err := copyFile(sum, path); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// upload sends the files to Incus as they are read.
func (d *Driver) upload(ctx context.Context, metadata, rootfs string) error {
	reader, writer := io.Pipe()
	defer reader.Close() // ends the writing side, whatever becomes of the request
	form := multipart.NewWriter(writer)
	go func() {
		err := attach(form, "metadata", metadata)
		if err == nil {
			err = attach(form, "rootfs", rootfs)
		}
		if err == nil {
			err = form.Close()
		}
		writer.CloseWithError(err) // nil is the ordinary end
	}()
	header := http.Header{"Content-Type": {form.FormDataContentType()}}
	_, err := d.client.operate(ctx, http.MethodPost, "/images", header, reader)
	return err
}

// attach appends one file to the form.
func attach(form *multipart.Writer, field, path string) error {
	part, err := form.CreateFormFile(field, filepath.Base(path))
	if err != nil {
		return err
	}
	return copyFile(part, path)
}

func copyFile(to io.Writer, path string) error {
	file, err := os.Open(path) //nolint:gosec // an administrator's own file, whichever it is
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(to, file)
	return err
}

// unpack makes and removes an instance, which leaves the unpacked image in the pool.
func (d *Driver) unpack(ctx context.Context, fingerprint string) error {
	name := "unpack-" + fingerprint[:12]
	if err := d.client.settle(ctx, about(name)); err != nil {
		return err
	}
	if err := d.removeInstance(ctx, name); err != nil { // what a killed import left
		return err
	}
	err := d.client.change(ctx, http.MethodPost, "/instances", api.InstancesPost{
		Name:   name,
		Type:   api.InstanceTypeContainer,
		Source: api.InstanceSource{Type: "image", Fingerprint: fingerprint},
		InstancePut: api.InstancePut{
			Profiles: []string{},
			Config:   map[string]string{tagInstallation: d.installation},
			Devices:  map[string]map[string]string{"root": {"type": "disk", "path": "/", "pool": d.pool}},
		},
	})
	if err != nil {
		return err
	}
	return d.removeInstance(ctx, name)
}

// moveAlias gives the image the alias, in one step, and returns the image that had it
// before, "" if none had.
func (d *Driver) moveAlias(ctx context.Context, alias, fingerprint string) (before string, err error) {
	before, err = d.image(ctx, alias)
	entry := api.ImageAliasesEntryPut{Target: fingerprint}
	switch {
	case err == nil:
		return before, d.client.change(ctx, http.MethodPut, "/images/aliases/"+url.PathEscape(alias), entry)
	case errors.Is(err, compute.ErrImage):
		return "", d.client.change(ctx, http.MethodPost, "/images/aliases",
			api.ImageAliasesPost{ImageAliasesEntry: api.ImageAliasesEntry{Name: alias, ImageAliasesEntryPut: entry}})
	}
	return "", err
}

// removeUnnamed removes an image that has no alias left.
func (d *Driver) removeUnnamed(ctx context.Context, fingerprint string) error {
	var image api.Image
	err := d.client.get(ctx, "/images/"+fingerprint, &image)
	if missing(err) || err == nil && len(image.Aliases) > 0 {
		return nil
	}
	if err != nil {
		return err
	}
	return d.removeObject(ctx, "/images/"+fingerprint)
}
