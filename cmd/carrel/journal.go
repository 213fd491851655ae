package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"

	"carrel/internal/api"
	"carrel/internal/awsjson"
	"carrel/internal/journal"
	"carrel/internal/store"
)

// newJournal returns what gives requests their chance. What there is already makes others of it, so
// that a server which starts again does not give the same ids again.
func (s *server) newJournal() *journal.Journal {
	var seed *uint64
	if s.config.Seed != 0 {
		seed = &s.config.Seed
	}
	return journal.New(s.clock, s.log, seed, strconv.FormatInt(s.store.Seq(), 10))
}

// openJournal begins to write requests down, where the configuration asks for it.
func (s *server) openJournal(ctx context.Context) error {
	if s.config.Journal == "" {
		return nil
	}
	start := journal.Start{Fresh: s.store.Seq() == 0}
	err := s.store.View(func(tx *store.Tx) (err error) {
		start.Subnets, err = tx.Subnets(ctx)
		return err
	})
	if err != nil {
		return err
	}
	return s.journal.Open(s.config.Journal, start)
}

// resetBoth has everything forgotten here, and then where requests for other services are passed on
// to, if anywhere: suites for moto's server ask for both at once.
func resetBoth(here, there http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if there == nil || r.Method != http.MethodPost {
			here.ServeHTTP(w, r)
			return
		}
		reply := httptest.NewRecorder()
		here.ServeHTTP(reply, r)
		if reply.Code == http.StatusOK {
			there.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(reply.Code)
		_, _ = w.Write(reply.Body.Bytes()) // the client has gone
	})
}

// journals reports whether requests have to pass the journal.
func (s *server) journals() bool {
	return s.config.Seed != 0 || s.config.Journal != "" || s.config.Replay != ""
}

// playerOf returns what replays a journal on the services. Its requests are not waited for.
func (s *server) playerOf(services []awsjson.ServiceHandlers) *journal.Player {
	middleware := []api.Middleware{s.ways.Middleware(), s.journal.Middleware()}
	if s.engine.faults != nil {
		middleware = append(middleware, s.engine.faults.Middleware())
	}
	p := &journal.Player{Store: s.store, Clock: s.clock, Journal: s.journal, Rest: s.runner.Rest, Log: s.log}
	for _, service := range services {
		for _, h := range service.Handlers {
			for _, m := range middleware {
				h = m(h)
			}
			p.Handlers = append(p.Handlers, h)
		}
	}
	return p
}

// replay replays the journal that the configuration names, and tells what has become of it.
func (s *server) replay(ctx context.Context) (err error) {
	if s.config.Replay == "" {
		return nil
	}
	file, err := os.Open(s.config.Replay)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	played, err := s.player.Play(ctx, file)
	if err != nil {
		return errors.Join(errors.New(s.config.Replay+" cannot be replayed"), err)
	}
	for _, difference := range played.Differences {
		s.log.WarnContext(ctx, "the replay differs from the journal", "difference", difference)
	}
	s.log.InfoContext(ctx, "the journal is replayed", "journal", s.config.Replay, "requests", played.Requests,
		"differences", len(played.Differences), "torn", played.Torn)
	return nil
}
