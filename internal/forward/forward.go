// Package forward passes requests for services that Carrel does not answer on to another
// endpoint, as they are, so that one endpoint serves whatever a client needs. It imports the
// wire, for refusals in the client's protocol. Start at New.
package forward

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"carrel/internal/api"
	"carrel/internal/awsjson"
)

const (
	// dialTimeout is how long the other endpoint may take to accept a connection: it is near.
	dialTimeout = 5 * time.Second
	// answerTimeout is how long it may take to begin its reply.
	answerTimeout = 5 * time.Minute
)

// PassedHeader marks requests that were passed on: one that comes back has gone in a circle.
const PassedHeader = "X-Carrel-Forwarded"

// New returns a handler that passes every request on to the endpoint, and answers with its
// reply. Host, path and body stay as they were signed, so that an endpoint which checks
// signatures finds them good; whose key it was is the endpoint's to decide.
func New(endpoint *url.URL, log *slog.Logger) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(endpoint)
			p.Out.Host = p.In.Host
			p.SetXForwarded()
			p.Out.Header.Set(PassedHeader, "1")
			// Who waits to be told to go on is told so here, and need not be told again. No
			// signature covers this header.
			p.Out.Header.Del("Expect")
		},
		Transport:     Transport(),
		FlushInterval: -1, // what the endpoint says bit by bit arrives bit by bit
		ErrorLog:      slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() != nil {
				return // the client is gone
			}
			log.WarnContext(r.Context(), "the endpoint that requests are passed on to does not answer",
				"forward", endpoint.Redacted(), "service", awsjson.ServiceOf(r), "error", err)
			awsjson.Refuse(w, r, unavailable("The endpoint %s, to which requests for the service %s are passed on, does not answer.",
				endpoint.Redacted(), awsjson.ServiceOf(r)))
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(PassedHeader) != "" {
			awsjson.Refuse(w, r, unavailable("The request for the service %s was passed on in a circle: --forward names this endpoint, or one that passes on to it.",
				awsjson.ServiceOf(r)))
			return
		}
		log.DebugContext(r.Context(), "passed on", "service", awsjson.ServiceOf(r), "method", r.Method, "path", r.URL.Path)
		proxy.ServeHTTP(w, r)
	})
}

// Transport leaves replies as they are, and takes no proxy of the environment: the endpoint was named.
func Transport() *http.Transport {
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, address)
		},
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		DisableCompression:    true,
		ForceAttemptHTTP2:     true,
		MaxIdleConnsPerHost:   32,
		IdleConnTimeout:       time.Minute,
		ResponseHeaderTimeout: answerTimeout,
	}
}

func unavailable(format string, args ...any) *api.Exception {
	return &api.Exception{Name: "ServiceUnavailable", Message: fmt.Sprintf(format, args...), Status: http.StatusServiceUnavailable}
}
