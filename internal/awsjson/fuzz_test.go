package awsjson_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carrel/internal/awsjson"
)

// FuzzAuthorization throws Authorization headers at the verification: each is refused with an exception of its own, and
// none is accepted but the one that signs the request.
func FuzzAuthorization(f *testing.F) {
	good := jsonRequest(f, target, "{}", signedAs{}).Header.Get("Authorization")
	for _, seed := range []string{
		good, "", "AWS4-HMAC-SHA256", "Bearer x", strings.ReplaceAll(good, ", ", ","), good + ", Signature=00",
		strings.Replace(good, "host", ";", 1), strings.Replace(good, "/", "//", 1), good[:len(good)-1],
	} {
		f.Add(seed)
	}
	h := newHandler(f, nil, describe())
	f.Fuzz(func(t *testing.T, header string) {
		r := jsonRequest(t, target, "{}", signedAs{})
		r.Header.Set("Authorization", header)
		w := serve(h, r)
		if w.Code >= 500 {
			t.Errorf("%q: %d %s", header, w.Code, w.Body)
		}
		if w.Code == http.StatusOK && !strings.Contains(header, good[strings.LastIndexByte(good, '=')+1:]) {
			t.Errorf("%q was accepted", header)
		}
	})
}

// FuzzRequest throws whole requests at the handler, past authentication: no input may end in a fault of ours.
func FuzzRequest(f *testing.F) {
	recordings, err := filepath.Glob(filepath.Join("testdata", "botocore", "*.http"))
	if err != nil || len(recordings) == 0 {
		f.Fatal("no recordings", err)
	}
	for _, path := range recordings {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		_, body, _ := strings.Cut(string(content), "\r\n\r\n")
		r := recorded(f, strings.TrimSuffix(filepath.Base(path), ".http"))
		f.Add(r.Method, r.URL.RequestURI(), r.Header.Get("X-Amz-Target"), r.Header.Get("Content-Type"),
			r.Header.Get("Authorization"), body)
	}
	h := newHandler(f, func(c *awsjson.Config) { c.Authenticator = awsjson.AnyKey{DefaultAccount: account} }, describe())
	f.Fuzz(func(t *testing.T, method, uri, target, contentType, authorization, body string) {
		parsed, err := url.ParseRequestURI(uri)
		if err != nil {
			t.Skip("net/http would not pass it on")
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.Method, r.URL = method, parsed
		r.Header.Set("X-Amz-Target", target)
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Authorization", authorization)
		if strings.HasPrefix(uri, "/service/") {
			r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
		}
		w := serve(h, r)
		if w.Code >= 500 || w.Header().Get("x-amzn-RequestId") == "" {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}
