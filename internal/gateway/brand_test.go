package gateway_test

import (
	"strings"
	"testing"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// TestBrand signs in at the page of an organisation that has imported how it looks.
func TestBrand(t *testing.T) {
	t.Parallel()
	h := open(t)
	b := &workspaces.ClientBranding{
		Scope: here(), DirectoryID: directoryID, Platform: workspaces.PlatformWeb, SupportLink: "https://help.example/?a=1&b=2",
		ForgotPasswordLink: "https://forgot.example/", LoginMessages: map[string]string{"en_US": "<b>Welcome</b><script>alert(1)</script>"},
		Logos: []workspaces.Logo{{Size: 1, Hash: strings.Repeat("a", 32), PNG: []byte("a picture")}},
	}
	h.update(func(tx *store.Tx) error { return tx.PutClientBranding(t.Context(), b) })
	signs := []string{
		"<b>Welcome</b>", `src="` + b.LogoPath(b.Logos[0]) + `"`, `href="https://help.example/?a=1&amp;b=2"`, `href="https://forgot.example/"`,
	}
	page := h.browser().get("/?code=" + strings.ReplaceAll(code, "+", "%2B")).text
	for _, sign := range signs {
		if !strings.Contains(page, sign) {
			t.Errorf("the page does not have %s:\n%s", sign, page)
		}
	}
	if strings.Contains(page, "alert(1)") {
		t.Errorf("a script is on the page:\n%s", page)
	}
	// Whoever says no code sees nobody's.
	page = h.browser().get("/").text
	for _, sign := range signs {
		if strings.Contains(page, sign) {
			t.Errorf("the page has %s:\n%s", sign, page)
		}
	}
}

// TestAddIn finds the directory's link beside the WorkSpaces.
func TestAddIn(t *testing.T) {
	t.Parallel()
	h := open(t)
	jane := h.browser()
	jane.signIn("jane", password)
	const link = `<a href="https://calls.example/?a=1&amp;b=2" target="_blank" rel="noreferrer">Calls &lt;here&gt;</a>`
	if page := jane.get("/desktops"); strings.Contains(page.text, "calls.example") {
		t.Errorf("the page has a link:\n%s", page.text)
	}
	h.update(func(tx *store.Tx) error {
		return tx.PutClientAddIn(t.Context(), &workspaces.ClientAddIn{
			Scope: here(), DirectoryID: directoryID, ID: "1", Name: "Calls <here>", URL: "https://calls.example/?a=1&b=2",
		})
	})
	if page := jane.get("/desktops"); !strings.Contains(page.text, link) {
		t.Errorf("the page does not have %s:\n%s", link, page.text)
	}
}
