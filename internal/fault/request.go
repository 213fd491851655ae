package fault

import (
	"context"
	"net/http"
	"strings"
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
	who := whom{Scope: workspaces.Scope{Account: caller.Account, Region: caller.Region}, operation: spec.Name}
	refused, lag := q.faults.meets(who)
	if refused {
		exception := &api.Exception{Name: throttled, Message: "Rate exceeded", Status: http.StatusBadRequest}
		if spec.Declares(throttled) {
			exception.Status = http.StatusTooManyRequests
		}
		return nil, exception
	}
	ctx = context.WithValue(ctx, operationKey{}, spec.Name)
	if lag > 0 {
		past, release := q.faults.store.Past(ctx, q.faults.clock.Now().Add(-lag))
		defer release()
		ctx = past
	}
	return q.Handler.Invoke(ctx, input)
}

// operationKey finds the name of the operation that a context belongs to.
type operationKey struct{}

// IsRead reports whether an operation only tells what is there.
func IsRead(operation string) bool {
	for _, verb := range []string{"Describe", "List", "Get", "Search"} {
		if strings.HasPrefix(operation, verb) {
			return true
		}
	}
	return false
}

// meets decides about a request: whether it is refused, and how old what it reads is.
func (f *Faults) meets(who whom) (refused bool, lag time.Duration) {
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
		case r.Name == StaleReads && IsRead(who.operation) && r.strikes(who.Scope, ""):
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
