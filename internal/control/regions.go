package control

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"carrel/internal/store"
)

// RegionState is a region that is down as GET /_carrel/regions shows it.
type RegionState struct {
	Name  string    `json:"region"`
	Since time.Time `json:"down_since"`
}

// regionPattern is what a region's name looks like. Source: the API model, Region.
var regionPattern = regexp.MustCompile(`^[-0-9a-z]{1,31}$`)

// showRegions lists the regions that are down.
func (c *Control) showRegions(w http.ResponseWriter, r *http.Request) {
	out := []RegionState{}
	err := c.Store.View(func(tx *store.Tx) error {
		down, err := tx.RegionsDown(r.Context())
		for _, region := range down {
			out = append(out, RegionState{Name: region.Name, Since: region.Since})
		}
		return err
	})
	if err != nil {
		c.fail(w, r, err)
		return
	}
	reply(w, http.StatusOK, out)
}

// markRegion says that a region is down, or up again.
func (c *Control) markRegion(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	var mark struct {
		Down *bool `json:"down"`
	}
	err := take(w, r, &mark)
	if err == nil && mark.Down == nil {
		err = errors.New("down is missing")
	}
	if err == nil && !regionPattern.MatchString(name) {
		err = fmt.Errorf("no region is called %q", name)
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, `A region, such as us-east-1, takes {"down": true} or {"down": false}: `+err.Error()+".")
		return
	}
	err = c.Store.Update(r.Context(), func(tx *store.Tx) error {
		if *mark.Down {
			return tx.PutRegionDown(r.Context(), name, c.Clock.Now())
		}
		return tx.DeleteRegionDown(r.Context(), name)
	})
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.showRegions(w, r)
}
