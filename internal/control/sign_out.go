package control

import (
	"errors"
	"net/http"

	"carrel/internal/compute"
	"carrel/internal/store"
)

// signOut has the user of a desktop sign out inside it. The desktop is a WorkSpace's, or that of a session in a pool.
func (c *Control) signOut(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	err := c.Store.View(func(tx *store.Tx) error {
		session, found, err := tx.PoolSessionByID(r.Context(), id)
		if err == nil && found {
			id = session.DesktopID
		}
		return err
	})
	if err == nil {
		err = c.SignOut(r.Context(), id)
	}
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, compute.ErrNotFound):
		refuse(w, http.StatusNotFound, err.Error())
	case errors.Is(err, compute.ErrNotRunning):
		refuse(w, http.StatusConflict, err.Error())
	default:
		c.fail(w, r, err)
	}
}
