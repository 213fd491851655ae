package fault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"carrel/internal/plainjson"
)

// Rule is one fault and whom it befalls, as clients write it. Members that are absent do not
// restrict; which of them a fault takes is in kinds.
type Rule struct {
	Name string `json:"name"`

	// Patterns, as of package path: * stands for anything. User names are compared without regard to case.
	Account   string `json:"account,omitempty"`
	Region    string `json:"region,omitempty"`
	Directory string `json:"directory,omitempty"`
	Operation string `json:"operation,omitempty"`
	User      string `json:"user,omitempty"`

	Probability *float64  `json:"probability,omitempty"` // of befalling whom it may, 0 to 1; absent: 1
	Seed        uint64    `json:"seed,omitempty"`        // what the probability is drawn from
	After       int       `json:"after,omitempty"`       // how many it spares before the first
	Count       int       `json:"count,omitempty"`       // how many it befalls; 0: all
	Until       time.Time `json:"until,omitzero"`        // when it ends, by the service's clock

	ErrorCode    string   `json:"error_code,omitempty"`
	ErrorMessage string   `json:"error_message,omitempty"`
	Period       Duration `json:"period,omitempty"` // from falling silent to falling silent again
	Lag          Duration `json:"lag,omitempty"`    // how old what is read is
	Rate         float64  `json:"rate,omitempty"`   // of requests a second, for each operation
	Burst        int      `json:"burst,omitempty"`  // of requests at once
}

// Duration is a time span as Go writes it: 90s, 10m.
type Duration time.Duration

// MarshalText implements [encoding.TextMarshaler].
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// Values implements [plainjson.Valued].
func (Duration) Values() string { return `a duration such as "90s" or "10m"` }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// The service's own throttling. Source: the administration guide, "Amazon WorkSpaces quotas":
// two requests a second and operation, with a bucket of five.
const (
	serviceRate  = 2
	serviceBurst = 5
)

const (
	defaultPeriod = 10 * time.Minute
	defaultLag    = 5 * time.Second
	longestLag    = 24 * time.Hour
)

// kinds are the faults, each with the members that it takes beside its name.
func kinds() map[string][]string {
	everywhere := []string{"account", "region", "probability", "seed", "after", "count", "until"}
	desktops := append([]string{"directory", "user"}, everywhere...)
	return map[string][]string{
		StuckPending:      desktops,
		ErrorAfterN:       append([]string{"error_code", "error_message"}, desktops...),
		UnhealthyFlapping: append([]string{"period"}, desktops...),
		MissingUser:       append([]string{"operation"}, desktops...),
		Exception:         append([]string{"operation", "error_code", "error_message"}, everywhere...),
		Throttling:        append([]string{"operation", "rate", "burst"}, everywhere...),
		StaleReads:        append([]string{"operation", "lag"}, everywhere...),
	}
}

// Names are the names of all faults, in alphabetical order.
func Names() []string {
	var names []string
	for name := range kinds() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Parse reads one rule, or a list of them, from JSON, and checks them.
func Parse(text []byte) ([]Rule, error) {
	text = bytes.TrimSpace(text)
	raws := []json.RawMessage{text}
	if len(text) == 0 || text[0] == '[' {
		var err error
		if raws, err = plainjson.List(text); err != nil {
			return nil, fmt.Errorf(`faults are JSON such as {"name": "stuck-pending", "user": "jane*"}, or a list of such: %w`, err)
		}
	}
	rules := make([]Rule, len(raws))
	for i, raw := range raws {
		if err := rules[i].parse(raw); err != nil {
			if len(raws) > 1 {
				err = fmt.Errorf("fault number %d: %w", i+1, err)
			}
			return nil, err
		}
	}
	return rules, nil
}

func (r *Rule) parse(raw json.RawMessage) error {
	members, err := plainjson.Members(raw)
	if err != nil {
		return fmt.Errorf(`a fault is JSON such as {"name": "stuck-pending", "user": "jane*"}: %w`, err)
	}
	var name string
	if err := json.Unmarshal(members["name"], &name); err != nil || name == "" {
		return fmt.Errorf("a fault needs a name: one of %s", strings.Join(Names(), ", "))
	}
	takes, known := kinds()[name]
	if !known {
		return fmt.Errorf("there is no fault %q; there are %s", name, strings.Join(Names(), ", "))
	}
	for member := range members {
		if member != "name" && !slices.Contains(takes, member) {
			slices.Sort(takes)
			return fmt.Errorf("%s takes no %q; it takes %s", name, member, strings.Join(takes, ", "))
		}
	}
	if err := plainjson.Object(raw, r); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r.complete()
	if err := r.check(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// complete fills in what the fault does where the rule does not say.
func (r *Rule) complete() {
	if r.Name == UnhealthyFlapping && r.Period == 0 {
		r.Period = Duration(defaultPeriod)
	}
	if r.Name == StaleReads && r.Lag == 0 {
		r.Lag = Duration(defaultLag)
	}
	if r.Name == ErrorAfterN && r.ErrorCode == "" {
		r.ErrorCode = "InternalFailure"
	}
	if r.Name == ErrorAfterN && r.ErrorMessage == "" {
		r.ErrorMessage = "The WorkSpace could not be created: a fault was asked for."
	}
	if r.Name == Exception && r.ErrorMessage == "" {
		r.ErrorMessage = "The request was refused: a fault was asked for."
	}
	if r.Name == Throttling && r.Probability == nil {
		if r.Rate == 0 {
			r.Rate = serviceRate
		}
		if r.Burst == 0 {
			r.Burst = serviceBurst
		}
	}
}

// exceptionName is what exceptions are called: in replies it stands in headers too.
var exceptionName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9.]{0,99}$`)

func (r *Rule) check() error {
	for member, pattern := range map[string]string{
		"account": r.Account, "region": r.Region, "directory": r.Directory, "operation": r.Operation, "user": r.User,
	} {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("%s is a pattern such as test-*, not %q", member, pattern)
		}
	}
	switch {
	case r.Name == Exception && !exceptionName.MatchString(r.ErrorCode):
		return fmt.Errorf("error_code is the name of an exception such as AccessDeniedException, not %q", r.ErrorCode)
	case r.Probability != nil && !(*r.Probability >= 0 && *r.Probability <= 1):
		return fmt.Errorf("probability lies between 0 and 1, not %v", *r.Probability)
	case r.Name == Throttling && r.Probability != nil && (r.Rate != 0 || r.Burst != 0):
		return errors.New("takes either a probability or a rate and a burst")
	case r.After < 0 || r.Count < 0:
		return errors.New("after and count cannot be negative")
	case r.Rate < 0 || r.Burst < 0:
		return errors.New("rate and burst are above 0")
	case r.Name == UnhealthyFlapping && time.Duration(r.Period) < 2*time.Second:
		return errors.New("period is at least 2s")
	case r.Name == StaleReads && (r.Lag < 0 || time.Duration(r.Lag) > longestLag):
		return fmt.Errorf("lag is above 0 and at most %v", longestLag)
	}
	return nil
}
