// Package control is what Carrel answers beside the AWS APIs, under /_carrel/: for
// administrators, signed like any request, a desktop's picture and the networks; for test
// suites, only where the server was started with --control, the clock, the reset, the faults, who is connected and which
// regions are down. It imports the store, compute, the operations, the clock and the faults.
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"time"

	"carrel/internal/api"
	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/fault"
	"carrel/internal/moto"
	"carrel/internal/operation"
	"carrel/internal/plainjson"
	"carrel/internal/rfb"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Control answers under /_carrel/.
type Control struct {
	Store  *store.Store
	Clock  *clock.Clock
	Driver compute.Driver
	Log    *slog.Logger
	// Signed lets only signed requests through, with their caller in the context.
	Signed func(http.Handler) http.Handler
	// ForTests adds the clock, the reset and the regions.
	ForTests bool
	// Rest returns when what is due is done; the reply to a moved clock waits for it. nil: it comes at once.
	Rest func(context.Context) error
	// Reset empties the engine; nil where the engine is real, whose desktops are nobody's toys.
	Reset func(context.Context) error
	// Faults are those that test suites set; nil where the engine is real.
	Faults *fault.Faults
	// Ways are moto's, which a reset by its own path begins and any other ends; nil where they never are kept.
	Ways *moto.Ways
	// API is where users are given desktops of pools.
	API operation.WorkSpaces
	// Files looks into the desktops' volumes; nil where they have programs to do so.
	Files Files
	// SignOut has the user of a desktop sign out inside it; nil where desktops are real. Errors are compute's.
	SignOut func(ctx context.Context, desktop string) error
}

// MotoReset is where suites that were written for moto's server have everything forgotten.
const MotoReset = "/moto-api/reset"

// screenTimeout is the longest that a picture may take.
const screenTimeout = 15 * time.Second

// Handler returns the handler for /_carrel/.
func (c *Control) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /_carrel/networks", c.Signed(http.HandlerFunc(c.networks)))
	mux.Handle("GET /_carrel/engine", c.Signed(http.HandlerFunc(c.engine)))
	mux.Handle("GET /_carrel/encryption", c.Signed(http.HandlerFunc(c.encryption)))
	mux.Handle("GET /_carrel/federation", c.Signed(http.HandlerFunc(c.federation)))
	mux.Handle("GET /_carrel/desktops", c.Signed(http.HandlerFunc(c.desktops)))
	mux.Handle("GET /_carrel/workspaces/{id}/screen.png", c.Signed(http.HandlerFunc(c.screen)))
	if c.ForTests {
		mux.HandleFunc("GET /_carrel/clock", c.showClock)
		mux.HandleFunc("POST /_carrel/clock", c.moveClock)
		mux.HandleFunc("POST /_carrel/reset", c.reset)
		mux.HandleFunc("POST "+MotoReset, c.reset)
		mux.HandleFunc("GET /_carrel/regions", c.showRegions)
		mux.HandleFunc("PUT /_carrel/regions/{name}", c.markRegion)
		mux.HandleFunc("GET /_carrel/desktops/{id}", c.desktop)
		mux.HandleFunc("PUT /_carrel/connections/{id}", c.connect)
		c.faultRoutes(mux)
	}
	if c.ForTests && c.SignOut != nil {
		mux.HandleFunc("POST /_carrel/desktops/{id}/sign-out", c.signOut)
	}
	mux.HandleFunc("/_carrel/", c.nothing)
	if c.ForTests && c.Files != nil {
		mux.HandleFunc("GET /_carrel/desktops/{id}/{volume}/{name...}", c.getFile)
		mux.HandleFunc("PUT /_carrel/desktops/{id}/{volume}/{name...}", c.putFile)
	}
	return mux
}

// nothing answers what there is nothing to answer to.
func (c *Control) nothing(w http.ResponseWriter, r *http.Request) {
	message := fmt.Sprintf("There is no %s %s.", r.Method, r.URL.Path)
	if !c.ForTests {
		message += " What test suites have is there with --control only."
	}
	refuse(w, http.StatusNotFound, message)
}

