package scenario_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"
	"github.com/chromedp/chromedp"

	"carrel/internal/saml/samltest"
)

// TestSAMLInABrowser has jane sign in at an identity provider of another site, in a real browser, which decides
// which cookies go with what that site makes it send.
func TestSAMLInABrowser(t *testing.T) {
	t.Parallel()
	idp := identityProvider(t)
	p := &person{browser: openBrowser(t), name: "jane", password: "Str0ng-enough", server: &server{engine: "simulated", dir: filepath.Join(t.TempDir(), "data")}}
	t.Cleanup(func() {
		if err := p.server.end(); err != nil {
			t.Errorf("cleaning up: %v", err)
		}
		if t.Failed() {
			t.Log("the server's log:\n" + p.server.log.String())
		}
	})
	p.administrator()
	metadata := filepath.Join(t.TempDir(), "idp.xml")
	p.must("metadata", os.WriteFile(metadata, []byte(idp.Metadata()), 0o600))
	var set struct {
		EntityID string `json:"entity_id"`
	}
	p.must("carrel saml set", json.Unmarshal(p.carrel("saml", "set", "--metadata", metadata, "--address", p.server.about.Endpoint, "--output", "json"), &set))
	idp.Register(fetch(t, set.EntityID))
	idp.SignIn("jane", nil)
	idp.Encrypt()
	for name, access := range map[string]string{"with a request": idp.SSO(), "without one": idp.App()} {
		if name == "without one" { // and logouts come and go by forms
			idp.LogoutBy("urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST")
			p.must("metadata", os.WriteFile(metadata, []byte(idp.Metadata()), 0o600))
			p.carrel("saml", "set", "--metadata", metadata)
		}
		_, err := p.server.client.ModifySamlProperties(t.Context(), &workspaces.ModifySamlPropertiesInput{
			ResourceId: &p.quick.DirectoryID, SamlProperties: &types.SamlProperties{
				Status: types.SamlStatusEnumEnabled, UserAccessUrl: &access, RelayStateParameterName: aws.String("Where"),
			},
		})
		p.must(name, err)
		address := p.server.about.Endpoint + "/?code=" + url.QueryEscape(p.quick.RegistrationCode)
		p.do(name, chromedp.Navigate(address), chromedp.WaitVisible(`a.button[href*="/saml/"]`))
		p.shot("sign-in")
		p.do(name, chromedp.Click(`a.button[href*="/saml/"]`), chromedp.WaitVisible(".card"))
		p.shot("list")
		p.await("the list", `location.pathname === "/desktops"`)
		left := len(idp.Left())
		p.do("sign out", chromedp.Click(".who button"), chromedp.WaitVisible("form.signin"))
		if len(idp.Left()) != left+1 {
			t.Errorf("%s: the identity provider was not told that jane leaves", name)
		}
		p.do("and in again", chromedp.Navigate(address), chromedp.Click(`a.button[href*="/saml/"]`), chromedp.WaitVisible(".card"))
		p.do("signed out there", chromedp.Navigate(idp.Farewell("jane")), chromedp.WaitVisible("#over"))
		p.do("and so here", chromedp.Navigate(p.server.about.Endpoint+"/desktops"), chromedp.WaitVisible("form.signin"))
	}
}

// identityProvider is one at another site than the server's, for a browser.
func identityProvider(t *testing.T) *samltest.IdentityProvider {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	idp := samltest.NewAt(t, begun, "http://"+net.JoinHostPort("localhost", port))
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		idp.Advance(now.Sub(begun))
		begun = now
		idp.Handler().ServeHTTP(w, r)
	}))
	if err := server.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	return idp
}

// carrel runs a command of the administrator's and returns what it prints.
func (p *person) carrel(args ...string) []byte {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), program, args...) // the test's own
	cmd.Env = append(clean(os.Environ()), "CARREL_DATA="+p.server.dir)
	out, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		err = errors.New(string(failed.Stderr))
	}
	p.must(args[0], err)
	return out
}

func fetch(t *testing.T, address string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatal(response.Status, err)
	}
	return string(text)
}
