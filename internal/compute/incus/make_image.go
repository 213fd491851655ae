package incus

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/lxc/incus/v6/shared/api"

	"carrel/internal/compute"
)

// Images are shared by all projects of Incus, and with whoever else uses it. An alias that
// this installation gave has this and the installation for its description, an image that
// it made the properties of names.go.
const aliasTag = "Carrel "

// gave tells whether this installation gave the alias.
func (d *Driver) gave(entry *api.ImageAliasesEntry) bool {
	return entry.Description == aliasTag+d.installation
}

// MakeImage gives the image of another alias one more alias, or makes an image: of a file,
// or by bringing another one up to date in an instance.
func (d *Driver) MakeImage(ctx context.Context, name string, from compute.ImageSource) (again time.Time, err error) {
	if err := errors.Join(compute.CheckImage(name), from.Check()); err != nil {
		return time.Time{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, importLimit)
	defer cancel()
	release, again, err := d.slot(ctx, d.imaging)
	if release == nil {
		return again, err
	}
	defer release()
	if again, err = d.makeImage(ctx, name, from); err != nil {
		return time.Time{}, fmt.Errorf("make image %s: %w", name, err)
	}
	return again, nil
}

func (d *Driver) makeImage(ctx context.Context, name string, from compute.ImageSource) (again time.Time, err error) {
	if named, err := d.named(ctx, name); named || err != nil {
		return time.Time{}, err
	}
	var fingerprint string
	if from.Image != "" {
		fingerprint, err = d.image(ctx, from.Image)
	} else {
		fingerprint, err = d.loadArchive(ctx, name, from.RootFS)
	}
	if err == nil && from.Update {
		fingerprint, again, err = d.update(ctx, name, fingerprint)
	}
	if err != nil || !again.IsZero() {
		return again, err
	}
	return time.Time{}, d.name(ctx, name, fingerprint)
}

// named tells whether there is an image of the name. One that is not ours is ErrInvalid.
func (d *Driver) named(ctx context.Context, name string) (bool, error) {
	entry, err := d.alias(ctx, name)
	switch {
	case err != nil || entry == nil:
		return false, err
	case !d.gave(entry):
		return false, fmt.Errorf("%w: the name %s is another installation's image", compute.ErrInvalid, name)
	}
	return true, nil
}

// alias returns what Incus has of an alias, nil if there is none.
func (d *Driver) alias(ctx context.Context, name string) (*api.ImageAliasesEntry, error) {
	var entry api.ImageAliasesEntry
	err := d.client.get(ctx, "/images/aliases/"+url.PathEscape(name), &entry)
	if missing(err) {
		return nil, nil
	}
	return &entry, err
}

// name unpacks an image into the pool, so that nobody's Create has to wait for that, and
// gives it a name of ours.
func (d *Driver) name(ctx context.Context, name, fingerprint string) error {
	if err := d.unpack(ctx, fingerprint); err != nil {
		return err
	}
	err := d.client.change(ctx, http.MethodPost, "/images/aliases", api.ImageAliasesPost{ImageAliasesEntry: api.ImageAliasesEntry{
		Name:                 name,
		ImageAliasesEntryPut: api.ImageAliasesEntryPut{Target: fingerprint, Description: aliasTag + d.installation},
	}})
	if conflicts(err) {
		_, err = d.named(ctx, name)
	}
	return err
}

// loadArchive has Incus take in a root file system as an image that bears our name for it.
// The same file under the same name is the same image.
func (d *Driver) loadArchive(ctx context.Context, name, rootfs string) (fingerprint string, err error) {
	info, err := os.Stat(rootfs)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%w: %w", compute.ErrImage, err)
	case err != nil:
		return "", fmt.Errorf("%w: %w", compute.ErrInvalid, err)
	case !info.Mode().IsRegular() || info.Size() == 0:
		return "", fmt.Errorf("%w: %s is not a file with something in it", compute.ErrInvalid, rootfs)
	}
	var server api.Server
	if err := d.client.get(ctx, "", &server); err != nil {
		return "", err
	}
	built := info.ModTime().UTC()
	metadata := fmt.Sprintf("architecture: %s\ncreation_date: %d\nproperties: {description: %q, serial: %q, %s: %q, %s: %q}\n",
		server.Environment.KernelArchitecture, built.Unix(), "Carrel desktop, of "+filepath.Base(rootfs), built.Format("20060102150405"),
		propertyInstallation, d.installation, propertyImage, name)
	folder, err := os.MkdirTemp("", "carrel-image")
	if err != nil {
		return "", fmt.Errorf("%w: %w", compute.ErrFailed, err)
	}
	defer os.RemoveAll(folder)
	archive := filepath.Join(folder, "metadata.tar")
	if err := writeMetadata(archive, metadata); err != nil {
		return "", fmt.Errorf("%w: %w", compute.ErrFailed, err)
	}
	// A process that died may have left an upload of it.
	if err := d.client.settle(ctx, described(makingImage)); err != nil {
		return "", err
	}
	fingerprint, err = d.load(ctx, archive, rootfs)
	if errors.Is(err, compute.ErrFailed) && mentions(err, "unsupported compression", "unpack failed") {
		err = fmt.Errorf("%w: %s is no archive that Incus can unpack: %s", compute.ErrInvalid, rootfs, err.Error())
	}
	return fingerprint, err
}