// networks lists the subnets of the installation.
func (c *Control) networks(w http.ResponseWriter, r *http.Request) {
	var subnets []workspaces.Subnet
	err := c.Store.View(func(tx *store.Tx) (err error) {
		subnets, err = tx.Subnets(r.Context())
		return err
	})
	if err != nil {
		c.fail(w, r, err)
		return
	}
	out := make([]Subnet, len(subnets))
	for i, s := range subnets {
		out[i] = Subnet{
			ID: s.ID, VPCID: s.VPCID, Region: s.Region, Zone: s.Zone, Prefix: s.Prefix.String(), Gateway: s.Gateway.String(),
			EngineNetwork: s.EngineNetwork, Internet: s.Internet,
		}
	}
	reply(w, http.StatusOK, out)
}

// Subnet is a network as GET /_carrel/networks shows it.
type Subnet struct {
	ID            string `json:"subnet_id"`
	VPCID         string `json:"vpc_id"`
	Region        string `json:"region"`
	Zone          string `json:"zone"`
	Prefix        string `json:"prefix"`
	Gateway       string `json:"gateway"`
	EngineNetwork string `json:"engine_network,omitempty"`
	Internet      string `json:"internet"` // always, enabled
}

// engine says what the engine is and what it lacks.
func (c *Control) engine(w http.ResponseWriter, r *http.Request) {
	about, err := c.Driver.About(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	reply(w, http.StatusOK, about)
}

// screen takes a picture of a desktop of the caller's.
func (c *Control) screen(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), screenTimeout)
	defer cancel()
	caller, id := api.CallerFrom(ctx), r.PathValue("id")
	var found bool
	err := c.Store.View(func(tx *store.Tx) (err error) {
		_, found, err = tx.WorkSpace(ctx, workspaces.Scope{Account: caller.Account, Region: caller.Region}, id)
		return err
	})
	if err == nil && !found {
		refuse(w, http.StatusNotFound, fmt.Sprintf("WorkSpace %s could not be found.", id))
		return
	}
	var picture []byte
	if err == nil {
		picture, err = c.picture(ctx, id)
	}
	switch {
	case errors.Is(err, compute.ErrNotRunning), errors.Is(err, compute.ErrNotFound):
		refuse(w, http.StatusConflict, fmt.Sprintf("The desktop of WorkSpace %s does not run.", id))
	case err != nil:
		c.fail(w, r, err)
	default:
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(picture) // the client has gone
	}
}

func (c *Control) picture(ctx context.Context, id string) ([]byte, error) {
	conn, err := c.Driver.Dial(ctx, id)
	if err != nil {
		return nil, err
	}
	defer conn.Close() // only read from
	img, err := rfb.Screenshot(ctx, conn)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = png.Encode(&out, img)
	return out.Bytes(), err
}

// ClockState is the clock as GET and POST /_carrel/clock show it.
type ClockState struct {
	Now   time.Time `json:"now"`
	Scale float64   `json:"scale"` // the clock's seconds in a real one; 0: frozen
}

// ClockMove is what POST /_carrel/clock takes; its members are applied in this order.
type ClockMove struct {
	Reset   bool     `json:"reset"`   // back to the real time and speed; refused on a real engine
	Freeze  *bool    `json:"freeze"`  // stop, or go on at the real speed
	Scale   *float64 `json:"scale"`   // run at a multiple of the real speed
	Advance string   `json:"advance"` // move forward, e.g. "90m" or "744h"
}

func (c *Control) showClock(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, ClockState{Now: c.Clock.Now(), Scale: c.Clock.Scale()})
}

// maxMove is the most that a request to move the clock may hold.
const maxMove = 4 << 10

// take reads the JSON object that a request holds, of at most maxMove.
func take(w http.ResponseWriter, r *http.Request, into any) error {
	body, err := read(w, r, maxMove)
	if err != nil {
		return err
	}
	return plainjson.Object(body, into)
}

