package operation_test

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

const unknownGroup = "wsipg-000000000"

// rule is a rule for a range, with what is said of it, if anything.
func rule(text string, about ...string) types.IpRuleItem {
	item := types.IpRuleItem{IpRule: &text}
	if len(about) > 0 {
		item.RuleDesc = &about[0]
	}
	return item
}

// newGroup makes an IP access control group and returns its id.
func newGroup(t *testing.T, c client, name string, rules ...types.IpRuleItem) string {
	t.Helper()
	out, err := c.CreateIpGroup(t.Context(), &sdk.CreateIpGroupInput{GroupName: &name, UserRules: rules})
	if err != nil {
		t.Fatal(err)
	}
	return *out.GroupId
}

// rulesOf describes a group's rules as range=description.
func rulesOf(t *testing.T, c client, id string) []string {
	t.Helper()
	out, err := c.DescribeIpGroups(t.Context(), &sdk.DescribeIpGroupsInput{GroupIds: []string{id}})
	if err != nil || len(out.Result) != 1 {
		t.Fatalf("%s: %s, %v", id, show(out), err)
	}
	rules := []string{}
	for _, r := range out.Result[0].UserRules {
		rules = append(rules, *r.IpRule+"="+aws.ToString(r.RuleDesc))
	}
	return rules
}

func (c client) authorize(t *testing.T, id string, rules ...types.IpRuleItem) error {
	t.Helper()
	_, err := c.AuthorizeIpRules(t.Context(), &sdk.AuthorizeIpRulesInput{GroupId: &id, UserRules: append([]types.IpRuleItem{}, rules...)})
	return err
}

func (c client) revoke(t *testing.T, id string, ranges ...string) error {
	t.Helper()
	_, err := c.RevokeIpRules(t.Context(), &sdk.RevokeIpRulesInput{GroupId: &id, UserRules: append([]string{}, ranges...)})
	return err
}

func (c client) updateRules(t *testing.T, id string, rules ...types.IpRuleItem) error {
	t.Helper()
	_, err := c.UpdateRulesOfIpGroup(t.Context(), &sdk.UpdateRulesOfIpGroupInput{GroupId: &id, UserRules: append([]types.IpRuleItem{}, rules...)})
	return err
}

func (c client) deleteGroup(t *testing.T, id string) error {
	t.Helper()
	_, err := c.DeleteIpGroup(t.Context(), &sdk.DeleteIpGroupInput{GroupId: &id})
	return err
}

func (c client) associate(t *testing.T, directory string, groups ...string) error {
	t.Helper()
	_, err := c.AssociateIpGroups(t.Context(), &sdk.AssociateIpGroupsInput{DirectoryId: &directory, GroupIds: append([]string{}, groups...)})
	return err
}

func (c client) disassociate(t *testing.T, directory string, groups ...string) error {
	t.Helper()
	_, err := c.DisassociateIpGroups(t.Context(), &sdk.DisassociateIpGroupsInput{DirectoryId: &directory, GroupIds: append([]string{}, groups...)})
	return err
}

