package channel

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"carrel/internal/gateway"
	"carrel/internal/sidechannel"
)

// stall is how long a browser may leave a transfer without taking or giving a byte. It is shorter than the patience with
// the desktop, so that the one who stalls is the one who is told.
const stall = 20 * time.Second

// Files answers below /desktop/{id}/files, where the rest of the path is r.PathValue("rest"):
//
//	GET                 the files to take, as JSON, see [sidechannel.Listing]
//	GET  FOLDER/NAME    one of them, as an attachment
//	PUT  FOLDER/NAME    puts one; 201 and where it is now, as JSON, see [sidechannel.File]
//	PUT  NAME           puts one on the desktop
//
// What fails is answered with a JSON object with title and text, for people.
func (c *Channels) Files(w http.ResponseWriter, r *http.Request, v gateway.Visit) {
	headers(w.Header())
	err := c.serve(w, r, v)
	if err != nil {
		c.refuse(w, r, v, err)
	}
}

func (c *Channels) serve(w http.ResponseWriter, r *http.Request, v gateway.Visit) error {
	needs, forbidden := func(rules gateway.Rules) bool { return rules.FilesOut }, errNoFilesOut
	switch r.Method {
	case http.MethodPut:
		needs, forbidden = func(rules gateway.Rules) bool { return rules.FilesIn }, errNoFilesIn
	case http.MethodGet:
	default:
		w.Header().Set("Allow", "GET, PUT")
		return errMethod
	}
	if !needs(v.Rules) {
		return forbidden
	}
	ctx, leave, err := c.enter(r.Context(), v, needs)
	if err != nil {
		return err
	}
	defer leave()
	r = r.WithContext(ctx)
	switch folder, name := place(r); {
	case r.Method == http.MethodPut:
		return c.put(w, r, v, folder, name)
	case name == "":
		return c.list(w, r, v)
	default:
		return c.get(w, r, v, folder, name)
	}
}

// place returns what a path is about; no name: the list.
func place(r *http.Request) (folder sidechannel.Folder, name string) {
	first, rest, nested := strings.Cut(r.PathValue("rest"), "/")
	if nested {
		return sidechannel.Folder(first), rest
	}
	return sidechannel.Desktop, first
}

func (c *Channels) list(w http.ResponseWriter, r *http.Request, v gateway.Visit) error {
	listing, err := c.desktop(v.Desktop.ID).List(r.Context())
	if err != nil {
		return err
	}
	if listing.Files == nil {
		listing.Files = []sidechannel.File{}
	}
	reply(w, http.StatusOK, listing)
	return nil
}

// get hands a file on. A reply that has begun can only be broken off: the browser then knows that it has not all of it.
func (c *Channels) get(w http.ResponseWriter, r *http.Request, v gateway.Visit, folder sidechannel.Folder, name string) error {
	content, size, err := c.desktop(v.Desktop.ID).Get(r.Context(), folder, name)
	if err != nil {
		return err
	}
	defer content.Close()
	defer context.AfterFunc(r.Context(), func() { _ = content.Close() })()
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Length", strconv.FormatInt(size, 10))
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	_, err = io.Copy(&pacedWriter{w, c.pace(http.NewResponseController(w).SetWriteDeadline)}, content)
	c.Log.DebugContext(r.Context(), "a file was taken", "workspace", v.Desktop.ID, "user", v.User, "bytes", size, "error", err)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

func (c *Channels) put(w http.ResponseWriter, r *http.Request, v gateway.Visit, folder sidechannel.Folder, name string) error {
	if !sidechannel.ValidName(name) {
		return sidechannel.ErrName // also of a path without one
	}
	body := r.Body
	if c.MaxFile > 0 {
		if r.ContentLength > c.MaxFile {
			return sidechannel.ErrTooLarge
		}
		body = http.MaxBytesReader(w, body, c.MaxFile)
	}
	paced := &pacedReader{body, c.pace(http.NewResponseController(w).SetReadDeadline)}
	file, err := c.desktop(v.Desktop.ID).Put(r.Context(), folder, name, paced, r.ContentLength)
	if err != nil {
		return err
	}
	c.Log.DebugContext(r.Context(), "a file was put", "workspace", v.Desktop.ID, "user", v.User, "bytes", file.Size)
	reply(w, http.StatusCreated, file)
	return nil
}

func reply(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the browser has gone
}

// pace returns what moves a deadline on before each step of a transfer.
func (c *Channels) pace(set func(time.Time) error) func() error {
	return func() error {
		err := set(c.Real.Now().Add(stall))
		if errors.Is(err, http.ErrNotSupported) {
			return nil
		}
		return err
	}
}

type pacedReader struct {
	io.Reader
	step func() error
}

func (p *pacedReader) Read(b []byte) (int, error) {
	if err := p.step(); err != nil {
		return 0, err
	}
	return p.Reader.Read(b)
}

type pacedWriter struct {
	io.Writer
	step func() error
}

func (p *pacedWriter) Write(b []byte) (int, error) {
	if err := p.step(); err != nil {
		return 0, err
	}
	return p.Writer.Write(b)
}
