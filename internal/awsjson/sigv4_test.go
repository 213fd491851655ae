package awsjson_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"carrel/internal/api"
	"carrel/internal/awsjson"
)

const target = "WorkspacesService.DescribeWorkspaces"

func TestSignatures(t *testing.T) {
	t.Parallel()
	edit := func(change func(r *http.Request)) func(t *testing.T) *http.Request {
		return func(t *testing.T) *http.Request {
			t.Helper()
			r := jsonRequest(t, target, "{}", signedAs{})
			change(r)
			return r
		}
	}
	as := func(as signedAs) func(t *testing.T) *http.Request {
		return func(t *testing.T) *http.Request { t.Helper(); return jsonRequest(t, target, "{}", as) }
	}
	header := func(old, with string) func(t *testing.T) *http.Request {
		return edit(func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, with, 1))
		})
	}
	tests := map[string]struct {
		request func(t *testing.T) *http.Request
		want    string // the exception; "" when the request is accepted
	}{
		"good":               {as(signedAs{}), ""},
		"other region":       {as(signedAs{region: "us-gov-west-1"}), ""},
		"5 minutes old":      {as(signedAs{at: noon().Add(-awsjson.MaxSkew)}), ""},
		"5 minutes early":    {as(signedAs{at: noon().Add(awsjson.MaxSkew)}), ""},
		"too old":            {as(signedAs{at: noon().Add(-awsjson.MaxSkew - time.Second)}), "InvalidSignatureException"},
		"too early":          {as(signedAs{at: noon().Add(awsjson.MaxSkew + time.Second)}), "InvalidSignatureException"},
		"wrong secret":       {as(signedAs{secret: "guess"}), "InvalidSignatureException"},
		"wrong service":      {as(signedAs{service: "ds"}), "InvalidSignatureException"},
		"session token":      {as(signedAs{token: "testing"}), "UnrecognizedClientException"},
		"region of capitals": {as(signedAs{region: "EU"}), "InvalidSignatureException"},
		"no header":          {edit(func(r *http.Request) { r.Header.Del("Authorization") }), "MissingAuthenticationTokenException"},
		"two headers": {
			edit(func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }), "IncompleteSignatureException",
		},
		"presigned": {edit(func(r *http.Request) {
			r.Header.Del("Authorization")
			r.URL.RawQuery = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00"
		}), "IncompleteSignatureException"},
		"bearer":              {edit(func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }), "IncompleteSignatureException"},
		"other algorithm":     {header("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), "IncompleteSignatureException"},
		"no credential":       {header("Credential=", "Cred="), "IncompleteSignatureException"},
		"no signature":        {header("Signature=", "Sig="), "IncompleteSignatureException"},
		"no equals sign":      {header("SignedHeaders=", "SignedHeaders"), "IncompleteSignatureException"},
		"short scope":         {header("/aws4_request", ""), "IncompleteSignatureException"},
		"terminator":          {header("aws4_request", "aws5_request"), "InvalidSignatureException"},
		"scope's date":        {header("20260102", "20260103"), "InvalidSignatureException"},
		"no date in scope":    {header("20260102", "2026010x"), "InvalidSignatureException"},
		"unknown key":         {header(keyID, "AKIDOTHER"), "UnrecognizedClientException"},
		"host not signed":     {header("host;", ""), "InvalidSignatureException"},
		"target not signed":   {header(";x-amz-target", ""), "InvalidSignatureException"},
		"many signed headers": {header("host;", "host;"+strings.Repeat("a;", 64)), "IncompleteSignatureException"},
		"huge header":         {header("host;", "host;"+strings.Repeat("a", 4096)), "IncompleteSignatureException"},
		"date changed":        {edit(func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260102T030406Z") }), "InvalidSignatureException"},
		"date missing":        {edit(func(r *http.Request) { r.Header.Del("X-Amz-Date") }), "IncompleteSignatureException"},
		"date malformed":      {edit(func(r *http.Request) { r.Header.Set("X-Amz-Date", "today") }), "IncompleteSignatureException"},
		"target changed": {
			edit(func(r *http.Request) { r.Header.Set("X-Amz-Target", "WorkspacesService.TerminateWorkspaces") }), "InvalidSignatureException",
		},
		"host changed":       {edit(func(r *http.Request) { r.Host = "elsewhere" }), "InvalidSignatureException"},
		"query changed":      {edit(func(r *http.Request) { r.URL.RawQuery = "a=b" }), "InvalidSignatureException"},
		"body changed":       {edit(func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader("[]")) }), "InvalidSignatureException"},
		"length changed":     {edit(func(r *http.Request) { r.ContentLength = 3 }), "InvalidSignatureException"},
		"unsigned header":    {edit(func(r *http.Request) { r.Header.Set("User-Agent", "anything") }), ""},
		"unsigned X-Amz-":    {edit(func(r *http.Request) { r.Header.Set("X-Amz-Extra", "1") }), "InvalidSignatureException"},
		"payload hash":       {payload("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"), ""},
		"wrong payload hash": {payload(strings.Repeat("0", 64)), "InvalidSignatureException"},
		"unsigned payload":   {payload("UNSIGNED-PAYLOAD"), "InvalidSignatureException"},
		"streamed payload":   {payload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), "InvalidSignatureException"},
	}
	h := newHandler(t, nil, describe())
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := serve(h, test.request(t))
			if test.want == "" && w.Code != http.StatusOK {
				t.Errorf("got %d %s, want it accepted", w.Code, w.Body)
			}
			if test.want != "" && (w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"__type":"`+test.want+`"`)) {
				t.Errorf("got %d %s, want %s", w.Code, w.Body, test.want)
			}
		})
	}
}

// payload returns a request whose X-Amz-Content-Sha256 is signed and says what hash says.
func payload(hash string) func(t *testing.T) *http.Request {
	return func(t *testing.T) *http.Request {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("{}"))
		r.Header.Set("X-Amz-Target", target)
		r.Header.Set("X-Amz-Content-Sha256", hash)
		sign(t, r, "{}", signedAs{})
		return r
	}
}

// rotating is a KeySource whose one key gets another secret with every look-up.
type rotating struct{ secrets chan string }

func (k rotating) Key(context.Context, string) (awsjson.Key, error) {
	return awsjson.Key{Secret: <-k.secrets, Account: account}, nil
}

func TestReplacedSecretIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	secrets := make(chan string, 2)
	secrets <- "old"
	secrets <- "new"
	auth := awsjson.NewSigV4(rotating{secrets}, noon)
	if _, err := auth.Authenticate(jsonRequest(t, target, "{}", signedAs{secret: "old"}), []byte("{}"), "workspaces"); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.Authenticate(jsonRequest(t, target, "{}", signedAs{secret: "old"}), []byte("{}"), "workspaces"); err == nil {
		t.Error("the old secret still works")
	}
}

func TestManyRegions(t *testing.T) {
	t.Parallel()
	auth := awsjson.NewSigV4(keys{}, noon)
	var requests []*http.Request
	for i := range 3 {
		requests = append(requests, jsonRequest(t, target, "{}", signedAs{region: "r-" + strconv.Itoa(i)}))
	}
	for i := range 1<<14 + 10 { // past the point where the signer starts afresh
		caller, err := auth.Authenticate(requests[i%3], []byte("{}"), "workspaces")
		if err != nil || caller.Region != "r-"+strconv.Itoa(i%3) {
			t.Fatalf("signature %d: %v, region %q", i, err, caller.Region)
		}
	}
}

// brokenKeys is a KeySource that cannot be asked.
type brokenKeys struct{}

func (brokenKeys) Key(context.Context, string) (awsjson.Key, error) {
	return awsjson.Key{}, errors.New("database is closed")
}

func TestBrokenKeySourceIsOurFault(t *testing.T) {
	t.Parallel()
	h := newHandler(t, func(c *awsjson.Config) { c.Authenticator = awsjson.NewSigV4(brokenKeys{}, noon) })
	w := serve(h, jsonRequest(t, target, "{}", signedAs{}))
	if w.Code != 500 || strings.Contains(w.Body.String(), "database") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestAnyKey(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		keyID, account, exception string
	}{
		"an account":        {keyID: "999988887777", account: "999988887777"},
		"any other key":     {keyID: "testing", account: account},
		"13 digits":         {keyID: "9999888877776", account: account},
		"12 of other kinds": {keyID: "99998888777x", account: account},
		"no key":            {keyID: "", exception: "IncompleteSignatureException"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			auth := awsjson.AnyKey{DefaultAccount: account}
			r := jsonRequest(t, target, "{}", signedAs{secret: "whatever", token: "testing", at: noon().AddDate(1, 0, 0)})
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), keyID, test.keyID, 1))
			caller, err := auth.Authenticate(r, []byte("{}"), "workspaces")
			if test.exception != "" {
				if exception, ok := errors.AsType[*api.Exception](err); !ok || exception.Name != test.exception {
					t.Errorf("got %v, want %s", err, test.exception)
				}
				return
			}
			if err != nil || caller.Account != test.account || caller.Region != "eu-central-1" || caller.AccessKeyID != test.keyID {
				t.Errorf("got %+v, %v", caller, err)
			}
			if _, err := auth.Authenticate(r, []byte("{}"), "ds"); err == nil {
				t.Error("accepted for another service")
			}
		})
	}
}

func TestSigned(t *testing.T) {
	t.Parallel()
	h := newHandler(t, nil).Signed("workspaces",
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			caller := api.CallerFrom(r.Context())
			_, _ = w.Write([]byte(caller.Account + " " + caller.RequestID + " " + string(body)))
		}))
	for path, body := range map[string]string{
		"/_carrel/clock": "", "/_carrel/clock/a%2Fb%20c?advance=1h&x=%C3%AB+": `{"by":"1h"}`,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, path, strings.NewReader(body))
		sign(t, r, body, signedAs{})
		w := serve(h, r)
		if want := account + " " + w.Header().Get("x-amzn-RequestId") + " " + body; w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: got %d %s, want %s", path, w.Code, w.Body, want)
		}
	}
	refused := serve(h, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/_carrel/clock", nil))
	if refused.Code != 400 || !strings.Contains(refused.Body.String(), "MissingAuthenticationTokenException") {
		t.Errorf("got %d %s", refused.Code, refused.Body)
	}
	broken := newHandler(t, func(c *awsjson.Config) { c.Authenticator = awsjson.NewSigV4(brokenKeys{}, noon) })
	fault := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/_carrel/clock", nil)
	sign(t, fault, "", signedAs{})
	if w := serve(broken.Signed("workspaces", h), fault); w.Code != 500 || strings.Contains(w.Body.String(), "database") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	large := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/_carrel/clock", strings.NewReader(strings.Repeat(" ", awsjson.MaxBody+1)))
	if w := serve(h, large); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d", w.Code)
	}
}
