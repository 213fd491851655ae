// Package journal writes down what a server was asked, in the order in which it took effect, so
// that another server can be brought to the same ids and states: see [Player.Play].
//
// A journal is a text file with a JSON object in each line: a [Start] for each start of a server, and
// a [Record] for each request that reached an operation, for what test suites do through the control endpoints, and
// for what users do in the portal that an operation shows. Reads are in it for whoever reads it; they are
// not replayed. Requests that a fault refused had no effect, and are not in it. Passwords never are.
// A request is answered after its line was handed to the system: what a client was told is in the
// journal though the process is killed. Changes wait for each other and for the work of those before, so that their
// order is known, and what each of them met.
//
// Ids are drawn by each request from a [workspaces.Chance] of its own, whose seed is in its line. It
// imports the API's words, the operations, the store, the clock and what faults there are. Start at Journal.Middleware.
package journal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"carrel/internal/api"
	"carrel/internal/clock"
	"carrel/internal/operation"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// version is that of the format.
const version = 1

// Start is the line of a server's start.
type Start struct {
	Version int                 `json:"carrel_journal"`
	At      time.Time           `json:"at"`
	Scale   float64             `json:"scale"`           // how fast the clock runs
	Fresh   bool                `json:"fresh,omitempty"` // there was nothing yet
	Subnets []workspaces.Subnet `json:"subnets"`         // that there were
}

// Record is the line of a request, of what a test suite did through the control endpoints, or of an act of a user.
type Record struct {
	At      time.Time         `json:"at"` // by the service's clock: of a control when it had ended, of others when they began
	Scale   *float64          `json:"scale,omitempty"`
	Control string            `json:"control,omitempty"` // method and path
	Act     store.ActKind     `json:"act,omitempty"`
	Service string            `json:"service,omitempty"`
	Name    string            `json:"operation,omitempty"`
	Account string            `json:"account,omitempty"`
	Region  string            `json:"region,omitempty"`
	Key     string            `json:"access_key_id,omitempty"`
	Seed    string            `json:"seed,omitempty"` // of what the ids were drawn from; none: it changes nothing
	Query   map[string]string `json:"query,omitempty"`
	Input   json.RawMessage   `json:"input,omitempty"`
	Looked  *operation.Looked `json:"looked,omitempty"` // the networks of another endpoint that it looked up
	Output  json.RawMessage   `json:"output,omitempty"` // of what changes something
	Error   *Failure          `json:"error,omitempty"`
}

// Failure is the exception that a request was answered with.
type Failure struct {
	Name    string `json:"name"`
	Message string `json:"message"`
}

// Journal counts the changes of a server, gives each its chance, and writes them down.
type Journal struct {
	// Rest, where it is not nil, returns when the work of the changes before is done, or with the context's error.
	// A change waits for it while changes are written down.
	Rest func(context.Context) error

	clock *clock.Clock
	log   *slog.Logger
	seed  *[]byte // what every request's seed is made of; nil: nobody can foresee them

	mu     sync.Mutex
	file   io.WriteCloser             // nil: nothing is written down
	counts map[workspaces.Seed]uint64 // of changes, by what they are
}

// New returns a journal that writes nothing down. With a seed the ids of a change are always the same, for the same
// words beside the seed: they follow from what is asked for in which account and region, and how often it was before.
func New(c *clock.Clock, log *slog.Logger, seed *uint64, beside string) *Journal {
	j := &Journal{clock: c, log: log, counts: make(map[workspaces.Seed]uint64)}
	if seed != nil {
		material := binary.BigEndian.AppendUint64(nil, *seed)
		material = append(material, beside...)
		j.seed = &material
	}
	return j
}

// Open has the journal written to a file from now on, behind what is there.
func (j *Journal) Open(path string, start Start) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600) //nolint:gosec // the administrator's own path
	if err != nil {
		return err
	}
	if err := cutTorn(file); err != nil {
		return errors.Join(err, file.Close())
	}
	j.mu.Lock()
	j.file = file
	j.mu.Unlock()
	start.At, start.Scale = j.clock.Now(), j.clock.Scale()
	return j.begin(start)
}

// begin writes down that a server has started.
func (j *Journal) begin(start Start) error {
	start.Version = version
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.write(start)
}

// mark is what a journal begins with.
const mark = `{"carrel_journal":`

// cutTorn takes away a last line that a crash has cut off, and refuses a file that is no journal.
func cutTorn(file *os.File) error {
	text, err := io.ReadAll(file)
	if err != nil || len(text) == 0 {
		return err
	}
	if !bytes.HasPrefix(text, []byte(mark)) && !strings.HasPrefix(mark, string(text)) {
		return fmt.Errorf("%s holds something else than a journal, which stays as it is; choose another file", file.Name())
	}
	if text[len(text)-1] == '\n' {
		return nil
	}
	return file.Truncate(int64(bytes.LastIndexByte(text, '\n') + 1))
}

// Close ends the journal.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	return err
}

// write adds a line. A journal that cannot be written ends there, for it would not be true.
func (j *Journal) write(line any) error {
	if j.file == nil {
		return nil
	}
	text, err := json.Marshal(line)
	if err == nil {
		_, err = j.file.Write(append(text, '\n'))
	}
	if err != nil {
		err = errors.Join(fmt.Errorf("the journal ends here: %w", err), j.file.Close())
		j.file = nil
	}
	return err
}

// note is write where nobody can be told but the log.
func (j *Journal) note(ctx context.Context, r Record) {
	if err := j.write(r); err != nil {
		j.log.ErrorContext(ctx, "a request could not be written down", "error", err)
	}
}