// lets reports whether a directory lets a client at an address in, as who asks the store for it learns.
func (s *server) lets(t *testing.T, c client, directory, address string) (allows bool) {
	t.Helper()
	err := s.store.View(func(tx *store.Tx) error {
		groups, err := tx.DirectoryIPGroups(t.Context(), c.scope, directory)
		allows = groups.Allows(netip.MustParseAddr(address))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return allows
}

func TestIPGroups(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	out, err := c.CreateIpGroup(t.Context(), &sdk.CreateIpGroupInput{
		GroupName: new("office"), GroupDesc: new("Where we are"), Tags: []types.Tag{tag("a", "1")},
		UserRules: []types.IpRuleItem{rule("203.0.113.0/24", "front"), rule("2001:db8::/32"), rule("198.51.100.7", "door")},
	})
	if err != nil {
		t.Fatal(err)
	}
	id := *out.GroupId
	if !strings.HasPrefix(id, "wsipg-") || len(id) != len("wsipg-")+9 {
		t.Errorf("id %s", id)
	}
	got, err := c.DescribeIpGroups(t.Context(), &sdk.DescribeIpGroupsInput{})
	if err != nil || len(got.Result) != 1 || *got.Result[0].GroupId != id || *got.Result[0].GroupName != "office" || *got.Result[0].GroupDesc != "Where we are" {
		t.Errorf("%s, %v", show(got), err)
	}
	want := func(rules ...string) {
		t.Helper()
		if got := rulesOf(t, c, id); !slices.Equal(got, rules) {
			t.Errorf("got %v, want %v", got, rules)
		}
	}
	succeeds := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	want("203.0.113.0/24=front", "2001:db8::/32=", "198.51.100.7=door")
	if got := tagsOf(t, c, id); !slices.Equal(got, []string{"a=1"}) {
		t.Errorf("tags %v", got)
	}

	// More rules, again the same, and with another description.
	succeeds(c.authorize(t, id, rule("10.0.0.0/8"), rule("198.51.100.7/32", "gate")))
	succeeds(c.authorize(t, id, rule("10.0.0.0/8")))
	want("203.0.113.0/24=front", "2001:db8::/32=", "198.51.100.7/32=gate", "10.0.0.0/8=")
	succeeds(c.revoke(t, id, "2001:db8:0::/32", "198.51.100.7"))
	want("203.0.113.0/24=front", "10.0.0.0/8=")
	succeeds(c.updateRules(t, id, rule("192.0.2.0/24", "new")))
	want("192.0.2.0/24=new")
	succeeds(c.updateRules(t, id))
	want()

	// What is refused changes nothing.
	succeeds(c.updateRules(t, id, rule("192.0.2.0/24")))
	refused(t, c.authorize(t, id, rule("10.0.0.0/8"), rule("10.0.0.1/8")), invalid, "10.0.0.0/8")
	refused(t, c.authorize(t, id, rule("10.0.0.0/8"), types.IpRuleItem{RuleDesc: new("no range")}), invalid)
	refused(t, c.authorize(t, id, rule("10.0.0.0/8"), rule("10.0.0.0/8", "again")), invalid, "two rules")
	refused(t, c.authorize(t, id, rule("10.0.0.0/8", strings.Repeat("x", 256))), invalid, "255")
	refused(t, c.updateRules(t, id, rule("10.0.0.0/8"), rule("example.com")), invalid, "example.com")
	refused(t, c.revoke(t, id, "192.0.2.0/24", "10.0.0.0/8"), invalid, "10.0.0.0/8")
	want("192.0.2.0/24=")
	for _, name := range []string{"", " ", strings.Repeat("x", 256)} {
		_, err := c.CreateIpGroup(t.Context(), &sdk.CreateIpGroupInput{GroupName: &name})
		refused(t, err, invalid, "name")
	}
	_, err = c.CreateIpGroup(t.Context(), &sdk.CreateIpGroupInput{GroupName: new("other"), GroupDesc: new(strings.Repeat("x", 256))})
	refused(t, err, invalid, "description")
	_, err = c.CreateIpGroup(t.Context(), &sdk.CreateIpGroupInput{GroupName: new("other"), UserRules: []types.IpRuleItem{rule("x")}})
	refused(t, err, invalid, `"x"`)
	_, err = c.CreateIpGroup(t.Context(), &sdk.CreateIpGroupInput{GroupName: new("other"), Tags: tags(51, "")})
	refused(t, err, limit)
	_, err = c.CreateIpGroup(t.Context(), &sdk.CreateIpGroupInput{GroupName: new("office")})
	refused(t, err, exists, "office")
	newGroup(t, c, "Office")
	newGroup(t, s.as(account, farRegion), "office")
	newGroup(t, s.as(stranger, region), "office")

	// Its name and its tags go with it.
	succeeds(c.deleteGroup(t, id))
	refused(t, c.deleteGroup(t, id), notFound, id)
	_, err = c.DescribeTags(t.Context(), &sdk.DescribeTagsInput{ResourceId: &id})
	refused(t, err, notFound, id)
	newGroup(t, c, "office")
}

func TestDescribeIPGroups(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	var ids []string
	for i := range 27 {
		ids = append(ids, newGroup(t, c, fmt.Sprint("group ", i)))
	}
	for name, q := range map[string]struct {
		in   sdk.DescribeIpGroupsInput
		want []string
	}{
		"all":     {sdk.DescribeIpGroupsInput{}, ids},
		"by id":   {sdk.DescribeIpGroupsInput{GroupIds: []string{ids[9], unknownGroup, ids[3], ids[3]}}, []string{ids[3], ids[9]}},
		"unknown": {sdk.DescribeIpGroupsInput{GroupIds: []string{unknownGroup}}, nil},
	} {
		for _, size := range []int32{0, 1, 13, 25} {
			in := q.in
			if size > 0 {
				in.MaxResults = &size
			}
			var got []string
			for more := true; more; more = in.NextToken != nil {
				page, err := c.DescribeIpGroups(t.Context(), &in)
				if err != nil {
					t.Fatal(err)
				}
				if len(page.Result) > int(cmp.Or(size, 25)) {
					t.Errorf("%s: a page of %d", name, len(page.Result))
				}
				for _, g := range page.Result {
					got = append(got, *g.GroupId)
				}
				in.NextToken = page.NextToken
			}
			if !slices.Equal(got, q.want) {
				t.Errorf("%s by %d: got %v, want %v", name, size, got, q.want)
			}
		}
	}
	first, err := c.DescribeIpGroups(t.Context(), &sdk.DescribeIpGroupsInput{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.DescribeIpGroups(t.Context(), &sdk.DescribeIpGroupsInput{NextToken: first.NextToken, GroupIds: ids[:1]})
	refused(t, err, invalid, "NextToken")
	_, err = c.DescribeIpGroups(t.Context(), &sdk.DescribeIpGroupsInput{GroupIds: slices.Repeat(ids[:1], 1001)})
	refused(t, err, invalid, "1000")
}

func TestAssociateIPGroups(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	d, other := s.home(t), s.home(t)
	office, door, empty := newGroup(t, c, "office", rule("203.0.113.0/24")), newGroup(t, c, "door", rule("198.51.100.7")), newGroup(t, c, "empty")
	want := func(directory string, groups ...string) {
		t.Helper()
		if got := s.describeDirectory(t, c, directory).IpGroupIds; !slices.Equal(got, groups) {
			t.Errorf("%s has %v, want %v", directory, got, groups)
		}
	}
	succeeds := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	lets := func(want map[string]bool) {
		t.Helper()
		for address, want := range want {
			if got := s.lets(t, c, d, address); got != want {
				t.Errorf("%s is let in: %v", address, got)
			}
		}
	}
	want(d)
	lets(map[string]bool{"203.0.113.9": true, "198.51.100.7": true, "192.0.2.1": true})
	succeeds(c.associate(t, d, empty))
	lets(map[string]bool{"203.0.113.9": false, "198.51.100.7": false, "192.0.2.1": false})
	succeeds(c.associate(t, d, office))
	succeeds(c.associate(t, d, office, door, door))
	want(d, empty, office, door)
	want(other)
	lets(map[string]bool{"203.0.113.9": true, "198.51.100.7": true, "192.0.2.1": false})
	succeeds(c.revoke(t, office, "203.0.113.0/24"))
	lets(map[string]bool{"203.0.113.9": false, "198.51.100.7": true})
	if !s.lets(t, c, other, "192.0.2.1") {
		t.Error("another directory's groups keep people out")
	}

	succeeds(c.associate(t, other, door))
	refused(t, c.deleteGroup(t, door), associated, door)
	succeeds(c.disassociate(t, d, door, empty))
	succeeds(c.disassociate(t, d, door))
	want(d, office)
	refused(t, c.deleteGroup(t, door), associated, door)
	succeeds(c.disassociate(t, other, door))
	succeeds(c.deleteGroup(t, door))

	// Of several groups one that is unknown spoils the whole request.
	refused(t, c.associate(t, d, empty, unknownGroup), notFound, unknownGroup)
	refused(t, c.disassociate(t, d, office, door), notFound, door)
	want(d, office)
	refused(t, c.associate(t, "d-0123456789", office), notFound, "d-0123456789")
	refused(t, c.associate(t, s.directory(t, c.scope), office), notFound)
	refused(t, c.disassociate(t, "d-0123456789", office), notFound, "d-0123456789")
	succeeds(c.associate(t, d))
	want(d, office)

	// A registration takes its associations with it.
	if _, err := c.DeregisterWorkspaceDirectory(t.Context(), &sdk.DeregisterWorkspaceDirectoryInput{DirectoryId: &d}); err != nil {
		t.Fatal(err)
	}
	s.await(t, "gone", func() bool { return s.describeDirectory(t, c, d) == nil })
	succeeds(c.deleteGroup(t, office))
}

// TestAssociateStates asks while a directory is on its way in and out.
func TestAssociateStates(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) {
		set.Clock.Freeze()
		set.Limits.Registration = 30 * time.Second
	})
	c := s.client()
	d, g := s.directory(t, c.scope), newGroup(t, c, "office")
	if _, err := c.RegisterWorkspaceDirectory(t.Context(), &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &d}); err != nil {
		t.Fatal(err)
	}
	refused(t, c.associate(t, d, g), badState, "REGISTERING")
	refused(t, c.disassociate(t, d, g), badState, "REGISTERING")
	s.advance(t, time.Minute, c)
	s.await(t, "REGISTERED", func() bool { return s.describeDirectory(t, c, d).State == types.WorkspaceDirectoryStateRegistered })
	if err := c.associate(t, d, g); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DeregisterWorkspaceDirectory(t.Context(), &sdk.DeregisterWorkspaceDirectoryInput{DirectoryId: &d}); err != nil {
		t.Fatal(err)
	}
	refused(t, c.associate(t, d, g), badState, "DEREGISTERING")
	refused(t, c.disassociate(t, d, g), badState, "DEREGISTERING")
	refused(t, c.deleteGroup(t, g), associated, g)
}

func TestIPGroupQuotas(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) { set.Limits = workspaces.AWSLimits().Instantly() })
	c := s.client()
	rules := make([]types.IpRuleItem, 11)
	for i := range rules {
		rules[i] = rule(fmt.Sprintf("192.0.2.%d", i))
	}
	_, err := c.CreateIpGroup(t.Context(), &sdk.CreateIpGroupInput{GroupName: new("large"), UserRules: rules})
	refused(t, err, limit, "10")
	ids := []string{newGroup(t, c, "group 0", rules[:10]...)}
	refused(t, c.authorize(t, ids[0], rules[10]), limit, "10")
	refused(t, c.updateRules(t, ids[0], rules...), limit, "10")
	if err := c.authorize(t, ids[0], rules[9]); err != nil {
		t.Errorf("a rule that is there: %v", err)
	}
	for i := 1; i < 100; i++ {
		ids = append(ids, newGroup(t, c, fmt.Sprint("group ", i)))
	}
	_, err = c.CreateIpGroup(t.Context(), &sdk.CreateIpGroupInput{GroupName: new("one more")})
	refused(t, err, limit, "100", region)
	newGroup(t, s.as(account, farRegion), "one more")
	newGroup(t, s.as(stranger, region), "one more")

	d := s.home(t)
	if err := c.associate(t, d, ids[:24]...); err != nil {
		t.Fatal(err)
	}
	refused(t, c.associate(t, d, ids[24:26]...), limit, "25")
	if got := s.describeDirectory(t, c, d).IpGroupIds; len(got) != 24 {
		t.Errorf("%d groups", len(got))
	}
	if err := c.associate(t, d, ids[:25]...); err != nil {
		t.Errorf("the 25th: %v", err)
	}
	if err := c.associate(t, s.home(t), ids[25:50]...); err != nil {
		t.Errorf("another directory: %v", err)
	}
}

