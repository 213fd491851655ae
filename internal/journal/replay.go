package journal

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"time"

	"carrel/internal/api"
	"carrel/internal/clock"
	"carrel/internal/fault"
	"carrel/internal/operation"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Player brings a server to where a journal ends. Nobody else may use the server meanwhile.
type Player struct {
	Store    *store.Store
	Clock    *clock.Clock
	Journal  *Journal                    // of the server, which may write down what is replayed
	Handlers []api.Handler               // all operations, with the Journal's middleware
	Control  http.Handler                // the control endpoints, with the Journal's Control
	Rest     func(context.Context) error // returns when nothing is to be done at the clock's time
	API      operation.WorkSpaces
	Log      *slog.Logger

	scale float64 // how fast the clock is to run afterwards
	used  bool    // something has been replayed
}

// Played is what has become of a replay.
type Played struct {
	Requests    int      // that were replayed
	Differences []string // requests that were answered otherwise than the journal has it
	Torn        bool     // the journal's last line was cut off, and left out
}

// ErrNotFresh says that there is something already on the server that a journal is to be replayed on.
var ErrNotFresh = errors.New("a journal is replayed on a fresh server, and this one has data; use another data folder")

// act notes what has become of an act, which may have been refused.
func (played *Played) act(number int, r Record, err error) error {
	played.Requests++
	is := Record{}
	if refusal, refused := errors.AsType[*workspaces.Error](err); refused {
		is.Error = &Failure{Name: string(refusal.Code), Message: refusal.Message}
	} else if err != nil {
		return err
	}
	if difference := compare(Record{Error: r.Error}, is); difference != "" {
		played.Differences = append(played.Differences, fmt.Sprintf("line %d: %s: %s", number, r.Act, difference))
	}
	return nil
}

// Play replays the journal: each change at its time, with its ids, once the work of those before
// it has settled as far as it had by then. Afterwards the clock goes on from the journal's last
// time. Errors: ErrNotFresh, what makes the journal no journal, the store's.
func (p *Player) Play(ctx context.Context, from io.Reader) (played Played, err error) {
	if p.Store.Seq() != 0 {
		return played, ErrNotFresh
	}
	p.scale = 1
	lines := bufio.NewReader(from)
	for number := 1; ; number++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			played.Torn = len(bytes.TrimSpace(line)) > 0
			break
		}
		if err == nil {
			err = p.line(ctx, number, line, &played)
		}
		if err != nil {
			return played, fmt.Errorf("line %d: %w", number, err)
		}
	}
	p.rest(ctx)
	if err := p.Store.Update(ctx, func(tx *store.Tx) error { return tx.LeaveToTests(ctx, p.Clock.Now()) }); err != nil {
		return played, err
	}
	if p.scale > 0 {
		err = p.Clock.SetScale(p.scale)
	}
	return played, err
}

func (p *Player) line(ctx context.Context, number int, line []byte, played *Played) error {
	if number == 1 || bytes.HasPrefix(line, []byte(`{"carrel_journal":`)) {
		var start Start
		if err := json.Unmarshal(line, &start); err != nil || start.Version != version {
			return fmt.Errorf("it is not a journal of version %d: %w", version, err)
		}
		return p.start(ctx, number, start)
	}
	var r Record
	if err := json.Unmarshal(line, &r); err != nil {
		return err
	}
	p.used = true
	switch {
	case r.Control != "":
		return p.control(ctx, r)
	case r.Act != "":
		return played.act(number, r, p.act(ctx, r))
	case r.Seed == "", r.Error != nil && r.Error.Name == api.InternalServerException: // which had no effect
		return nil
	default:
		played.Requests++
		difference, err := p.request(ctx, r)
		if difference != "" {
			played.Differences = append(played.Differences, fmt.Sprintf("line %d: %s: %s", number, r.Name, difference))
		}
		return err
	}
}

// start makes the networks that there were. A server that began anew had forgotten all.
func (p *Player) start(ctx context.Context, number int, s Start) error {
	if p.used && s.Fresh {
		if err := p.control(ctx, Record{At: s.At, Control: "POST /_carrel/reset"}); err != nil {
			return err
		}
	}
	p.moveTo(ctx, s.At)
	p.scale = s.Scale
	if number > 1 && !s.Fresh {
		return nil
	}
	s.Fresh = true
	if err := p.Journal.begin(s); err != nil {
		return err
	}
	return p.Store.Update(ctx, func(tx *store.Tx) error { return tx.PutSubnetsAlone(ctx, s.Subnets) })
}

// control repeats what a test suite did through a control endpoint.
func (p *Player) control(ctx context.Context, r Record) error {
	method, path, _ := strings.Cut(r.Control, " ")
	p.rest(ctx)
	reply := httptest.NewRecorder()
	ctx = context.WithValue(ctx, replayedKey{}, r)
	if r.Seed != "" {
		var err error
		if ctx, err = withSeed(ctx, r); err != nil {
			return err
		}
	}
	p.Control.ServeHTTP(reply, httptest.NewRequestWithContext(ctx, method, path, bytes.NewReader(r.Input)))
	if reply.Code >= http.StatusMultipleChoices && r.Error == nil {
		return fmt.Errorf("%s: %s", r.Control, reply.Body)
	}
	p.rest(ctx)
	if r.Scale != nil {
		p.scale = *r.Scale
	}
	return nil
}