// writeMetadata writes the first of the two files that make an image.
func writeMetadata(path, metadata string) error {
	file, err := os.Create(path) //nolint:gosec // in a folder that was just made
	if err != nil {
		return err
	}
	packed := tar.NewWriter(file)
	err = packed.WriteHeader(&tar.Header{Name: "metadata.yaml", Mode: 0o644, Size: int64(len(metadata))})
	if err == nil {
		_, err = packed.Write([]byte(metadata))
	}
	return errors.Join(err, packed.Close(), file.Close())
}

// DeleteImage removes the alias, if it is ours, and the image with it, if it was its last;
// then whatever an unfinished call left that was to make it.
func (d *Driver) DeleteImage(ctx context.Context, name string) (again time.Time, err error) {
	if compute.CheckImage(name) != nil {
		return time.Time{}, nil // there is none that we made
	}
	ctx, cancel := context.WithTimeout(ctx, changeLimit)
	defer cancel()
	release, again, err := d.slot(ctx, d.imaging)
	if release == nil {
		return again, err
	}
	defer release()
	if again, err = d.deleteImage(ctx, name); err != nil {
		return time.Time{}, fmt.Errorf("delete image %s: %w", name, err)
	}
	return again, nil
}

func (d *Driver) deleteImage(ctx context.Context, name string) (again time.Time, err error) {
	// What is under way may become this very image.
	if busy, err := d.imageUnderWay(ctx); busy || err != nil {
		return d.soon(ctx, publishPause), err
	}
	if err := d.removeTemporary(ctx, updateName(name)); err != nil {
		return time.Time{}, err
	}
	entry, err := d.alias(ctx, name)
	if err != nil {
		return time.Time{}, err
	}
	if entry != nil && d.gave(entry) {
		if err := d.removeAlias(ctx, *entry); err != nil {
			return time.Time{}, err
		}
	}
	fingerprint, err := d.published(ctx, name)
	if err != nil || fingerprint == "" {
		return time.Time{}, err
	}
	return time.Time{}, d.removeUnnamed(ctx, fingerprint)
}

// removeAlias removes an alias of ours, with its image if that has no other.
func (d *Driver) removeAlias(ctx context.Context, entry api.ImageAliasesEntry) error {
	var image api.Image
	if err := d.client.get(ctx, "/images/"+entry.Target, &image); err != nil && !missing(err) {
		return err
	}
	if len(image.Aliases) == 1 {
		return d.removeObject(ctx, "/images/"+entry.Target) // in one step
	}
	return d.removeObject(ctx, "/images/aliases/"+url.PathEscape(entry.Name))
}

// removeImages removes all images that this installation made, and its names of others.
func (d *Driver) removeImages(ctx context.Context) error {
	var aliases []api.ImageAliasesEntry
	if err := d.client.get(ctx, "/images/aliases?recursion=1", &aliases); err != nil {
		return err
	}
	for _, entry := range aliases {
		if d.gave(&entry) {
			if err := d.removeAlias(ctx, entry); err != nil {
				return err
			}
		}
	}
	return d.sweepImages(ctx, func(api.Image) bool { return true })
}

// sweepImages removes the images of this installation that match and have no alias.
func (d *Driver) sweepImages(ctx context.Context, match func(api.Image) bool) error {
	var images []api.Image
	if err := d.client.get(ctx, "/images?recursion=1", &images); err != nil {
		return err
	}
	for _, image := range images {
		if d.unnamed(image) && match(image) {
			if err := d.removeObject(ctx, "/images/"+image.Fingerprint); err != nil {
				return err
			}
		}
	}
	return nil
}
