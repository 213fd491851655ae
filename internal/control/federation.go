package control

import (
	"crypto/x509"
	"net/http"
	"time"

	"carrel/internal/api"
	"carrel/internal/saml"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Federation is who signs the users of directories in by SAML 2.0, as GET /_carrel/federation shows it.
type Federation struct {
	Now         time.Time   `json:"now"` // by the service's clock, which certificates are held against
	Directories []Federated `json:"directories"`
}

// Federated is one directory of Federation.
type Federated struct {
	DirectoryID string        `json:"directory_id"`
	Region      string        `json:"region"`
	Used        bool          `json:"used"` // its users can sign in so now
	Issuer      string        `json:"identity_provider"`
	Provider    []Certificate `json:"certificates"`     // the identity provider's; one has to have signed
	Own         []Certificate `json:"own_certificates"` // Carrel's; that which signs comes first
}

// Certificate is one that signs.
type Certificate struct {
	Subject string    `json:"subject"`
	Begins  time.Time `json:"begins"`
	Expires time.Time `json:"expires"`
}

// Certificates returns what is shown of them.
func Certificates(all []*x509.Certificate) []Certificate {
	shown := make([]Certificate, len(all))
	for i, c := range all {
		shown[i] = Certificate{Subject: c.Subject.String(), Begins: c.NotBefore, Expires: c.NotAfter}
	}
	return shown
}

// federation says who signs the users of the caller's directories in, in all regions.
func (c *Control) federation(w http.ResponseWriter, r *http.Request) {
	out := Federation{Now: c.Clock.Now(), Directories: []Federated{}}
	account := api.CallerFrom(r.Context()).Account
	err := c.Store.View(func(tx *store.Tx) error {
		all, err := tx.EverySAMLProvider(r.Context())
		if err != nil {
			return err
		}
		for _, p := range all {
			if p.Account != account {
				continue
			}
			d, found, err := tx.WorkspaceDirectory(r.Context(), p.Scope, p.DirectoryID)
			if err != nil {
				return err
			}
			if !found {
				continue
			}
			f, err := federated(d, p)
			if err != nil {
				return err
			}
			out.Directories = append(out.Directories, f)
		}
		return nil
	})
	if err != nil {
		c.fail(w, r, err)
		return
	}
	reply(w, http.StatusOK, out)
}

func federated(d *workspaces.WorkspaceDirectory, p *workspaces.SAMLProvider) (Federated, error) {
	idp, err := saml.ReadMetadata(p.Metadata)
	if err != nil {
		return Federated{}, err
	}
	own, err := saml.OwnCertificates(p)
	return Federated{
		DirectoryID: d.ID, Region: d.Region, Used: d.Settings.TakesSAML(), Issuer: idp.EntityID,
		Provider: Certificates(idp.Certificates), Own: Certificates(own),
	}, err
}