// read reads what a request holds, at most so much.
func read(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, fmt.Errorf("it holds more than %d bytes", most)
	}
	if err != nil {
		return nil, errors.New("it was cut off")
	}
	return body, nil
}

func (c *Control) moveClock(w http.ResponseWriter, r *http.Request) {
	var move ClockMove
	if err := take(w, r, &move); err != nil {
		refuse(w, http.StatusBadRequest, `The clock takes JSON such as {"advance": "90m"}, {"freeze": true} or {"scale": 60}: `+err.Error()+".")
		return
	}
	var advance time.Duration
	if move.Advance != "" {
		var err error
		if advance, err = time.ParseDuration(move.Advance); err != nil {
			refuse(w, http.StatusBadRequest, fmt.Sprintf(`advance is a duration such as "90m" or "744h", not %q.`, move.Advance))
			return
		}
	}
	if move.Reset && c.Reset == nil {
		refuse(w, http.StatusConflict, "The clock of a real engine goes only forward.")
		return
	}
	if err := c.apply(move, advance); err != nil {
		refuse(w, http.StatusBadRequest, "The clock was not moved: "+err.Error()+".")
		return
	}
	c.rest(r.Context())
	c.showClock(w, r)
}

// restPatience is how long, in real time, the reply to a moved clock waits for what became due.
const restPatience = 10 * time.Second

// rest returns when what is due at the clock's time is done, where that is waited for.
func (c *Control) rest(ctx context.Context) {
	if c.Rest == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, restPatience)
	defer cancel()
	if err := c.Rest(ctx); err != nil {
		c.Log.WarnContext(ctx, "the clock was moved, and what became due is not done yet", "error", err)
	}
}

func (c *Control) apply(move ClockMove, advance time.Duration) error {
	if move.Reset {
		c.Clock.Reset()
	}
	if move.Freeze != nil && *move.Freeze {
		c.Clock.Freeze()
	} else if move.Freeze != nil {
		if err := c.Clock.SetScale(1); err != nil {
			return err
		}
	}
	if move.Scale != nil {
		if err := c.Clock.SetScale(*move.Scale); err != nil {
			return err
		}
	}
	return c.Clock.Advance(advance)
}

// reset forgets everything that clients made, and all faults. Keys and networks stay.
func (c *Control) reset(w http.ResponseWriter, r *http.Request) {
	if c.Reset == nil {
		refuse(w, http.StatusConflict, "A real engine is not reset: terminate its WorkSpaces instead.")
		return
	}
	var err error
	if c.Faults != nil {
		err = c.Faults.Remove(r.Context(), "")
	}
	if err == nil {
		err = c.Store.Update(r.Context(), func(tx *store.Tx) error { return tx.Reset(r.Context()) })
	}
	if err == nil {
		err = c.Reset(r.Context())
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.Clock.Reset()
	c.keepWays(r)
	if r.URL.Path == MotoReset { // whose server says so
		reply(w, http.StatusOK, map[string]string{"status": "ok"})
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// keepWays keeps moto's ways from a reset by its path on, and until one by Carrel's.
func (c *Control) keepWays(r *http.Request) {
	switch kept := r.URL.Path == MotoReset; {
	case !c.Ways.Keep(kept):
	case kept:
		c.Log.InfoContext(r.Context(), "moto's ways are kept from now on, as a reset by moto's path asks for; a reset by /_carrel/reset ends that", "path", MotoReset)
	default:
		c.Log.InfoContext(r.Context(), "moto's ways are kept no longer")
	}
}

func (c *Control) fail(w http.ResponseWriter, r *http.Request, err error) {
	c.Log.ErrorContext(r.Context(), "a control request failed", "path", r.URL.Path, "error", err)
	refuse(w, http.StatusInternalServerError, "The request failed; the server's log says why.")
}

func refuse(w http.ResponseWriter, status int, message string) {
	reply(w, status, map[string]string{"message": message})
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client has gone
}
