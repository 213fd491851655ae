package awsjson

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"carrel/internal/api"
)

// Config says what a Handler answers and with whose help.
type Config struct {
	// Services are the services answered, with their operations.
	Services []ServiceHandlers
	// Authenticator checks signatures.
	Authenticator Authenticator
	// Now is the wall clock, also where the rest of the program lives by a clock that tests move: it measures how long
	// requests take.
	Now func() time.Time
	// Logger receives one line per request: debug when it succeeds, info when it is refused, error when we fail.
	Logger *slog.Logger
	// Middleware wraps every handler, the first one outermost. It sees inputs that were decoded and checked.
	Middleware []api.Middleware
	// Observe, if set, is told of every request when its reply is complete, also of those that reached no operation.
	Observe func(Exchange)
	// Secure, if set, reports whether a client speaks TLS: to this process, or to a proxy before it.
	Secure func(*http.Request) bool
	// Unknown, if set, gets the requests for services that are not ours, unauthenticated and with their body intact. They
	// are neither logged nor observed. Without it they are refused, by the name of their service and in its protocol as
	// far as that can be told. It also gets what a handler answers api.ErrElsewhere to.
	Unknown http.Handler
}

// ServiceHandlers are a service and the code for its operations. Operations of the service without a handler are answered
// with UnknownOperationException; give them a handler with api.AnyOperation's Refuse to answer better.
type ServiceHandlers struct {
	Service  *api.Service
	Handlers []api.Handler
	// PassOn has requests for operations without a handler go to Config.Unknown, where there is one.
	PassOn bool
}

// New returns the handler for the services. It is an error to name a service, target, path or operation twice, or to give
// a handler for an operation that its service does not have.
func New(config Config) (*Handler, error) {
	if config.Authenticator == nil || config.Now == nil || config.Logger == nil {
		return nil, errors.New("awsjson: Authenticator, Now and Logger are needed")
	}
	h := &Handler{
		authenticator: config.Authenticator,
		now:           config.Now,
		logger:        config.Logger,
		observe:       config.Observe,
		unknown:       config.Unknown,
		secure:        config.Secure,
		routes:        newRoutes(),
	}
	for _, s := range config.Services {
		if err := h.routes.add(s, config.Middleware); err != nil {
			return nil, fmt.Errorf("awsjson: service %s: %w", s.Service.Name, err)
		}
	}
	return h, nil
}
