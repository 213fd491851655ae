package control

import (
	"net/http"
	"slices"

	"carrel/internal/compute"
)

// Desktop is one as GET /_carrel/desktops/ID shows it.
type Desktop struct {
	ID             string   `json:"id"`
	Running        bool     `json:"running"`
	Answers        bool     `json:"answers"`
	SecurityGroups []string `json:"security_groups"` // those whose rules hold; none: everything is let through
	Internet       bool     `json:"internet"`        // it may leave its subnet for the Internet
}

// desktops lists what the engine has, whoever's it is: an administrator's view.
func (c *Control) desktops(w http.ResponseWriter, r *http.Request) {
	machines, err := c.Driver.List(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	if machines == nil {
		machines = []compute.Machine{}
	}
	reply(w, http.StatusOK, machines)
}

// desktop shows one, to test suites.
func (c *Control) desktop(w http.ResponseWriter, r *http.Request) {
	machines, err := c.Driver.List(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	id := r.PathValue("id")
	at := slices.IndexFunc(machines, func(m compute.Machine) bool { return m.ID == id })
	if at < 0 {
		refuse(w, http.StatusNotFound, "There is no desktop "+id+".")
		return
	}
	m := machines[at]
	reply(w, http.StatusOK, Desktop{
		ID: m.ID, Running: m.Running, Answers: m.Answers, Internet: !m.Reach.Offline,
		SecurityGroups: slices.DeleteFunc(append([]string{}, m.Reach.Groups[:]...), func(id string) bool { return id == "" }),
	})
}
