// Package journal writes down what a server was asked, in the order in which it took effect, so
// that another server can be brought to the same ids and states: see [Player.Play].
//
// A journal is a text file with a JSON object in each line: a [Start] for each start of a server, and
// a [Record] for each request that reached an operation. Reads are in it for whoever reads it; they are
// not replayed. Requests that a fault refused had no effect, and are not in it. Passwords never are.
// A request is answered after its line was handed to the system: what a client was told is in the
// journal though the process is killed. Changes wait for each other, so that their order is known.
//
// Ids are drawn by each request from a [workspaces.Chance] of its own, whose seed is in its line. It
// imports the API's words, the store, the clock and what faults there are. Start at Journal.Middleware.
package journal

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"carrel/internal/api"
	"carrel/internal/clock"
	"carrel/internal/operation"
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

// Record is the line of a request, or of what a test suite did through the control endpoints.
type Record struct {
	At      time.Time         `json:"at"` // by the service's clock: of a request when it began, of a control when it had ended
	Scale   *float64          `json:"scale,omitempty"`
	Control string            `json:"control,omitempty"` // method and path
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

// Journal numbers the changes of a server, gives each its chance, and writes them down.
type Journal struct {
	clock *clock.Clock
	log   *slog.Logger
	seed  *[]byte // what every request's seed is made of; nil: nobody can foresee them

	mu     sync.Mutex
	file   io.WriteCloser // nil: nothing is written down
	counts map[workspaces.Scope]uint64
}

// New returns a journal that writes nothing down. With a seed the ids of the n'th change in an account
// and region are always the same, for the same words beside the seed.
func New(c *clock.Clock, log *slog.Logger, seed *uint64, beside string) *Journal {
	j := &Journal{clock: c, log: log, counts: make(map[workspaces.Scope]uint64)}
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

// next returns the seed of the next change in a scope.
func (j *Journal) next(scope workspaces.Scope) (seed workspaces.Seed) {
	j.counts[scope]++
	if j.seed == nil {
		_, _ = rand.Read(seed[:]) // never fails
		return seed
	}
	material := fmt.Appendf(bytes.Clone(*j.seed), "\x00%s\x00%s\x00%d", scope.Account, scope.Region, j.counts[scope])
	return sha256.Sum256(material)
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
	seed, given := ctx.Value(seedKey{}).(workspaces.Seed)
	if !given {
		seed = j.next(workspaces.Scope{Account: caller.Account, Region: caller.Region})
	}
	ctx = operation.WithChance(ctx, workspaces.NewChance(seed))
	if j.file == nil {
		j.mu.Unlock()
		return h.Handler.Invoke(ctx, input)
	}
	defer j.mu.Unlock()
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
	r.Seed = hex.EncodeToString(seed[:])
	if err == nil {
		r.Output = redacted(output)
	}
	j.note(ctx, r)
	return output, err
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
		Query: queryOf(input), Input: redacted(input),
	}
	if exception, ok := errors.AsType[*api.Exception](err); ok {
		r.Error = &Failure{Name: exception.Name, Message: exception.Message}
	} else if err != nil {
		r.Error = &Failure{Name: api.InternalServerException}
	}
	return r
}
