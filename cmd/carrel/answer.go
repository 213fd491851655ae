package main

import (
	"net/http"
	"strings"
	"time"

	"carrel/internal/api"
	"carrel/internal/api/ds"
	"carrel/internal/api/dsdata"
	monitoringapi "carrel/internal/api/monitoring"
	"carrel/internal/api/sts"
	taggingapi "carrel/internal/api/tagging"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/awsjson"
	"carrel/internal/branding"
	"carrel/internal/control"
	"carrel/internal/directory/embedded"
	"carrel/internal/forward"
	"carrel/internal/gateway"
	"carrel/internal/operation"
	"carrel/internal/operation/directorydata"
	"carrel/internal/operation/directoryservice"
	"carrel/internal/operation/monitoring"
	"carrel/internal/operation/securitytoken"
	"carrel/internal/operation/tagging"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// handler puts together what answers on the server's one address.
func (s *server) handler(core *operation.Core, hasher *embedded.Hasher, portal *gateway.Portal) (http.Handler, error) {
	metrics := newMetrics(s.streams.Collectors()...)
	proxies, err := s.config.Proxies()
	if err != nil {
		return nil, err
	}
	to, err := s.config.ForwardTo()
	if err != nil {
		return nil, err
	}
	cloudWatch, err := monitoring.New(core, to != nil)
	if err != nil {
		return nil, err
	}
	services := servicesOf(core, hasher, cloudWatch)
	config := awsjson.Config{
		Services:      services,
		Authenticator: s.authenticator(),
		Now:           time.Now,
		Logger:        s.log,
		Observe:       metrics.observe,
		Secure:        gateway.Proxies(proxies).Secure,
	}
	if config.Middleware, err = s.middleware(); err != nil {
		return nil, err
	}
	if to != nil {
		config.Unknown = forward.New(to, s.log)
		s.log.Info("requests for other services are passed on", "forward", to.Redacted())
	}
	wire, err := awsjson.New(config)
	if err != nil {
		return nil, err
	}
	beside := &control.Control{
		Store: s.store, Clock: s.clock, Driver: s.engine.driver, Log: s.log, ForTests: s.config.Control, Reset: s.engine.reset, Files: s.engine.files,
		SignOut: s.engine.signOut, Faults: s.engine.faults, Ways: s.ways,
		Signed: func(next http.Handler) http.Handler { return wire.Signed(wsapi.Service.Name, next) },
	}
	beside.API = operation.WorkSpaces{Core: core}
	if s.config.Instant {
		beside.Rest = s.runner.Rest
	}
	mux := http.NewServeMux()
	if to == nil {
		mux.Handle("/", portal.Otherwise(wire))
	} else {
		mux.Handle("/", wire) // what a browser finds there is for the other endpoint to say
	}
	portal.Register(mux)
	mux.Handle(workspaces.BrandingPath, branding.Handler(s.store, s.log))
	answers := s.journal.Control(beside.Handler())
	s.player = s.playerOf(services)
	s.player.API = beside.API
	s.player.Control = answers
	mux.Handle("/_carrel/", answers)
	if s.config.Control {
		mux.Handle(control.MotoReset, resetBoth(answers, config.Unknown))
	}
	mux.Handle("GET /metrics", metrics.handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /readyz", s.ready)
	return signedFirst(wire, mux), nil
}

// middleware is what stands between the wire and the operations, the outermost first.
func (s *server) middleware() ([]api.Middleware, error) {
	remember, err := operation.Remember(s.store)
	if err != nil {
		return nil, err
	}
	var layers []api.Middleware
	var held func(id string) bool
	if faults := s.engine.faults; faults != nil {
		layers = append(layers, faults.Middleware())
		held = faults.Holds
	}
	layers = append(layers, remember)
	if s.config.Instant {
		layers = append(layers, operation.Instant(s.store, s.clock, held))
	}
	if s.journals() {
		layers = append(layers, s.journal.Middleware())
	}
	return append(layers, s.ways.Middleware()), nil
}

// servicesOf are the services that Carrel answers.
func servicesOf(core *operation.Core, hasher *embedded.Hasher, cloudWatch *monitoring.Service) []awsjson.ServiceHandlers {
	return []awsjson.ServiceHandlers{
		{Service: wsapi.Service, Handlers: operation.WorkSpaces{Core: core}.Handlers()},
		{Service: ds.Service, Handlers: directoryservice.New(core, hasher).Handlers()},
		{Service: dsdata.Service, Handlers: directorydata.New(core).Handlers()},
		{Service: sts.Service, Handlers: securitytoken.New().Handlers()},
		{Service: taggingapi.Service, Handlers: tagging.New(core).Handlers()},
		{Service: monitoringapi.Service, Handlers: cloudWatch.Handlers(), PassOn: true},
	}
}

// signedFirst gives what carries a signature of AWS to the wire, whatever its path: the paths
// of other services, such as S3's, may be those of the portal too, and a mux tidies paths up
// that were signed as they are. Carrel's own signed endpoints stay where they are.
func signedFirst(wire, others http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed := strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-") || r.URL.Query().Has("X-Amz-Signature")
		if signed && !strings.HasPrefix(r.URL.Path, "/_carrel/") {
			wire.ServeHTTP(w, r)
			return
		}
		others.ServeHTTP(w, r)
	})
}

// ready answers whether the database and the engine do.
func (s *server) ready(w http.ResponseWriter, r *http.Request) {
	err := s.store.View(func(tx *store.Tx) error {
		_, err := tx.Setting(r.Context(), "installation")
		return err
	})
	if err == nil {
		_, err = s.engine.driver.About(r.Context())
	}
	if err != nil {
		s.log.WarnContext(r.Context(), "not ready", "error", err)
		http.Error(w, "not ready; the server's log says why", http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