// request repeats a change, and says in what its answer differs from that in the journal.
func (p *Player) request(ctx context.Context, r Record) (difference string, err error) {
	handler, err := p.handler(r)
	if err != nil {
		return "", err
	}
	ctx, err = withSeed(ctx, r)
	if err != nil {
		return "", err
	}
	query := make(url.Values)
	for name, value := range r.Query {
		query.Set(name, value)
	}
	input, err := handler.Decode(api.Payload{Body: r.Input, Query: query})
	if err != nil {
		return "", err
	}
	p.moveTo(ctx, r.At)
	looked := operation.Looked{Again: true}
	if r.Looked != nil {
		looked.Subnets, looked.Missing = r.Looked.Subnets, r.Looked.Missing
	}
	ctx = api.WithCaller(operation.WithLooked(fault.Exempt(ctx), &looked), api.Caller{Account: r.Account, Region: r.Region, AccessKeyID: r.Key})
	output, err := handler.Invoke(ctx, input)
	again := record(r.At, handler.Spec(), api.CallerFrom(ctx), input, err)
	if err == nil {
		again.Output = redacted(output, false)
	}
	return compare(r, again), nil
}

// withSeed returns a context in which what is replayed has the seed of its line.
func withSeed(ctx context.Context, r Record) (context.Context, error) {
	seed, err := hex.DecodeString(r.Seed)
	if err != nil || len(seed) != len(workspaces.Seed{}) {
		return ctx, fmt.Errorf("%q is no seed", r.Seed)
	}
	return context.WithValue(ctx, seedKey{}, workspaces.Seed(seed)), nil
}

// act repeats what a user did beside the API.
func (p *Player) act(ctx context.Context, r Record) error {
	ctx, err := withSeed(ctx, r)
	if err != nil {
		return err
	}
	act := &store.Act{Kind: r.Act}
	if err := json.Unmarshal(r.Input, act); err != nil {
		return err
	}
	p.moveTo(ctx, r.At)
	ctx = api.WithCaller(ctx, api.Caller{Account: r.Account, Region: r.Region})
	return p.Journal.Act(ctx, act, func(ctx context.Context) error {
		switch act.Kind {
		case store.ActJoin:
			_, err := p.API.JoinPool(ctx, act.Pool, act.User)
			return err
		case store.ActLeave:
			return p.API.LeavePool(ctx, act.Pool, act.User)
		case store.ActConnect, store.ActDisconnect, store.ActHappen:
			return p.Store.Update(ctx, func(tx *store.Tx) error { return tx.Repeat(ctx, act) })
		}
		return fmt.Errorf("there is no act %q", r.Act)
	})
}

func (p *Player) handler(r Record) (api.Handler, error) {
	for _, h := range p.Handlers {
		if spec := h.Spec(); spec.Service == r.Service && spec.Name == r.Name {
			return h, nil
		}
	}
	return nil, fmt.Errorf("there is no operation %s of %s", r.Name, r.Service)
}

// compare tells two answers apart. Numbers do not count: times are among them, which are those
// of a clock that ran.
func compare(was, is Record) string {
	if was.Error != nil || is.Error != nil {
		if was.Error == nil || is.Error == nil || *was.Error != *is.Error {
			return fmt.Sprintf("the error was %v and is %v", text(was.Error), text(is.Error))
		}
		return ""
	}
	if !reflect.DeepEqual(words(was.Output), words(is.Output)) {
		return fmt.Sprintf("the answer was %s and is %s", was.Output, is.Output)
	}
	return ""
}

func text(f *Failure) string {
	if f == nil {
		return "none"
	}
	return f.Name + ": " + f.Message
}

// words is a JSON value with all numbers alike.
func words(raw json.RawMessage) (tree any) {
	_ = json.Unmarshal(raw, &tree) // what is no JSON is nothing
	return level(tree)
}

func level(tree any) any {
	switch v := tree.(type) {
	case float64:
		return 0
	case map[string]any:
		for key, value := range v {
			v[key] = level(value)
		}
	case []any:
		for i, value := range v {
			v[i] = level(value)
		}
	}
	return tree
}

// moveTo lets what is under way come to rest, moves the clock, and lets what is due by then come to rest.
func (p *Player) moveTo(ctx context.Context, t time.Time) {
	p.rest(ctx)
	p.Clock.FreezeAt(t.Truncate(time.Microsecond))
	p.rest(ctx)
}

// rest returns when nothing is to be done at the clock's time.
func (p *Player) rest(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, restPatience)
	defer cancel()
	if err := p.Rest(ctx); err != nil {
		p.Log.WarnContext(ctx, "the replay goes on, though not all work has settled", "error", err)
	}
}
