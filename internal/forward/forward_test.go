package forward_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"carrel/internal/forward"
)

// seen is what an endpoint has got.
type seen struct {
	Method, URI, Host, Body string
	Header                  http.Header
}

// endpoint is a server that answers with what it got.
func endpoint(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("X-Amzn-Requestid", "theirs")
		w.WriteHeader(http.StatusTeapot)
		if err := json.NewEncoder(w).Encode(seen{r.Method, r.RequestURI, r.Host, string(body), r.Header}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// front is a server that passes everything on to a URL.
func front(t *testing.T, to string) *httptest.Server {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(forward.New(target, slog.New(slog.DiscardHandler)))
	t.Cleanup(s.Close)
	return s
}

const signature = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/%/aws4_request, SignedHeaders=host, Signature=00"

// answer is what a request is answered with.
type answer struct {
	status int
	header http.Header
}

// send sends a request that is signed for a service, and returns the reply and its body.
func send(t *testing.T, method, to, service, contentType, body string) (answer, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, to, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", strings.Replace(signature, "%", service, 1))
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Accept-Encoding", "identity")
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{reply.StatusCode, reply.Header}, string(text)
}

// TestPassedOnAsItIs: what is signed, and what is not, arrives unchanged, and so does the reply.
func TestPassedOnAsItIs(t *testing.T) {
	t.Parallel()
	f := front(t, endpoint(t).URL)
	reply, body := send(t, http.MethodPut, f.URL+"/bucket//a%2Fb%20c/../d?x=1&y&z=%2F", "s3", "text/plain", "the body")
	if reply.status != http.StatusTeapot || reply.header.Get("X-Amzn-Requestid") != "theirs" {
		t.Errorf("%d, %v", reply.status, reply.header)
	}
	var got seen
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if got.Method != http.MethodPut || got.URI != "/bucket//a%2Fb%20c/../d?x=1&y&z=%2F" || got.Body != "the body" ||
		"http://"+got.Host != f.URL || !strings.HasPrefix(got.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIA/") {
		t.Errorf("%+v", got)
	}
	if got.Header.Get("X-Forwarded-For") != "127.0.0.1" || got.Header.Get("Accept-Encoding") != "identity" {
		t.Errorf("%v", got.Header)
	}
}

// TestBelowAPath: the endpoint may lie below a path of its own.
func TestBelowAPath(t *testing.T) {
	t.Parallel()
	_, body := send(t, http.MethodPost, front(t, endpoint(t).URL+"/aws").URL, "logs", "application/x-amz-json-1.1", "{}")
	var got seen
	if err := json.Unmarshal([]byte(body), &got); err != nil || got.URI != "/aws/" {
		t.Errorf("%s, %v", body, err)
	}
}

// TestDoesNotAnswer: the refusal is in the protocol of the service, and says what does not answer.
func TestDoesNotAnswer(t *testing.T) {
	t.Parallel()
	gone := endpoint(t)
	f := front(t, gone.URL)
	gone.Close()
	const form, json11 = "application/x-www-form-urlencoded; charset=utf-8", "application/x-amz-json-1.1"
	for service, c := range map[string]struct{ contentType, path string }{
		"ec2": {form, "Errors>Error"}, "iam": {form, "Error"}, "s3": {"", ""}, "dynamodb": {json11, ""}, "lambda": {"", ""},
	} {
		reply, body := send(t, http.MethodPost, f.URL, service, c.contentType, "Action=x&Version=y")
		if reply.status != http.StatusServiceUnavailable || !strings.Contains(body, gone.URL) || !strings.Contains(body, "service "+service) {
			t.Errorf("%s: %d, %s", service, reply.status, body)
		}
		code := reply.header.Get("X-Amzn-Errortype")
		switch {
		case service == "s3":
			var e struct{ Code string }
			if err := xml.Unmarshal([]byte(body), &e); err != nil {
				t.Errorf("%s: %v in %s", service, err, body)
			}
			code = e.Code
		case c.contentType == form:
			var e struct {
				EC2   string `xml:"Errors>Error>Code"`
				Query string `xml:"Error>Code"`
			}
			if err := xml.Unmarshal([]byte(body), &e); err != nil {
				t.Errorf("%s: %v in %s", service, err, body)
			}
			code = e.EC2 + e.Query
		}
		if code != "ServiceUnavailable" {
			t.Errorf("%s: %q in %s", service, code, body)
		}
	}
}

// TestCircle: an endpoint that leads back here is found out at the second turn.
func TestCircle(t *testing.T) {
	t.Parallel()
	var handler http.Handler
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(s.Close)
	target, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	handler = forward.New(target, slog.New(slog.DiscardHandler))
	reply, body := send(t, http.MethodPost, s.URL, "dynamodb", "application/x-amz-json-1.0", "{}")
	if reply.status != http.StatusServiceUnavailable || !strings.Contains(body, "circle") {
		t.Errorf("%d, %s", reply.status, body)
	}
}

// TestClientGone: nobody waits for an endpoint on behalf of a client that is gone.
func TestClientGone(t *testing.T) {
	t.Parallel()
	began, ended := make(chan struct{}), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		close(ended)
	}))
	t.Cleanup(slow.Close)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, front(t, slow.URL).URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-began
		cancel()
	}()
	if reply, err := http.DefaultClient.Do(r); err == nil {
		t.Error(reply.Status)
		_ = reply.Body.Close()
	}
	<-ended
}
