package control

import (
	"errors"
	"net/http"

	"carrel/internal/fault"
	"carrel/internal/store"
)

// maxFaults is the most that a request to set faults may hold.
const maxFaults = 256 << 10

// faultRoutes are the endpoints for faults.
func (c *Control) faultRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /_carrel/faults", c.possible(c.showFaults))
	mux.HandleFunc("POST /_carrel/faults", c.possible(c.setFaults))
	mux.HandleFunc("DELETE /_carrel/faults", c.possible(c.clearFaults))
	mux.HandleFunc("DELETE /_carrel/faults/{id}", c.possible(c.clearFaults))
}

// possible refuses where there are no faults to be had.
func (c *Control) possible(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if c.Faults == nil {
			refuse(w, http.StatusConflict, "A real engine has no faults on purpose: use --engine simulated.")
			return
		}
		next(w, r)
	}
}

func (c *Control) showFaults(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, c.Faults.All())
}

// setFaults sets one fault, or a list of them, and answers what has been set.
func (c *Control) setFaults(w http.ResponseWriter, r *http.Request) {
	body, err := read(w, r, maxFaults)
	if err != nil {
		refuse(w, http.StatusBadRequest, "The request cannot be read: "+err.Error()+".")
		return
	}
	rules, err := fault.Parse(body)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error()+".")
		return
	}
	set, err := c.Faults.Add(r.Context(), rules)
	switch {
	case errors.Is(err, store.ErrNoHistory):
		refuse(w, http.StatusConflict, "stale-reads: "+err.Error()+".")
	case err != nil:
		c.fail(w, r, err)
	default:
		reply(w, http.StatusCreated, set)
	}
}

// clearFaults takes one fault away, or all of them.
func (c *Control) clearFaults(w http.ResponseWriter, r *http.Request) {
	err := c.Faults.Remove(r.Context(), r.PathValue("id"))
	switch {
	case errors.Is(err, fault.ErrNone):
		refuse(w, http.StatusNotFound, err.Error()+"; GET /_carrel/faults lists those that there are.")
	case err != nil:
		c.fail(w, r, err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}
