// Package job is the background work that makes what operations have recorded come
// true. River hands it refs; each ref is one turn of work on one thing, and the thing's own state
// says what is to be done. It imports the store, compute and the directories, never api.
//
// A turn may happen twice, late, or after somebody else has moved the thing on: every
// step is idempotent, and what a turn found out is written only if the thing still has
// the generation that the turn began with. Start at Runner.Do; each action of the
// lifecycle has a file with its steps and their undo at its head.
package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/riverqueue/river"
	"golang.org/x/sync/errgroup"

	"carrel/internal/clock"
	"carrel/internal/compute"
	"carrel/internal/directory"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Runner does the work.
type Runner struct {
	Store       *store.Store
	Clock       *clock.Clock
	Driver      compute.Driver
	Limits      workspaces.Limits
	Directories directory.Directories
	Log         *slog.Logger

	// Applications are the catalogue of what can be installed in WorkSpaces.
	Applications []workspaces.Application
	// SecurityGroups are the ids of those that the engine knows.
	SecurityGroups []string

	// Maintenance says when WorkSpaces are kept up to date, and how.
	Maintenance Maintenance

	// Installation tells this installation's images in the engine from those of others.
	Installation string

	busy busy
	work atWork
}

const (
	// maxJobs is how many jobs River has in work at once, and how many are in hand. Most of them
	// wait for the engine, which itself holds back what it cannot do at once.
	maxJobs = 40
	// together is how many things of one job are in work at once.
	together = 25
	// pollEvery is how soon a job of another process is seen, and alonePoll how soon one that no
	// hand was free for. Each look costs the database a write's turn.
	pollEvery = 50 * time.Millisecond
	alonePoll = 250 * time.Millisecond
	// turnTimeout is the longest that the engine may take over one turn, in real time. It ends
	// waits for an engine that hangs: drivers have shorter ones of their own.
	turnTimeout = 5 * time.Minute
)

// Workers returns what hands the runner its work, not yet started.
func (r *Runner) Workers() (store.Workers, error) {
	registry := river.NewWorkers()
	river.AddWorker(registry, river.WorkFunc(func(ctx context.Context, j *river.Job[store.Work]) error {
		return r.Do(ctx, j.Args)
	}))
	poll := pollEvery
	if r.Store.Alone() {
		poll = alonePoll
	}
	workers, err := r.Store.Workers(&river.Config{
		Logger:            slog.New(quiet{r.Log.Handler()}),
		Queues:            map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: maxJobs}},
		Workers:           registry,
		FetchCooldown:     poll,
		FetchPollInterval: poll,
		JobTimeout:        -1, // each turn has its own
		// A job that died with its process is worked again after this. Mostly the wake loop
		// has been sooner, and then there is nothing left to do.
		RescueStuckJobsAfter: 2 * turnTimeout,
		// What has been done is of no further use.
		CompletedJobRetentionPeriod: time.Minute,
	})
	if err != nil || !r.Store.Alone() {
		return workers, err // another process may be at what this one has asked for
	}
	return &hands{Workers: workers, runner: r, free: make(chan struct{}, maxJobs)}, nil
}

// Do takes one turn of work on each thing. An error is one that a later turn may not have,
// and River tries the job again; those things that got their turn are not in its way.
func (r *Runner) Do(ctx context.Context, w store.Work) error {
	r.work.begin()
	defer r.work.done()
	var turn func(context.Context, workspaces.Ref) error
	refs := w.Refs
	switch w.Resource {
	case workspaces.KindWorkSpace:
		var err error
		if refs, err = r.current(ctx, refs); err != nil {
			return err
		}
		turn = r.workSpace
	case workspaces.KindImage:
		turn = r.image
	case workspaces.KindDirectory:
		turn = r.directory
	case workspaces.KindWorkspaceDirectory:
		turn = r.workspaceDirectory
	case workspaces.KindConnectionAlias:
		turn = r.connectionAlias
	case workspaces.KindAccountModification:
		turn = r.accountModification
	case workspaces.KindPool:
		turn = r.pool
	case workspaces.KindPoolDesktop:
		turn = r.poolDesktop
	case workspaces.KindPoolSession:
		turn = r.poolSession
	case workspaces.KindTrust:
		turn = r.trust
	case workspaces.KindDeployment:
		turn = r.deployment
	default:
		return river.JobCancel(fmt.Errorf("job: no work is known for %q", w.Resource))
	}
	errs := make([]error, len(refs))
	var group errgroup.Group
	group.SetLimit(together)
	for i, ref := range refs {
		group.Go(func() error {
			errs[i] = r.one(ctx, turn, thing{w.Resource, ref.ID}, ref)
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs
	return errors.Join(errs...)
}

// current leaves out what is stale, where there are several: mostly a hand was quicker, and one look saves as many turns.
func (r *Runner) current(ctx context.Context, refs []workspaces.Ref) (current []workspaces.Ref, err error) {
	if len(refs) < 2 {
		return refs, nil
	}
	err = r.Store.View(func(tx *store.Tx) error {
		current, err = tx.Current(ctx, refs)
		return err
	})
	return current, err
}

// one takes a turn on one thing, or leaves it to whoever is at work on the thing already.
func (r *Runner) one(ctx context.Context, turn func(context.Context, workspaces.Ref) error, on thing, ref workspaces.Ref) error {
	if !r.busy.begin(on, ref) {
		return nil
	}
	var errs []error
	for more := true; more; ref, more = r.busy.done(on) {
		errs = append(errs, r.safely(ctx, turn, ref))
	}
	return errors.Join(errs...)
}

// safely turns a panic into an error of the one turn that it is in.
func (r *Runner) safely(ctx context.Context, turn func(context.Context, workspaces.Ref) error, ref workspaces.Ref) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("job: panic on %s: %v", ref.ID, p)
			r.Log.ErrorContext(ctx, "a turn of work panicked", "id", ref.ID, "panic", p, "stack", string(debug.Stack()))
		}
	}()
	return turn(ctx, ref)
}

// quiet keeps River's routine lines out of the log.
type quiet struct{ slog.Handler }

// Enabled lets warnings and errors pass.
func (quiet) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
