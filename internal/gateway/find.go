package gateway

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"strings"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// codePattern is what a registration code looks like.
var codePattern = regexp.MustCompile(`^[A-Za-z]{5,10}\+[A-Za-z0-9]{6,9}$`) // a constant

// tidyCode is a registration code as it was given out, of one as a person types it; "" where
// it can be none. See workspaces.NewRegistrationCode.
func tidyCode(code string) string {
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "+") // so is a plain + in an address read
	if !codePattern.MatchString(code) {
		return ""
	}
	region, own, _ := strings.Cut(code, "+")
	return strings.ToUpper(region[:2]) + strings.ToLower(region[2:]) + "+" + strings.ToUpper(own)
}

// byCode returns the directory that a registration code is for.
func (p *Portal) byCode(ctx context.Context, code string) (d *workspaces.WorkspaceDirectory, found bool, err error) {
	if code == "" {
		return nil, false, nil
	}
	err = p.Store.View(func(tx *store.Tx) error {
		d, found, err = tx.WorkspaceDirectoryByCode(ctx, code)
		return err
	})
	return d, found && d.State == workspaces.Registered, err
}

// byHost returns the directory that the host name leads to which the browser was given, and
// that name. Of several regions the first is meant that had an alias of the name, and the next while that is
// down. Source: connection aliases, which stand in place of a registration code, and cross-Region redirection.
func (p *Portal) byHost(r *http.Request) (d *workspaces.WorkspaceDirectory, host string, err error) {
	host, _, err = net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	name := host
	err = p.Store.View(func(tx *store.Tx) error {
		var all []*workspaces.WorkspaceDirectory
		aliases, err := tx.ConnectionAliasesOfHost(r.Context(), workspaces.HostOf(name))
		if err != nil {
			return err
		}
		for _, a := range aliases { // one in each region
			scope, id, leads := a.Directory()
			if !leads {
				continue
			}
			to, found, err := tx.WorkspaceDirectory(r.Context(), scope, id)
			if err != nil {
				return err
			}
			if found && to.State == workspaces.Registered {
				all, host = append(all, to), a.ConnectionString
			}
		}
		if len(all) == 0 {
			return nil
		}
		down, err := tx.RegionsDown(r.Context())
		d = firstUp(all, down)
		return err
	})
	return d, host, err
}