// waysOfIPGroups are those of IP access control groups.
func waysOfIPGroups(t *testing.T) []way {
	t.Helper()
	s := start(t, func(set *setup) {
		set.Clock.Freeze()
		set.Limits.Registration = time.Hour
		set.Limits.IPGroups, set.Limits.RulesPerIPGroup, set.Limits.IPGroupsPerDirectory = 2, 1, 1
	})
	c := s.client()
	home, waiting := s.directory(t, c.scope), s.directory(t, c.scope)
	for _, id := range []string{home, waiting} {
		if _, err := c.RegisterWorkspaceDirectory(t.Context(), &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &id}); err != nil {
			t.Fatal(err)
		}
		if id == home {
			s.advance(t, 2*time.Hour, c)
			s.await(t, "REGISTERED", func() bool { return s.describeDirectory(t, c, home).State == types.WorkspaceDirectoryStateRegistered })
		}
	}
	group, second := newGroup(t, c, "office", rule("192.0.2.1")), newGroup(t, c, "second")
	tooMany := slices.Repeat([]string{group}, 1001)
	create := func(name string, rules ...types.IpRuleItem) error {
		_, err := c.CreateIpGroup(t.Context(), &sdk.CreateIpGroupInput{GroupName: &name, UserRules: rules})
		return err
	}
	return []way{
		{wsapi.CreateIpGroup.Spec(), invalid, func() error { return create("third", rule("x")) }},
		{wsapi.CreateIpGroup.Spec(), limit, func() error { return create("third") }},
		{wsapi.CreateIpGroup.Spec(), exists, func() error { return create("office") }},
		{wsapi.DescribeIpGroups.Spec(), invalid, func() error {
			_, err := c.DescribeIpGroups(t.Context(), &sdk.DescribeIpGroupsInput{NextToken: new("x")})
			return err
		}},
		{wsapi.AuthorizeIpRules.Spec(), invalid, func() error { return c.authorize(t, group, rule("x")) }},
		{wsapi.AuthorizeIpRules.Spec(), limit, func() error { return c.authorize(t, group, rule("192.0.2.2")) }},
		{wsapi.AuthorizeIpRules.Spec(), notFound, func() error { return c.authorize(t, unknownGroup) }},
		{wsapi.RevokeIpRules.Spec(), invalid, func() error { return c.revoke(t, group, "x") }},
		{wsapi.RevokeIpRules.Spec(), notFound, func() error { return c.revoke(t, unknownGroup) }},
		{wsapi.UpdateRulesOfIpGroup.Spec(), invalid, func() error { return c.updateRules(t, group, rule("x")) }},
		{wsapi.UpdateRulesOfIpGroup.Spec(), limit, func() error { return c.updateRules(t, group, rule("192.0.2.1"), rule("192.0.2.2")) }},
		{wsapi.UpdateRulesOfIpGroup.Spec(), notFound, func() error { return c.updateRules(t, unknownGroup) }},
		{wsapi.AssociateIpGroups.Spec(), invalid, func() error { return c.associate(t, home, tooMany...) }},
		{wsapi.AssociateIpGroups.Spec(), notFound, func() error { return c.associate(t, home, unknownGroup) }},
		{wsapi.AssociateIpGroups.Spec(), badState, func() error { return c.associate(t, waiting, group) }},
		{wsapi.AssociateIpGroups.Spec(), limit, func() error { return c.associate(t, home, group, second) }},
		{wsapi.DisassociateIpGroups.Spec(), invalid, func() error { return c.disassociate(t, home, tooMany...) }},
		{wsapi.DisassociateIpGroups.Spec(), notFound, func() error { return c.disassociate(t, home, unknownGroup) }},
		{wsapi.DisassociateIpGroups.Spec(), badState, func() error { return c.disassociate(t, waiting, group) }},
		{wsapi.DeleteIpGroup.Spec(), notFound, func() error { return c.deleteGroup(t, unknownGroup) }},
		{wsapi.DeleteIpGroup.Spec(), associated, func() error {
			if err := c.associate(t, home, group); err != nil {
				return err
			}
			return c.deleteGroup(t, group)
		}},
	}
}

