package fault

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"carrel/internal/api"
	"carrel/internal/workspaces"
)

// throttled is the exception of services that refuse requests because there are too many.
const throttled = "ThrottlingException"

// Middleware puts the faults of requests before the operations: throttling, and reads of the past.
func (f *Faults) Middleware() api.Middleware {
	return func(h api.Handler) api.Handler { return request{Handler: h, faults: f} }
}

type request struct {
	api.Handler
	faults *Faults
}

// Invoke refuses the request, or runs the operation in the present or in the past.
func (q request) Invoke(ctx context.Context, input any) (any, error) {
	spec, caller := q.Spec(), api.CallerFrom(ctx)
	ctx = context.WithValue(ctx, operationKey{}, spec.Name)
	if ctx.Value(exemptKey{}) != nil {
		return q.Handler.Invoke(ctx, input)
	}
	who := whom{Scope: workspaces.Scope{Account: caller.Account, Region: caller.Region}, operation: spec.Name}
	refused, lag := q.faults.meets(who, spec)
	if refused {
		exception := &api.Exception{Name: throttled, Message: "Rate exceeded", Status: http.StatusBadRequest}
		if spec.Declares(throttled) {
			exception.Status = http.StatusTooManyRequests
		}
		return nil, exception
	}
	if lag > 0 {
		past, release := q.faults.store.Past(ctx, q.faults.clock.Now().Add(-lag))
		defer release()
		ctx = past
	}
	return q.Handler.Invoke(ctx, input)
}

// operationKey finds the name of the operation that a context belongs to.
type operationKey struct{}

// exemptKey marks contexts whose requests nothing refuses and that read the present.
type exemptKey struct{}

// Exempt returns a context in which requests meet no faults of requests, for those that met theirs
// once already.
func Exempt(ctx context.Context) context.Context { return context.WithValue(ctx, exemptKey{}, true) }

// meets decides about a request: whether it is refused, and how old what it reads is.
func (f *Faults) meets(who whom, asked api.Info) (refused bool, lag time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.clock.Now()
	for _, r := range f.rules {
		if r.over(now) || !r.isFor(who) {
			continue
		}
		switch {
		case r.Name == Throttling && r.Rate > 0:
			if !r.limiter(who).AllowN(now, 1) && r.strikes(who.Scope, "") {
				refused = true
			}
		case r.Name == Throttling:
			refused = r.strikes(who.Scope, "") || refused
		case r.Name == StaleReads && asked.IsRead() && r.strikes(who.Scope, ""):
			lag = max(lag, time.Duration(r.Lag))
		}
	}
	return refused, lag
}

// limiter is the bucket that the request takes from.
func (r *rule) limiter(who whom) *rate.Limiter {
	b := bucket{who.Scope, who.operation}
	if r.buckets[b] == nil {
		r.buckets[b] = rate.NewLimiter(rate.Limit(r.Rate), r.Burst)
	}
	return r.buckets[b]
}
