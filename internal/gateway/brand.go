package gateway

import (
	"context"
	"html/template"

	"carrel/internal/branding"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// brand is what an organisation's pages look like.
type brand struct {
	Logo           string // address of a picture
	Message        template.HTML
	SupportEmail   string
	SupportLink    string
	ForgotPassword string
}

// brandOf is what was imported for browsers with ImportClientBranding, nothing where nothing was.
func (p *Portal) brandOf(ctx context.Context, d *workspaces.WorkspaceDirectory) (brand, error) {
	var imported map[workspaces.Platform]*workspaces.ClientBranding
	err := p.Store.View(func(tx *store.Tx) (err error) {
		imported, err = tx.ClientBrandings(ctx, d.Scope, d.ID)
		return err
	})
	web := imported[workspaces.PlatformWeb]
	if err != nil || web == nil {
		return brand{}, err
	}
	b := brand{
		SupportEmail: web.SupportEmail, SupportLink: web.SupportLink, ForgotPassword: web.ForgotPasswordLink,
		Message: branding.Message(web.LoginMessages[workspaces.BrandingLocale]),
	}
	for _, logo := range web.Logos {
		b.Logo = web.LogoPath(logo)
	}
	return b, nil
}
