package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"carrel/internal/workspaces"
)

// How soon visits are looked at again: after a change in this process at once, but not more
// often than watchPause; what other processes and the clock change, every watchEvery.
const (
	watchPause = 300 * time.Millisecond
	watchEvery = time.Second
)

// Run cuts the visits of those who may not be there any more, until the context ends. What
// administrators change is felt within about a second.
func (p *Portal) Run(ctx context.Context) {
	defer close(p.over)
	for {
		changed := p.Store.Changed()
		p.watch(ctx)
		if !p.wait(ctx, changed, watchPause, watchEvery) {
			return
		}
	}
}

// watch looks at all visits once.
func (p *Portal) watch(ctx context.Context) {
	known := make(map[string]standing)
	p.watchOn(ctx, p.Streams, known)
	if p.Channels != nil {
		p.watchOn(ctx, p.Channels, known)
	}
}

// watchOn looks at the visits that one carries. known is what has been found out on the way.
func (p *Portal) watchOn(ctx context.Context, carrier Carrier, known map[string]standing) {
	for _, v := range carrier.Visits() {
		key := fmt.Sprint(v.Session, v.Address, v.Approved)
		now, found := known[key]
		if !found {
			now.visitor, now.err = p.resume(ctx, v.Session)
			now.visitor.address, now.visitor.approved = v.Address, v.Approved
			if now.err == nil {
				now.err = p.admit(ctx, now.visitor)
			}
			known[key] = now
		}
		if err := p.recheck(ctx, carrier, v, now); err != nil {
			p.cut(ctx, carrier, v, err)
		}
	}
}

// standing is what has become of somebody who was let in.
type standing struct {
	visitor visitor
	err     error
}

// recheck returns why a visit may not go on. That a desktop stops, or a session in a pool ends, ends
// streams without us; one under maintenance runs, and locks its user out.
func (p *Portal) recheck(ctx context.Context, carrier Carrier, v Visit, now standing) error {
	if now.err != nil {
		return now.err
	}
	at, err := p.visited(ctx, now.visitor, v.Desktop)
	if errors.Is(err, errSessionOver) && carrier == Carrier(p.Streams) {
		return nil
	}
	if err != nil {
		return err
	}
	if at.session != nil {
		if carrier == Carrier(p.Streams) {
			p.warn(v, at.session)
			if err := p.refuseIdle(at.session); err != nil {
				return err
			}
		}
	} else if state, label, text := at.describe(); state == "closed" {
		return &refusal{title: label + ".", text: text}
	}
	if rules := rulesOf(now.visitor.directory); rules != v.Rules {
		carrier.SetRules(v.ID, rules)
	}
	return nil
}

// lastMinutes is how long before a session in a pool expires its user is warned.
// Source: MaxUserDurationInSeconds.
const lastMinutes = 5 * time.Minute

// warn tells who is connected that their session in a pool expires soon.
func (p *Portal) warn(v Visit, s *workspaces.PoolSession) {
	if expires := s.ExpiresAt(); !p.Clock.Now().Before(expires.Add(-lastMinutes)) {
		p.Streams.Warn(v.ID, "Your session ends at "+expires.UTC().Format("15:04")+" UTC, and its desktop is removed. Save your files elsewhere now.")
	}
}

// refuseIdle refuses somebody who is connected to a desktop of a pool and has done nothing for too
// long, in none of their tabs. Source: IdleDisconnectTimeoutInSeconds.
func (p *Portal) refuseIdle(s *workspaces.PoolSession) error {
	after := s.IdleAfter()
	if after == 0 {
		return nil
	}
	now := p.Clock.Now()
	for _, v := range p.Streams.Visits() {
		if v.Desktop.ID != s.DesktopID {
			continue
		}
		if last, found := p.Streams.LastInput(v.ID); found && now.Before(last.Add(after)) {
			return nil
		}
	}
	return &refusal{title: "You were away.", text: "Nothing was typed or clicked for " + counted(int(after.Minutes()), "minute") + "."}
}

// cut ends a visit for the reason, unless that is a failure of ours: a moment's trouble with
// the database throws nobody out.
func (p *Portal) cut(ctx context.Context, carrier Carrier, v Visit, err error) {
	why := "You are signed out."
	if no, ok := errors.AsType[*refusal](err); ok {
		if why = no.cut; why == "" {
			why = no.title + " " + no.text
		}
	} else if errors.Is(err, errSessionOver) {
		why = "Your session has ended."
	} else if !errors.Is(err, errSignedOut) {
		p.Log.WarnContext(ctx, "a visit could not be looked at", "workspace", v.Desktop.ID, "error", err)
		return
	}
	p.Log.InfoContext(ctx, "a visit is cut", "workspace", v.Desktop.ID, "user", v.User, "address", v.Address, "why", why)
	carrier.Cut(v.ID, short(why))
}

// short is a text that fits the reason of a WebSocket's end, which has at most 123 bytes.
func short(text string) string {
	const most = 120
	if len(text) <= most {
		return text
	}
	cut := most - len("…")
	for cut > 0 && text[cut]&0xC0 == 0x80 {
		cut--
	}
	return text[:cut] + "…"
}

// wait returns after the pause, once something has changed or every has passed; false: it is over.
func (p *Portal) wait(ctx context.Context, changed <-chan struct{}, pause, every time.Duration) bool {
	return p.sleep(ctx, nil, pause) && p.sleep(ctx, changed, every)
}

// sleep returns after d, or when something has changed; false: it is over. How soon is looked
// again is no affair of the service's time.
func (p *Portal) sleep(ctx context.Context, changed <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d) //nolint:forbidigo // see above
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-p.over:
		return false
	case <-ctx.Done():
		return false
	}
	return true
}
