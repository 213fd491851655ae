package operation_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

const noAlias = "wsca-000000000" // does not exist

// alias makes a connection alias and waits until it is CREATED.
func (s *server) alias(t *testing.T, c client, host string) string {
	t.Helper()
	out, err := c.CreateConnectionAlias(t.Context(), &sdk.CreateConnectionAliasInput{ConnectionString: &host})
	if err != nil {
		t.Fatal(err)
	}
	s.awaitAlias(t, c, *out.AliasId, types.AssociationStatusNotAssociated)
	return *out.AliasId
}

// awaitAlias waits until an alias is CREATED and associated as wanted, and returns its association.
func (s *server) awaitAlias(t *testing.T, c client, id string, want types.AssociationStatus) (is types.ConnectionAliasAssociation) {
	t.Helper()
	s.await(t, string(want), func() bool {
		a := describeAlias(t, c, id)
		if a == nil || a.State != types.ConnectionAliasStateCreated {
			return false
		}
		is = a.Associations[0]
		return is.AssociationStatus == want
	})
	return is
}

// describeAlias returns an alias, nil where there is none.
func describeAlias(t *testing.T, c client, id string) *types.ConnectionAlias {
	t.Helper()
	out, err := c.DescribeConnectionAliases(t.Context(), &sdk.DescribeConnectionAliasesInput{AliasIds: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.ConnectionAliases) == 0 {
		return nil
	}
	return &out.ConnectionAliases[0]
}

func createAlias(t *testing.T, c client, host string, tags ...types.Tag) error {
	t.Helper()
	_, err := c.CreateConnectionAlias(t.Context(), &sdk.CreateConnectionAliasInput{ConnectionString: &host, Tags: tags})
	return err
}

func associate(t *testing.T, c client, alias, directory string) error {
	t.Helper()
	_, err := c.AssociateConnectionAlias(t.Context(), &sdk.AssociateConnectionAliasInput{AliasId: &alias, ResourceId: &directory})
	return err
}

func disassociate(t *testing.T, c client, alias string) error {
	t.Helper()
	_, err := c.DisassociateConnectionAlias(t.Context(), &sdk.DisassociateConnectionAliasInput{AliasId: &alias})
	return err
}

func deleteAlias(t *testing.T, c client, alias string) error {
	t.Helper()
	_, err := c.DeleteConnectionAlias(t.Context(), &sdk.DeleteConnectionAliasInput{AliasId: &alias})
	return err
}

func share(t *testing.T, c client, alias, with string, allow bool) error {
	t.Helper()
	_, err := c.UpdateConnectionAliasPermission(t.Context(), &sdk.UpdateConnectionAliasPermissionInput{
		AliasId: &alias, ConnectionAliasPermission: &types.ConnectionAliasPermission{SharedAccountId: &with, AllowAssociation: &allow},
	})
	return err
}

func permissions(t *testing.T, c client, alias string) (accounts []string, err error) {
	t.Helper()
	out, err := c.DescribeConnectionAliasPermissions(t.Context(), &sdk.DescribeConnectionAliasPermissionsInput{AliasId: &alias})
	if err != nil {
		return nil, err
	}
	for _, p := range out.ConnectionAliasPermissions {
		if !*p.AllowAssociation {
			t.Errorf("%s may not associate it", *p.SharedAccountId)
		}
		accounts = append(accounts, *p.SharedAccountId)
	}
	return accounts, nil
}

// TestConnectionAlias takes an alias through its states, each as long as the limits say.
func TestConnectionAlias(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) {
		set.Clock.Freeze()
		set.Limits.AliasChange = time.Minute
	})
	c := s.client()
	d := s.home(t)
	out, err := c.CreateConnectionAlias(t.Context(), &sdk.CreateConnectionAliasInput{
		ConnectionString: new("Desk.example.com"), Tags: []types.Tag{tag("a", "1")},
	})
	if err != nil {
		t.Fatal(err)
	}
	id := *out.AliasId
	want := func(state types.ConnectionAliasState, status types.AssociationStatus) {
		t.Helper()
		s.await(t, string(state)+" "+string(status), func() bool {
			a := describeAlias(t, c, id)
			return a != nil && a.State == state && a.Associations[0].AssociationStatus == status
		})
	}
	// later looks whether the state stays for its time, and lets it pass.
	later := func(state types.ConnectionAliasState, status types.AssociationStatus) {
		t.Helper()
		want(state, status)
		s.awaitPutOff(t, id)
		if err := s.clock.Advance(time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	later("CREATING", "NOT_ASSOCIATED")
	want("CREATED", "NOT_ASSOCIATED")
	a := describeAlias(t, c, id)
	if *a.ConnectionString != "Desk.example.com" || *a.OwnerAccountId != account || !slices.Equal(tagsOf(t, c, id), []string{"a=1"}) {
		t.Errorf("%s", show(a))
	}
	made, err := c.AssociateConnectionAlias(t.Context(), &sdk.AssociateConnectionAliasInput{AliasId: &id, ResourceId: &d})
	if err != nil {
		t.Fatal(err)
	}
	later("CREATED", "PENDING_ASSOCIATION")
	is := s.awaitAlias(t, c, id, types.AssociationStatusAssociatedWithOwnerAccount)
	if *is.ResourceId != d || *is.AssociatedAccountId != account || *is.ConnectionIdentifier != *made.ConnectionIdentifier {
		t.Errorf("%s, made %s", show(is), show(made))
	}
	if err := disassociate(t, c, id); err != nil {
		t.Fatal(err)
	}
	later("CREATED", "PENDING_DISASSOCIATION")
	if is = s.awaitAlias(t, c, id, types.AssociationStatusNotAssociated); is.ResourceId != nil || is.ConnectionIdentifier != nil {
		t.Errorf("%s", show(is))
	}
	if err := deleteAlias(t, c, id); err != nil {
		t.Fatal(err)
	}
	later("DELETING", "NOT_ASSOCIATED")
	s.await(t, "gone", func() bool { return describeAlias(t, c, id) == nil })
	_, err = c.DescribeTags(t.Context(), &sdk.DescribeTagsInput{ResourceId: &id})
	refused(t, err, notFound)
}

// awaitPutOff waits until the turn of work on an alias that is passing is put off. The clock must stand.
func (s *server) awaitPutOff(t *testing.T, id string) {
	t.Helper()
	s.await(t, "work on "+id, func() (begun bool) {
		err := s.store.View(func(tx *store.Tx) error {
			a, found, err := tx.ConnectionAlias(t.Context(), s.client().scope, id)
			begun = found && !a.WakeAt.Equal(a.ChangedAt.Add(workspaces.Watchdog))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return begun
	})
}

// TestConnectionStringIsReserved: a name is its first account's, in all regions and for ever.
func TestConnectionStringIsReserved(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, far, them := s.client(), s.as(account, farRegion), s.as(stranger, farRegion)
	here := s.alias(t, c, "desk.example.com")
	there := s.alias(t, far, "DESK.example.com")
	refused(t, createAlias(t, c, "desk.EXAMPLE.com"), exists, here)
	refused(t, createAlias(t, them, "desk.example.com"), exists, "another account")
	for alias, c := range map[string]client{here: c, there: far} {
		if err := deleteAlias(t, c, alias); err != nil {
			t.Fatal(err)
		}
		s.await(t, "gone", func() bool { return describeAlias(t, c, alias) == nil })
	}
	refused(t, createAlias(t, them, "desk.example.com"), exists, "another account")
	s.alias(t, c, "desk.example.com")
	// What was refused has reserved nothing.
	refused(t, createAlias(t, c, "other.example.com", tags(1, "aws:")...), invalid)
	s.alias(t, them, "other.example.com")
}

func TestCreateConnectionAliasRefused(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) { set.Limits.ConnectionAliases = 2 })
	c := s.client()
	for _, host := range []string{"desk", "desk.", ".example.com", "desk..example.com", "-desk.example.com", "desk-.example.com"} {
		refused(t, createAlias(t, c, host), invalid, host)
	}
	refused(t, createAlias(t, c, "desk_.example.com"), validation)
	refused(t, createAlias(t, c, "desk.example.com", tags(51, "")...), limit, "50")
	s.alias(t, c, "one.example.com")
	s.alias(t, c, "two.example.com")
	refused(t, createAlias(t, c, "three.example.com"), limit, "2 connection aliases")
	// The quota is of an account in a region, and one that was refused has reserved nothing.
	s.alias(t, s.as(stranger, region), "three.example.com")
	s.alias(t, s.as(account, farRegion), "four.example.com")
}

// TestSharedConnectionAlias: an alias can be shared with one account, which can associate it.
func TestSharedConnectionAlias(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, them := s.client(), s.as(stranger, region)
	mine, theirs := s.home(t), s.homeOf(t, them)
	a := s.alias(t, c, "desk.example.com")
	wantShared := func(want ...string) {
		t.Helper()
		if got, err := permissions(t, c, a); err != nil || !slices.Equal(got, want) {
			t.Errorf("shared with %v, %v; want %v", got, err, want)
		}
	}
	wantShared()
	refused(t, associate(t, them, a, theirs), notFound, a)
	refused(t, share(t, c, a, account, true), invalid)
	refused(t, share(t, c, a, stranger, false), invalid)
	for range 2 {
		if err := share(t, c, a, stranger, true); err != nil {
			t.Fatal(err)
		}
	}
	wantShared(stranger)
	refused(t, share(t, c, a, "333333333333", true), limit, stranger)
	refused(t, share(t, c, a, "333333333333", false), invalid)

	// They see it and can associate it with what is theirs, and nothing else.
	if got := describeAlias(t, them, a); got == nil || *got.OwnerAccountId != account {
		t.Errorf("they see %s", show(got))
	}
	if got := describeAlias(t, s.as(stranger, farRegion), a); got != nil {
		t.Errorf("in another region they see %s", show(got))
	}
	refused(t, deleteAlias(t, them, a), denied, account)
	refused(t, share(t, them, a, "333333333333", true), denied, account)
	_, err := permissions(t, them, a)
	refused(t, err, denied, account)
	_, err = them.DescribeTags(t.Context(), &sdk.DescribeTagsInput{ResourceId: &a})
	refused(t, err, notFound)
	refused(t, associate(t, them, a, mine), notFound, mine)
	if err := associate(t, them, a, theirs); err != nil {
		t.Fatal(err)
	}
	is := s.awaitAlias(t, c, a, types.AssociationStatusAssociatedWithSharedAccount)
	if *is.AssociatedAccountId != stranger || *is.ResourceId != theirs {
		t.Errorf("%s", show(is))
	}

	// What is theirs only they end.
	refused(t, associate(t, c, a, mine), associated, theirs)
	refused(t, disassociate(t, c, a), denied, stranger)
	refused(t, share(t, c, a, stranger, false), associated, theirs)
	refused(t, deleteAlias(t, c, a), associated)
	if err := disassociate(t, them, a); err != nil {
		t.Fatal(err)
	}
	s.awaitAlias(t, c, a, types.AssociationStatusNotAssociated)
	if err := share(t, c, a, stranger, false); err != nil {
		t.Fatal(err)
	}
	wantShared()
	if got := describeAlias(t, them, a); got != nil {
		t.Errorf("they still see %s", show(got))
	}
	if err := deleteAlias(t, c, a); err != nil {
		t.Fatal(err)
	}
}

// TestAliasOfADirectoryThatGoes: with a registration the associations end, and the alias can
// be led elsewhere.
func TestAliasOfADirectoryThatGoes(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	d := s.home(t)
	a, b := s.alias(t, c, "a.example.com"), s.alias(t, c, "b.example.com")
	for _, alias := range []string{a, b} {
		if err := associate(t, c, alias, d); err != nil {
			t.Fatal(err)
		}
		s.awaitAlias(t, c, alias, types.AssociationStatusAssociatedWithOwnerAccount)
	}
	out, err := c.DescribeConnectionAliases(t.Context(), &sdk.DescribeConnectionAliasesInput{ResourceId: &d})
	if err != nil || len(out.ConnectionAliases) != 2 {
		t.Errorf("%s, %v", show(out), err)
	}
	if _, err := c.DeregisterWorkspaceDirectory(t.Context(), &sdk.DeregisterWorkspaceDirectoryInput{DirectoryId: &d}); err != nil {
		t.Fatal(err)
	}
	s.awaitAlias(t, c, a, types.AssociationStatusNotAssociated)
	s.awaitAlias(t, c, b, types.AssociationStatusNotAssociated)
	if err := associate(t, c, a, s.home(t)); err != nil {
		t.Error(err)
	}
}

// TestConnectionAliasPages reads aliases, one's own and one that is shared, in pages of two.
func TestConnectionAliasPages(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, them := s.client(), s.as(stranger, region)
	want := []string{s.alias(t, them, "shared.example.com")}
	if err := share(t, them, want[0], account, true); err != nil {
		t.Fatal(err)
	}
	for i := range 4 {
		want = append(want, s.alias(t, c, fmt.Sprintf("desk%d.example.com", i)))
	}
	in := sdk.DescribeConnectionAliasesInput{Limit: new(int32(2))}
	var got []string
	for {
		page, err := c.DescribeConnectionAliases(t.Context(), &in)
		if err != nil || len(page.ConnectionAliases) > 2 {
			t.Fatal(show(page), err)
		}
		for _, a := range page.ConnectionAliases {
			got = append(got, *a.AliasId)
		}
		if in.NextToken = page.NextToken; in.NextToken == nil {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// waysOfConnectionAliases are those of connection aliases: free and taken ones, one that
// another account shares, and one on a server where nothing proceeds.
func waysOfConnectionAliases(t *testing.T) []way {
	t.Helper()
	s := start(t, func(set *setup) { set.Limits.ConnectionAliases = 3 })
	c, them := s.client(), s.as(stranger, region)
	home := s.home(t)
	free, taken := s.alias(t, c, "a.example.com"), s.alias(t, c, "b.example.com")
	theirs, lent := s.alias(t, them, "c.example.com"), s.alias(t, them, "d.example.com") // both are shared with us
	for _, err := range []error{
		share(t, them, theirs, account, true), share(t, them, lent, account, true),
		associate(t, c, taken, home), associate(t, them, theirs, s.homeOf(t, them)), associate(t, c, lent, home),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s.awaitAlias(t, c, taken, types.AssociationStatusAssociatedWithOwnerAccount)
	s.awaitAlias(t, c, theirs, types.AssociationStatusAssociatedWithOwnerAccount)
	s.awaitAlias(t, c, lent, types.AssociationStatusAssociatedWithSharedAccount)
	stuck, waiting := stuckAliases(t)
	permitted := func(c client, id string, token *string) error {
		_, err := c.DescribeConnectionAliasPermissions(t.Context(), &sdk.DescribeConnectionAliasPermissionsInput{AliasId: &id, NextToken: token})
		return err
	}
	var (
		create  = wsapi.CreateConnectionAlias.Spec()
		lead    = wsapi.AssociateConnectionAlias.Spec()
		end     = wsapi.DisassociateConnectionAlias.Spec()
		remove  = wsapi.DeleteConnectionAlias.Spec()
		permit  = wsapi.UpdateConnectionAliasPermission.Spec()
		allowed = wsapi.DescribeConnectionAliasPermissions.Spec()
	)
	return []way{
		{create, exists, func() error { return createAlias(t, c, "A.example.com") }},
		{create, invalid, func() error { return createAlias(t, c, "desk") }},
		{create, badState, func() error { return createAlias(t, stuck, "stuck.example.com") }},
		{create, limit, func() error {
			s.alias(t, c, "e.example.com")
			return createAlias(t, c, "f.example.com")
		}},
		{lead, associated, func() error { return associate(t, c, taken, home) }},
		{lead, notFound, func() error { return associate(t, c, free, "d-0123456789") }},
		{lead, notFound, func() error { return associate(t, c, noAlias, home) }},
		{lead, invalid, func() error { return associate(t, c, free, "directory") }},
		{lead, badState, func() error { return associate(t, stuck, waiting, "d-0123456789") }},
		{end, denied, func() error { return disassociate(t, c, theirs) }},
		{end, notFound, func() error { return disassociate(t, c, noAlias) }},
		{end, badState, func() error { return disassociate(t, c, free) }},
		{end, badState, func() error { return disassociate(t, stuck, waiting) }},
		{remove, denied, func() error { return deleteAlias(t, c, theirs) }},
		{remove, notFound, func() error { return deleteAlias(t, c, noAlias) }},
		{remove, associated, func() error { return deleteAlias(t, c, taken) }},
		{remove, badState, func() error { return deleteAlias(t, stuck, waiting) }},
		{permit, denied, func() error { return share(t, c, theirs, stranger, true) }},
		{permit, notFound, func() error { return share(t, c, noAlias, stranger, true) }},
		{permit, invalid, func() error { return share(t, c, free, account, true) }},
		{permit, badState, func() error { return share(t, stuck, waiting, stranger, true) }},
		{permit, limit, func() error { return share(t, them, theirs, "333333333333", true) }},
		{permit, associated, func() error { return share(t, them, lent, account, false) }},
		{allowed, denied, func() error { return permitted(c, theirs, nil) }},
		{allowed, notFound, func() error { return permitted(c, noAlias, nil) }},
		{allowed, invalid, func() error { return permitted(c, free, new("x")) }},
		{wsapi.DescribeConnectionAliases.Spec(), invalid, func() error {
			_, err := c.DescribeConnectionAliases(t.Context(), &sdk.DescribeConnectionAliasesInput{NextToken: new("x")})
			return err
		}},
	}
}

// stuckAliases starts a server where nothing proceeds, with an alias of stuck.example.com that
// is DELETING, and another, whose id it returns, that is CREATING.
func stuckAliases(t *testing.T) (c client, waiting string) {
	t.Helper()
	s := start(t, func(set *setup) {
		set.Clock.Freeze()
		set.Limits.AliasChange = time.Hour
	})
	c = s.client()
	out, err := c.CreateConnectionAlias(t.Context(), &sdk.CreateConnectionAliasInput{ConnectionString: new("stuck.example.com")})
	if err != nil {
		t.Fatal(err)
	}
	s.awaitPutOff(t, *out.AliasId)
	if err := s.clock.Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	s.awaitAlias(t, c, *out.AliasId, types.AssociationStatusNotAssociated)
	if err := deleteAlias(t, c, *out.AliasId); err != nil {
		t.Fatal(err)
	}
	out, err = c.CreateConnectionAlias(t.Context(), &sdk.CreateConnectionAliasInput{ConnectionString: new("waiting.example.com")})
	if err != nil {
		t.Fatal(err)
	}
	return c, *out.AliasId
}

// attemptsOnAlias are what a stranger tries on an alias and a directory.
func attemptsOnAlias(alias, directory string) map[string]func(t *testing.T, c client) {
	tries := map[string]func(t *testing.T, c client){
		"CreateConnectionAlias": func(t *testing.T, c client) {
			t.Helper()
			if c.scope.Account != account {
				refused(t, createAlias(t, c, "desk.example.com"), exists, "another account")
			}
		},
		"DescribeConnectionAliases": func(t *testing.T, c client) {
			t.Helper()
			all, err := c.DescribeConnectionAliases(t.Context(), &sdk.DescribeConnectionAliasesInput{})
			if err != nil || len(all.ConnectionAliases) > 0 || describeAlias(t, c, alias) != nil {
				t.Errorf("%s, %v", show(all), err)
			}
		},
	}
	for name, try := range map[string]func(t *testing.T, c client) error{
		"AssociateConnectionAlias":    func(t *testing.T, c client) error { t.Helper(); return associate(t, c, alias, directory) },
		"DisassociateConnectionAlias": func(t *testing.T, c client) error { t.Helper(); return disassociate(t, c, alias) },
		"DeleteConnectionAlias":       func(t *testing.T, c client) error { t.Helper(); return deleteAlias(t, c, alias) },
		"UpdateConnectionAliasPermission": func(t *testing.T, c client) error {
			t.Helper()
			return share(t, c, alias, "333333333333", true)
		},
		"DescribeConnectionAliasPermissions": func(t *testing.T, c client) error {
			t.Helper()
			_, err := permissions(t, c, alias)
			return err
		},
	} {
		tries[name] = func(t *testing.T, c client) { t.Helper(); refused(t, try(t, c), notFound, alias) }
	}
	return tries
}
