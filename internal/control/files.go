package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"carrel/internal/compute"
)

// Files looks into the volumes of desktops that have no programs to do so. A volume is root or
// home; errors are compute's, and fs.ErrNotExist.
type Files interface {
	ReadFile(ctx context.Context, id, volume, name string) ([]byte, error)
	WriteFile(ctx context.Context, id, volume, name string, content []byte) error
}

// mostContent is the most that a file of a simulated desktop holds, and a little more.
const mostContent = 1<<20 + 1

// getFile answers what a file on a desktop's volume holds.
func (c *Control) getFile(w http.ResponseWriter, r *http.Request) {
	content, err := c.Files.ReadFile(r.Context(), r.PathValue("id"), r.PathValue("volume"), r.PathValue("name"))
	if err != nil {
		c.failFile(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(content) // the client has gone; it is told not to make a page of it
}

// putFile writes a file onto a desktop's volume.
func (c *Control) putFile(w http.ResponseWriter, r *http.Request) {
	content, err := read(w, r, mostContent)
	if err != nil {
		refuse(w, http.StatusBadRequest, "The file cannot be written: "+err.Error()+".")
		return
	}
	if err := c.Files.WriteFile(r.Context(), r.PathValue("id"), r.PathValue("volume"), r.PathValue("name"), content); err != nil {
		c.failFile(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (c *Control) failFile(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, compute.ErrNotFound):
		refuse(w, http.StatusNotFound, fmt.Sprintf("There is no desktop %s.", r.PathValue("id")))
	case errors.Is(err, fs.ErrNotExist):
		refuse(w, http.StatusNotFound, fmt.Sprintf("There is no file %s on the volume %s of %s.", r.PathValue("name"), r.PathValue("volume"), r.PathValue("id")))
	case errors.Is(err, compute.ErrInvalid):
		refuse(w, http.StatusBadRequest, fmt.Sprintf("There can be no file %q on a volume %q: volumes are root and home, and a name is a path such as a/b.txt.",
			r.PathValue("name"), r.PathValue("volume")))
	case errors.Is(err, compute.ErrCapacity):
		refuse(w, http.StatusBadRequest, "A volume holds 256 files of 1 MiB each.")
	default:
		c.fail(w, r, err)
	}
}
