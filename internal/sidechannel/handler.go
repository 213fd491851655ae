package sidechannel

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// lingering is how long content is still taken, and dropped, after it was refused.
const lingering = time.Second

// Files are those of one desktop's user. Errors wrap the protocol's.
type Files interface {
	// List returns the latest files of all folders, at most MaxListed. Links count as what they lead to, within the home.
	List(ctx context.Context) (Listing, error)
	// Open returns a file's content, which the caller closes. Errors: ErrNoFile, ErrDenied.
	Open(ctx context.Context, folder Folder, name string) (io.ReadCloser, File, error)
	// Put makes a file of the content, of size bytes where that is known, -1 where not. It is there as a whole or not at
	// all; where its name is taken it gets a numbered one. Errors: ErrNoRoom, ErrDenied, ErrTaken, and the content's own.
	Put(ctx context.Context, folder Folder, name string, content io.Reader, size int64) (File, error)
}

// Sound is what one desktop plays.
type Sound interface {
	// Listen returns the sound from now on, until the context ends or the caller closes it. A Read waits while nothing is
	// to be heard. Several may listen at once.
	Listen(ctx context.Context) (io.ReadCloser, error)
}

// Session is what one desktop's user is signed in to.
type Session interface {
	// AwaitSignOut returns nil once the user has signed out since the desktop was started, be it before the call, and an
	// error when the context ends before.
	AwaitSignOut(ctx context.Context) error
}

// Handler returns the desktop's end. Names are checked before files sees them.
func Handler(files Files, sound Sound, session Session) http.Handler {
	d := desk{files, sound, session}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /files", d.list)
	mux.HandleFunc("GET /files/{folder}/{name}", d.get)
	mux.HandleFunc("PUT /files/{folder}/{name}", d.put)
	mux.HandleFunc("GET /sound", d.listen)
	mux.HandleFunc("GET /session", d.awaitSignOut)
	return mux
}

type desk struct {
	files   Files
	sound   Sound
	session Session
}

func (d desk) list(w http.ResponseWriter, r *http.Request) {
	listing, err := d.files.List(r.Context())
	if err != nil {
		refuse(w, err)
		return
	}
	reply(w, http.StatusOK, listing)
}

func (d desk) get(w http.ResponseWriter, r *http.Request) {
	folder, name, err := place(r)
	if err != nil {
		refuse(w, err)
		return
	}
	content, file, err := d.files.Open(r.Context(), folder, name)
	if err != nil {
		refuse(w, err)
		return
	}
	defer content.Close()
	w.Header().Set("Content-Length", strconv.FormatInt(file.Size, 10))
	w.Header().Set("Content-Type", "application/octet-stream")
	// A file that grows meanwhile is cut at the length it had; one that shrinks breaks the connection.
	if _, err := io.CopyN(w, content, file.Size); err != nil {
		panic(http.ErrAbortHandler)
	}
}

func (d desk) put(w http.ResponseWriter, r *http.Request) {
	folder, name, err := place(r)
	if err != nil {
		refuse(w, err)
		return
	}
	file, err := d.files.Put(r.Context(), folder, Composed(name), r.Body, r.ContentLength)
	if err != nil {
		refuse(w, err)
		linger(w, r)
		return
	}
	reply(w, http.StatusCreated, file)
}

func (d desk) listen(w http.ResponseWriter, r *http.Request) {
	heard, err := d.sound.Listen(r.Context())
	if err != nil {
		refuse(w, err)
		return
	}
	defer heard.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	flusher := http.NewResponseController(w)
	buffer := make([]byte, SecondBytes/10)
	for err == nil {
		if err = flusher.Flush(); err != nil {
			return
		}
		var n int
		if n, err = heard.Read(buffer); n > 0 {
			if _, failed := w.Write(buffer[:n]); failed != nil {
				return
			}
		}
	}
}

// signedOut is what is said of a user who has signed out.
const signedOut = "signed out\n"

func (d desk) awaitSignOut(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	if http.NewResponseController(w).Flush() != nil || d.session.AwaitSignOut(r.Context()) != nil {
		panic(http.ErrAbortHandler) // not a word, so that it is asked again
	}
	_, _ = io.WriteString(w, signedOut) // whoever asked has gone
}

// place returns the folder and the name that a request is about.
func place(r *http.Request) (Folder, string, error) {
	folder, name := Folder(r.PathValue("folder")), r.PathValue("name")
	return folder, name, check(folder, name)
}

func refuse(w http.ResponseWriter, err error) { http.Error(w, err.Error(), statusOf(err)) }

// linger lets a refusal arrive that was sent in the middle of the content: a connection that is closed under content still
// on its way takes the reply with it. net/http waits by itself, but not where the caller expected a "100 Continue".
func linger(w http.ResponseWriter, r *http.Request) {
	connection := http.NewResponseController(w)
	if connection.Flush() != nil || connection.SetReadDeadline(time.Now().Add(lingering)) != nil { //nolint:forbidigo // connections live in real time
		return
	}
	_, _ = io.Copy(io.Discard, r.Body) // until the caller has read the reply and goes, or the time is over
}

func reply(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // whoever asked has gone
}