// Chance returns the chance of something else that is made once, by its name.
func (j *Journal) Chance(name string) *workspaces.Chance {
	if j.seed == nil {
		return nil
	}
	return workspaces.NewChance(sha256.Sum256(append(bytes.Clone(*j.seed), name...)))
}

// next returns the seed of a change. Changes that come at once find no order among them that would be the same in
// every run: only those that ask for the same are numbered.
func (j *Journal) next(r Record) workspaces.Seed {
	if j.seed == nil {
		return workspaces.NewSeed(nil)
	}
	material := bytes.Clone(*j.seed)
	for _, part := range []string{r.Account, r.Region, r.Service, r.Name, r.Control, string(r.Act)} {
		material = fmt.Appendf(material, "\x00%s", part)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Query)) {
		material = fmt.Appendf(material, "\x00%q=%q", name, r.Query[name])
	}
	asked := workspaces.Seed(sha256.Sum256(append(material, withoutTokens(r.Input)...)))
	j.counts[asked]++
	return asked.Of(int64(j.counts[asked])) //nolint:gosec // nobody asks so often
}

// restPatience is how long, in real time, a change waits for the work of those before.
const restPatience = 10 * time.Second

// settle waits for the work of the changes before. Nothing else is changed meanwhile.
func (j *Journal) settle(ctx context.Context) {
	if j.Rest == nil || j.file == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, restPatience)
	defer cancel()
	if err := j.Rest(ctx); err != nil {
		j.log.WarnContext(ctx, "a change comes before the work of those before is done; a replay may differ", "error", err)
	}
}

// Middleware gives each change its chance, and writes requests down. It belongs next to the operations.
func (j *Journal) Middleware() api.Middleware {
	return func(h api.Handler) api.Handler { return journaled{h, j} }
}

type journaled struct {
	api.Handler
	journal *Journal
}

// seedKey finds the seed that a replayed request is to have.
type seedKey struct{}

// Invoke runs the operation; one that changes something, alone.
func (h journaled) Invoke(ctx context.Context, input any) (any, error) {
	j, spec, caller := h.journal, h.Spec(), api.CallerFrom(ctx)
	if spec.IsRead() {
		output, err := h.Handler.Invoke(ctx, input)
		j.mu.Lock()
		defer j.mu.Unlock()
		if j.file != nil {
			j.note(ctx, record(j.clock.Now(), spec, caller, input, err))
		}
		return output, err
	}
	j.mu.Lock()
	ctx, seed := j.chance(ctx, func() Record { return record(time.Time{}, spec, caller, input, nil) })
	if j.file == nil {
		j.mu.Unlock()
		return h.Handler.Invoke(ctx, input)
	}
	defer j.mu.Unlock()
	j.settle(ctx)
	looked := operation.LookedFrom(ctx)
	if looked == nil {
		looked = new(operation.Looked)
		ctx = operation.WithLooked(ctx, looked)
	}
	began := j.clock.Now()
	output, err := h.Handler.Invoke(ctx, input)
	r := record(began, spec, caller, input, err)
	if looked.Subnets != nil || looked.Missing != "" {
		r.Looked = looked
	}
	r.Seed = seed
	if err == nil {
		r.Output = redacted(output, false)
	}
	j.note(ctx, r)
	return output, err
}

// chance returns a context in which a change draws its ids, and the seed that they are drawn from: that of what is
// replayed, or the next of what is asked for.
func (j *Journal) chance(ctx context.Context, asked func() Record) (with context.Context, text string) {
	seed, given := ctx.Value(seedKey{}).(workspaces.Seed)
	if !given {
		seed = j.next(asked())
	}
	return operation.WithChance(ctx, workspaces.NewChance(seed)), hex.EncodeToString(seed[:])
}

// Act carries out what a user does beside the API, and writes it down, unless it failed with another error than a
// refusal, which metrics may count. It is a [store.Note].
func (j *Journal) Act(ctx context.Context, act *store.Act, change func(context.Context) error) error {
	line := func() Record {
		text, _ := json.Marshal(act) //nolint:errchkjson // of plain members
		return Record{At: j.clock.Now(), Act: act.Kind, Account: act.Account, Region: act.Region, Input: text}
	}
	j.mu.Lock()
	ctx, seed := j.chance(ctx, line)
	if j.file == nil {
		j.mu.Unlock()
		return change(ctx)
	}
	defer j.mu.Unlock()
	j.settle(ctx)
	began := j.clock.Now()
	err := change(ctx)
	refusal, refused := errors.AsType[*workspaces.Error](err)
	if err != nil && !refused {
		return err
	}
	r := line()
	r.At, r.Seed = began, seed
	if refused {
		r.Error = &Failure{Name: string(refusal.Code), Message: refusal.Message}
	}
	j.note(ctx, r)
	return err
}

// Do carries out an operation that somebody asks for by other ways than the API, as Middleware would.
func Do[I, O any](ctx context.Context, j *Journal, op api.Operation[I, O], in *I, method func(context.Context, *I) (*O, error)) (*O, error) {
	output, err := journaled{api.Bind(op, method), j}.Invoke(ctx, in)
	if err != nil {
		return nil, err
	}
	return output.(*O), nil //nolint:errcheck // what Bind's handler returns
}

// record is the line of a request, without what only changes have.
func record(at time.Time, spec api.Info, caller api.Caller, input any, err error) Record {
	r := Record{
		At: at, Service: spec.Service, Name: spec.Name, Account: caller.Account, Region: caller.Region, Key: caller.AccessKeyID,
		Query: queryOf(input), Input: redacted(input, err != nil),
	}
	if exception, ok := errors.AsType[*api.Exception](err); ok {
		r.Error = &Failure{Name: exception.Name, Message: exception.Message}
	} else if err != nil {
		r.Error = &Failure{Name: api.InternalServerException}
	}
	return r
}
