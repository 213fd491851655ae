package gateway

import (
	"context"
	"time"
)

// afterwards is how long it is waited for a sign-out inside a desktop when its user is gone: who signs out may close the
// tab sooner than the desktop's programs end.
const afterwards = 10 * time.Second

// attend ends the session in a pool of a visit whose user signs out inside the desktop, as in the service: at once, and not
// when they have been away for long enough. over is to be called when the visit is. What is missed, because this process
// died, is known again at the next visit, for a desktop that was signed out of stays so.
func (p *Portal) attend(ctx context.Context, visit Visit) (over func()) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer stop()
		if err := p.Channels.AwaitSignOut(ctx, visit.Desktop); err != nil {
			if ctx.Err() == nil {
				p.Log.WarnContext(ctx, "a sign-out inside the desktop would not be noticed", "desktop", visit.Desktop.ID, "user", visit.User, "why", err)
			}
			return
		}
		p.Log.InfoContext(ctx, "signed out inside the desktop", "desktop", visit.Desktop.ID, "user", visit.User)
		for _, v := range p.Streams.Visits() {
			if v.Desktop == visit.Desktop { // first, so that they are told why
				p.Streams.Leave(v.ID)
			}
		}
		if err := p.Actions.SignOut(ctx, visit.Desktop); err != nil {
			p.Log.ErrorContext(ctx, "a session is not ended", "desktop", visit.Desktop.ID, "user", visit.User, "error", err)
		}
	}()
	return func() {
		go func() {
			p.sleep(ctx, nil, afterwards)
			stop()
		}()
	}
}