// TestIPGroupsAtOnce has many make a group of one name, then some associate it while others
// delete it: there is never a directory with a group that has gone.
func TestIPGroupsAtOnce(t *testing.T) {
	t.Parallel()
	for name, database := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, database)
			c := s.client()
			d := s.home(t)
			for range 5 {
				together(8, func(int) {
					if _, err := c.CreateIpGroup(t.Context(), &sdk.CreateIpGroupInput{GroupName: new("office")}); err != nil {
						refused(t, err, exists)
					}
				})
				out, err := c.DescribeIpGroups(t.Context(), &sdk.DescribeIpGroupsInput{})
				if err != nil || len(out.Result) != 1 {
					t.Fatalf("%s, %v", show(out), err)
				}
				id := *out.Result[0].GroupId
				errs := make([]error, 4)
				together(len(errs), func(i int) {
					if i%2 == 0 {
						errs[i] = c.associate(t, d, id)
					} else {
						errs[i] = c.deleteGroup(t, id)
					}
				})
				gone := errs[1] == nil || errs[3] == nil
				for i, err := range errs {
					if err != nil {
						refused(t, err, map[bool]string{true: notFound, false: associated}[gone || i%2 == 0])
					}
				}
				if has := len(s.describeDirectory(t, c, d).IpGroupIds) > 0; has == gone {
					t.Errorf("the group has gone: %v, the directory has it: %v", gone, has)
				}
				if !gone {
					if err := c.disassociate(t, d, id); err != nil {
						t.Fatal(err)
					}
					if err := c.deleteGroup(t, id); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}
