package operation_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"carrel/internal/workspaces"
)

// TestStrangers lets strangers name each thing of an owner's, at each place of each operation where
// the API's model takes a name. Everything else in the request is the stranger's own, so that
// nothing but the name can be wrong with it. To a stranger the owner's things are like those that
// never were: the reply must be what it is for a name that is made up, it must tell nothing of the
// owner's world, and that world must be as it was.
func TestStrangers(t *testing.T) {
	t.Parallel()
	s := worldly(t, account, stranger)
	owner := s.furnish(t, s.client(), "quokka", "444444444444")
	s.advance(t, 2*workspaces.SampleEvery, owner.client) // so that there are metrics
	before := s.rows(t, owner.scope)
	if len(before) < 25 {
		t.Errorf("%d rows are too few to prove anything", len(before))
	}
	surfaces := surfacesOf(t)
	for _, surface := range surfaces {
		(&prober{surface, s, owner, owner}).hear(t)
	}
	for word, c := range map[string]client{
		"numbat": s.as(stranger, region), "bilby": s.as(account, farRegion), "dingo": s.as(stranger, farRegion),
	} {
		own := s.furnish(t, c, word, "555555555555")
		for _, surface := range surfaces {
			p := &prober{surface, s, owner, own}
			p.readEverything(t)
			for _, name := range readingFirst(surface.operations) {
				p.probeNames(t, name)
			}
			p.probeTokens(t)
		}
		link, err := invite(t, c, "666666666666", &owner.token)
		if err != nil || *link.SourceAccountId != c.scope.Account {
			t.Errorf("with the owner's token %v gets %s, %v", c.scope, show(link), err)
		}
	}
	if after := s.rows(t, owner.scope); !slices.Equal(before, after) {
		t.Errorf("before:\n%s\nafter:\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
}

// prober is a stranger with a world of its own, who asks a service about the owner's.
type prober struct {
	*surface
	server     *server
	owner, own *world
}

// probeNames names each of the owner's things at each place of an operation.
func (p *prober) probeNames(t *testing.T, operation string) {
	t.Helper()
	m, names, n := p.of(p.own), p.names(p.owner), 0
	shape := m.Operations[operation].Input.Shape
	for _, place := range m.places(shape, "") {
		if reason := p.unnamed[place.kind]; (names[place.kind] == nil) != (reason != "") {
			t.Errorf("%s %v: the owner has %v of the kind %s, and unnamed says %q", operation, place.steps, names[place.kind], place.kind, reason)
		}
		where := operation + " " + strings.Join(place.steps, ".")
		for _, name := range names[place.kind] {
			n++
			if slices.Contains(p.names(p.own)[place.kind], name) {
				continue // the application of an account is the same in all its regions
			}
			if shared(p.owner.scope, p.own.scope)[where] == "" {
				p.compare(t, where, operation, name, func(name string) map[string]any {
					return p.request(m, operation, place, name)
				})
			}
		}
	}
	if reason := p.nameless[operation]; (n == 0) != (reason != "") {
		t.Errorf("%s: %d names were tried, and nameless says %q", operation, n, reason)
	}
}

// request is the least that an operation takes, made of what the stranger has, with a name at a place.
func (p *prober) request(m *model, operation string, at place, name string) map[string]any {
	if word := p.worded[at.kind]; word != nil {
		name = word(name)
	}
	r := m.put(m.Operations[operation].Input.Shape, at.steps, name).(map[string]any) //nolint:errcheck,forcetypeassert // inputs are structures
	for member, value := range p.fitting(p, operation, at.steps[0]) {
		if member != at.steps[0] {
			r[member] = value
		}
	}
	return r
}

// compare asks with a name of the owner's and with one that is made up.
func (p *prober) compare(t *testing.T, where, operation, name string, request func(name string) map[string]any) {
	t.Helper()
	none := madeUp(name)
	theirs, never := p.ask(t, operation, request(name)), p.ask(t, operation, request(none))
	got, want := alike(theirs.body, name), alike(never.body, none)
	if theirs.status != never.status || got != want {
		t.Errorf("%s as %v: a name of the owner's, %s, is told from one that never was:\n%s\n%s", where, p.own.scope, name, theirs.body, never.body)
	}
	p.keepsSecrets(t, where, got)
	if never.status >= http.StatusInternalServerError || theirs.status >= http.StatusInternalServerError {
		t.Errorf("%s: %s, %s", where, theirs.body, never.body)
	}
	// A refusal for another reason would prove nothing.
	heard := never.status == http.StatusOK || never.code == notFound || strings.HasSuffix(never.code, "DoesNotExistException") || strings.Contains(never.message, none) ||
		strings.Contains(where, "Name") && never.code == exists || strings.HasSuffix(where, p.token) && strings.Contains(never.message, "NextToken")
	if !heard {
		t.Errorf("%s as %v: the name is not looked at: %s", where, p.own.scope, never.body)
	}
}

// hear fails the test where the owner's own question is always answered as if there were no such
// thing: strangers would ask it in vain.
func (p *prober) hear(t *testing.T) {
	t.Helper()
	m := p.of(p.own)
	for _, operation := range p.operations {
		if !reads(operation) {
			continue
		}
		for _, place := range m.places(m.Operations[operation].Input.Shape, "") {
			names := p.names(p.own)[place.kind]
			told := slices.ContainsFunc(names, func(name string) bool {
				is := p.ask(t, operation, p.request(m, operation, place, name))
				never := p.ask(t, operation, p.request(m, operation, place, madeUp(name)))
				return alike(is.body, name) != alike(never.body, madeUp(name))
			})
			if len(names) > 0 && !told {
				t.Errorf("%s %v: the owner is told the same of %v and of names that never were", operation, place.steps, names)
			}
		}
	}
}

// readEverything sends the least that each operation takes that only reads, all of it the stranger's
// own: what is told must be of the stranger's world.
func (p *prober) readEverything(t *testing.T) {
	t.Helper()
	for _, operation := range p.operations {
		if reads(operation) {
			r := p.of(p.own).request(operation, false)
			maps.Copy(r, p.fitting(p, operation, ""))
			p.keepsSecrets(t, operation, p.ask(t, operation, r).body)
		}
	}
}

// keepsSecrets fails the test where a reply tells something of the owner's world.
func (p *prober) keepsSecrets(t *testing.T, where, reply string) {
	t.Helper()
	for _, secret := range p.owner.secrets() {
		if secret != p.own.scope.Account && secret != p.own.application && strings.Contains(reply, secret) {
			t.Errorf("%s as %v tells %s of the owner's: %s", where, p.own.scope, secret, reply)
		}
	}
}

// readingFirst are operations with those that read before those that make things of the names they are given.
func readingFirst(operations []string) []string {
	slices.SortStableFunc(operations, func(a, b string) int {
		switch {
		case reads(a) == reads(b):
			return 0
		case reads(a):
			return -1
		default:
			return 1
		}
	})
	return operations
}

// reads reports whether an operation changes nothing.
func reads(operation string) bool {
	return slices.ContainsFunc([]string{"Describe", "Get", "List", "Search"}, func(verb string) bool { return strings.HasPrefix(operation, verb) })
}

func (p *prober) ask(t *testing.T, operation string, request map[string]any) answer {
	t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	return p.server.postIn(t, p.own.scope, p.api, operation, body)
}

// probeTokens asks for the second page of each list of the owner's that has one.
func (p *prober) probeTokens(t *testing.T) {
	t.Helper()
	if p.token == "" {
		return
	}
	n := 0
	for _, operation := range p.operations {
		members := p.model.Shapes[p.model.Operations[operation].Input.Shape].Members
		if _, pages := members[p.token]; !pages || !reads(operation) {
			continue
		}
		r := p.of(p.owner).request(operation, false)
		maps.Copy(r, p.fitting(p, operation, p.token))
		for _, size := range []string{"Limit", "MaxResults", "ResourcesPerPage", "MaxDatapoints"} {
			if _, has := members[size]; has {
				r[size] = 1
			}
		}
		var page map[string]any
		owner := &prober{p.surface, p.server, p.owner, p.owner}
		if err := json.Unmarshal([]byte(owner.ask(t, operation, r).body), &page); err != nil {
			t.Fatal(err)
		}
		token, ok := page[p.token].(string)
		if !ok || token == "" {
			continue
		}
		n++
		if p.tokenAlone {
			r = p.of(p.own).request(operation, false)
		}
		p.compare(t, operation+" "+p.token, operation, token, func(token string) map[string]any {
			r[p.token] = token
			return r
		})
	}
	if n == 0 {
		t.Errorf("%s: no list of the owner's has a second page", p.api.Name)
	}
}
