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

// Middleware puts the faults of requests before the operations: exceptions, throttling, and reads of
// the past.
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
	if !spec.IsRead() {
		defer q.faults.decide(context.WithoutCancel(ctx))
	}
	if ctx.Value(exemptKey{}) != nil {
		return q.Handler.Invoke(ctx, input)
	}
	who := whom{Scope: workspaces.Scope{Account: caller.Account, Region: caller.Region}, operation: spec.Name}
	lag, refusal := q.faults.meets(who, spec)
	if refusal != nil {
		return nil, refusal
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

// meets decides about a request: how old what it reads is, and whether it is refused, by the first rule that does.
func (f *Faults) meets(who whom, asked api.Info) (lag time.Duration, refusal error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.clock.Now()
	for _, r := range f.rules {
		if r.over(now) || !r.isFor(who) {
			continue
		}
		var refused error
		switch {
		case r.Name == Exception:
			refused = exception(r.ErrorCode, r.ErrorMessage)
		case r.Name == Throttling && (r.Rate == 0 || !r.limiter(who).AllowN(now, 1)):
			refused = tooMany(asked)
		case r.Name == StaleReads && asked.IsRead() && r.strikes(who.Scope, ""):
			lag = max(lag, time.Duration(r.Lag))
		}
		if refused != nil && r.strikes(who.Scope, "") && refusal == nil {
			refusal = refused
		}
	}
	return lag, refusal
}

// exception is one that is answered on purpose. Its status is the model's, and that of the exceptions that every
// service has beside. Source: the API reference, "Common Errors".
func exception(name, message string) *api.Exception {
	e := &api.Exception{Name: name, Message: message}
	switch name {
	case "InternalFailure", api.InternalServerException:
		e.Status = http.StatusInternalServerError
	case "ServiceUnavailable":
		e.Status = http.StatusServiceUnavailable
	}
	return e
}

// tooMany is how an operation refuses requests because there are too many.
func tooMany(asked api.Info) *api.Exception {
	e := &api.Exception{Name: throttled, Message: "Rate exceeded", Status: http.StatusBadRequest}
	if asked.Declares(throttled) {
		e.Status = http.StatusTooManyRequests
	}
	return e
}

// limiter is the bucket that the request takes from.
func (r *rule) limiter(who whom) *rate.Limiter {
	b := bucket{who.Scope, who.operation}
	if r.buckets[b] == nil {
		r.buckets[b] = rate.NewLimiter(rate.Limit(r.Rate), r.Burst)
	}
	return r.buckets[b]
}
