package control

import (
	"crypto/fips140"
	"net/http"

	"carrel/internal/store"
)

// Encryption is what the server's cryptography is, as GET /_carrel/encryption shows it.
type Encryption struct {
	// FIPS says that the server uses Go's FIPS 140-3 module, in its FIPS mode. Whether that module
	// is validated depends on its version.
	FIPS        bool   `json:"fips_140_mode"`
	Module      string `json:"fips_140_module"`
	Directories int    `json:"directories"` // how many ask for FIPS_VALIDATED endpoints, in any account
}

// encryption says what the server's cryptography is, and who asks for more.
func (c *Control) encryption(w http.ResponseWriter, r *http.Request) {
	out := Encryption{FIPS: fips140.Enabled(), Module: fips140.Version()}
	err := c.Store.View(func(tx *store.Tx) error {
		all, err := tx.EveryWorkspaceDirectory(r.Context())
		for _, d := range all {
			if d.Settings.NeedsFIPS() {
				out.Directories++
			}
		}
		return err
	})
	if err != nil {
		c.fail(w, r, err)
		return
	}
	reply(w, http.StatusOK, out)
}
