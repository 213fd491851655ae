package operation_test

import (
	"slices"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	"carrel/internal/api"
	wsapi "carrel/internal/api/workspaces"
)

const (
	conflict = "ConflictException"
	internal = "InternalServerException"
	noLink   = "link-000000000000" // does not exist
)

// invite invites an account and returns the link.
func invite(t *testing.T, c client, target string, token *string) (*types.AccountLink, error) {
	t.Helper()
	out, err := c.CreateAccountLinkInvitation(t.Context(), &sdk.CreateAccountLinkInvitationInput{TargetAccountId: &target, ClientToken: token})
	if err != nil {
		return nil, err
	}
	return out.AccountLink, nil
}

// mustInvite is invite where nothing is in the way, and returns the link's id.
func mustInvite(t *testing.T, c client, target string) string {
	t.Helper()
	l, err := invite(t, c, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return *l.AccountLinkId
}

// answerLink is what a client does with a link.
type answerLink func(t *testing.T, c client, id string, token *string) (*types.AccountLink, error)

func accept(t *testing.T, c client, id string, token *string) (*types.AccountLink, error) {
	t.Helper()
	out, err := c.AcceptAccountLinkInvitation(t.Context(), &sdk.AcceptAccountLinkInvitationInput{LinkId: &id, ClientToken: token})
	if err != nil {
		return nil, err
	}
	return out.AccountLink, nil
}

func reject(t *testing.T, c client, id string, token *string) (*types.AccountLink, error) {
	t.Helper()
	out, err := c.RejectAccountLinkInvitation(t.Context(), &sdk.RejectAccountLinkInvitationInput{LinkId: &id, ClientToken: token})
	if err != nil {
		return nil, err
	}
	return out.AccountLink, nil
}

func takeBack(t *testing.T, c client, id string, token *string) (*types.AccountLink, error) {
	t.Helper()
	out, err := c.DeleteAccountLinkInvitation(t.Context(), &sdk.DeleteAccountLinkInvitationInput{LinkId: &id, ClientToken: token})
	if err != nil {
		return nil, err
	}
	return out.AccountLink, nil
}

// must fails the test unless a link was answered, which it returns.
func must(t *testing.T, c client, do answerLink, id string) *types.AccountLink {
	t.Helper()
	l, err := do(t, c, id, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// getLink returns what GetAccountLink tells by the id and by the other account.
func getLink(t *testing.T, c client, in sdk.GetAccountLinkInput) (*types.AccountLink, error) {
	t.Helper()
	out, err := c.GetAccountLink(t.Context(), &in)
	if err != nil {
		return nil, err
	}
	return out.AccountLink, nil
}

// linksOf lists a client's links, in pages of one, as status and id.
func linksOf(t *testing.T, c client, filter ...types.AccountLinkStatusEnum) (got []string) {
	t.Helper()
	in := sdk.ListAccountLinksInput{LinkStatusFilter: filter, MaxResults: new(int32(1))}
	for {
		page, err := c.ListAccountLinks(t.Context(), &in)
		if err != nil || len(page.AccountLinks) > 1 {
			t.Fatal(show(page), err)
		}
		for _, l := range page.AccountLinks {
			got = append(got, string(l.AccountLinkStatus)+" "+*l.AccountLinkId)
		}
		if in.NextToken = page.NextToken; in.NextToken == nil {
			return got
		}
	}
}

// TestAccountLink: an invitation is open, rejected, repeated, taken back and accepted.
func TestAccountLink(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, them := s.client(), s.as(stranger, region)
	first := mustInvite(t, c, stranger)
	for _, who := range []client{c, them} {
		other := account
		if who.scope.Account == account {
			other = stranger
		}
		for _, in := range []sdk.GetAccountLinkInput{{LinkId: &first}, {LinkedAccountId: &other}} {
			l, err := getLink(t, who, in)
			if err != nil || *l.AccountLinkId != first || *l.SourceAccountId != account || *l.TargetAccountId != stranger ||
				l.AccountLinkStatus != types.AccountLinkStatusEnumPendingAcceptanceByTargetAccount {
				t.Errorf("%s, %v", show(l), err)
			}
		}
	}
	_, err := invite(t, c, stranger, nil)
	refused(t, err, conflict, first)
	_, err = invite(t, them, account, nil)
	refused(t, err, conflict, first)
	if l := must(t, them, reject, first); l.AccountLinkStatus != types.AccountLinkStatusEnumRejected {
		t.Errorf("%s", show(l))
	}
	must(t, c, takeBack, mustInvite(t, c, stranger))
	third := mustInvite(t, c, stranger)
	if l, err := getLink(t, c, sdk.GetAccountLinkInput{LinkedAccountId: new(stranger)}); err != nil || *l.AccountLinkId != third {
		t.Errorf("the newest is %s, %v", show(l), err)
	}
	if l := must(t, them, accept, third); l.AccountLinkStatus != types.AccountLinkStatusEnumLinked {
		t.Errorf("%s", show(l))
	}
	for _, who := range []client{c, them} {
		if got := linksOf(t, who); !slices.Equal(got, []string{"REJECTED " + first, "LINKED " + third}) {
			t.Errorf("%v", got)
		}
		if got := linksOf(t, who, "LINKED", "LINK_NOT_FOUND"); !slices.Equal(got, []string{"LINKED " + third}) {
			t.Errorf("%v", got)
		}
	}
	for _, who := range []client{s.as("333333333333", region), s.as(account, farRegion), s.as(stranger, farRegion)} {
		_, err := getLink(t, who, sdk.GetAccountLinkInput{LinkId: &third})
		refused(t, err, notFound, third)
		if got := linksOf(t, who); len(got) > 0 {
			t.Errorf("%v sees %v", who.scope, got)
		}
	}
}

// TestLinkedAccountIsEnabled: a target can use what is set up for its source, and says so.
func TestLinkedAccountIsEnabled(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, them := s.client(), s.as(stranger, region)
	s.enable(t, c, "10.90.0.0/16")
	must(t, them, accept, mustInvite(t, c, stranger))
	for who, kind := range map[client]types.DedicatedTenancyAccountType{c: "SOURCE_ACCOUNT", them: "TARGET_ACCOUNT"} {
		a := describeAccount(t, who)
		if a.DedicatedTenancyAccountType != kind || a.DedicatedTenancySupport != "ENABLED" || *a.DedicatedTenancyManagementCidrRange != "10.90.0.0/16" {
			t.Errorf("%s", show(a))
		}
	}
	d := s.directory(t, them.scope)
	s.register(t, them, &sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &d, Tenancy: types.TenancyDedicated})
	// The target of one source cannot be that of another.
	second := mustInvite(t, s.as("333333333333", region), stranger)
	_, err := accept(t, them, second, nil)
	refused(t, err, conflict, account)
}

// TestAccountLinkTokens: a request with a client token is carried out once.
func TestAccountLinkTokens(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) { set.Clock.Freeze() })
	c, them := s.client(), s.as(stranger, region)
	first, err := invite(t, c, stranger, new("token"))
	if err != nil {
		t.Fatal(err)
	}
	id := *first.AccountLinkId
	again, err := invite(t, c, stranger, new("token"))
	if err != nil || *again.AccountLinkId != id {
		t.Errorf("%s, %v; want %s", show(again), err, id)
	}
	_, err = invite(t, c, "333333333333", new("token"))
	refused(t, err, conflict, "token")
	_, err = invite(t, c, stranger, new("other token"))
	refused(t, err, conflict, id)
	// The tokens of two accounts have nothing to do with each other.
	for range 2 {
		if l, err := accept(t, them, id, new("token")); err != nil || l.AccountLinkStatus != types.AccountLinkStatusEnumLinked {
			t.Errorf("%s, %v", show(l), err)
		}
	}
	_, err = accept(t, them, id, nil)
	refused(t, err, conflict, "LINKED")
	if err := s.clock.Advance(9 * time.Hour); err != nil {
		t.Fatal(err)
	}
	_, err = accept(t, them, id, new("token"))
	refused(t, err, conflict, "LINKED")
}

// waysOfAccountLinks are those of an invitation that is open and of one that was rejected.
func waysOfAccountLinks(t *testing.T) []way {
	t.Helper()
	s := start(t)
	c, them, third := s.client(), s.as(stranger, region), s.as("333333333333", region)
	open, done := mustInvite(t, c, stranger), mustInvite(t, c, "333333333333")
	must(t, third, reject, done)
	try := func(do answerLink, c client, id string) func() error {
		return func() error {
			_, err := do(t, c, id, nil)
			return err
		}
	}
	invited := func(target string) func() error {
		return func() error {
			_, err := invite(t, c, target, nil)
			return err
		}
	}
	get := func(in sdk.GetAccountLinkInput) func() error {
		return func() error {
			_, err := getLink(t, c, in)
			return err
		}
	}
	ways := []way{
		{wsapi.CreateAccountLinkInvitation.Spec(), validation, invited(account)},
		{wsapi.CreateAccountLinkInvitation.Spec(), conflict, invited(stranger)},
		{wsapi.GetAccountLink.Spec(), validation, get(sdk.GetAccountLinkInput{})},
		{wsapi.GetAccountLink.Spec(), validation, get(sdk.GetAccountLinkInput{LinkId: &open, LinkedAccountId: new(stranger)})},
		{wsapi.GetAccountLink.Spec(), notFound, get(sdk.GetAccountLinkInput{LinkId: new(noLink)})},
		{wsapi.GetAccountLink.Spec(), notFound, get(sdk.GetAccountLinkInput{LinkedAccountId: new("444444444444")})},
		{wsapi.ListAccountLinks.Spec(), validation, func() error {
			_, err := c.ListAccountLinks(t.Context(), &sdk.ListAccountLinksInput{NextToken: new("x")})
			return err
		}},
		{wsapi.DeleteAccountLinkInvitation.Spec(), denied, try(takeBack, them, open)},
		{wsapi.DeleteAccountLinkInvitation.Spec(), conflict, try(takeBack, c, done)},
		{wsapi.DeleteAccountLinkInvitation.Spec(), notFound, try(takeBack, c, noLink)},
		{wsapi.DeleteAccountLinkInvitation.Spec(), validation, try(takeBack, c, "link")},
	}
	for _, answer := range []struct {
		op api.Info
		do answerLink
	}{{wsapi.AcceptAccountLinkInvitation.Spec(), accept}, {wsapi.RejectAccountLinkInvitation.Spec(), reject}} {
		ways = append(ways,
			way{answer.op, denied, try(answer.do, c, open)},
			way{answer.op, conflict, try(answer.do, third, done)},
			way{answer.op, notFound, try(answer.do, them, noLink)},
			way{answer.op, validation, try(answer.do, them, "link")},
		)
	}
	return ways
}

// attemptsOnAccount are what a stranger tries with accounts and a link between two others.
func attemptsOnAccount(link string) map[string]func(t *testing.T, c client) {
	tries := map[string]func(t *testing.T, c client){
		"DescribeAccount": func(t *testing.T, c client) {
			t.Helper()
			if a := describeAccount(t, c); a.DedicatedTenancySupport != "DISABLED" || a.DedicatedTenancyAccountType != "" {
				t.Errorf("%s", show(a))
			}
		},
		"ModifyAccount": func(t *testing.T, c client) { t.Helper(); refused(t, modifyAccount(t, c, "", "10.90.0.0/16"), invalid) },
		"DescribeAccountModifications": func(t *testing.T, c client) {
			t.Helper()
			if got := accountModifications(t, c); len(got) > 0 {
				t.Errorf("sees %v", got)
			}
		},
		"ListAvailableManagementCidrRanges": func(t *testing.T, c client) {
			t.Helper()
			out, err := c.ListAvailableManagementCidrRanges(t.Context(), &sdk.ListAvailableManagementCidrRangesInput{
				ManagementCidrRangeConstraint: new("10.90.0.0/16"),
			})
			if err != nil || len(out.ManagementCidrRanges) != 1 { // what others use is nobody's business
				t.Errorf("%s, %v", show(out), err)
			}
		},
		"CreateAccountLinkInvitation": func(t *testing.T, c client) {
			t.Helper()
			_, err := invite(t, c, c.scope.Account, nil)
			refused(t, err, validation)
		},
		"ListAccountLinks": func(t *testing.T, c client) {
			t.Helper()
			if got := linksOf(t, c); len(got) > 0 {
				t.Errorf("sees %v", got)
			}
		},
		"GetAccountLink": func(t *testing.T, c client) {
			t.Helper()
			_, err := getLink(t, c, sdk.GetAccountLinkInput{LinkId: &link})
			refused(t, err, notFound, link)
		},
	}
	for name, do := range map[string]answerLink{
		"AcceptAccountLinkInvitation": accept, "RejectAccountLinkInvitation": reject, "DeleteAccountLinkInvitation": takeBack,
	} {
		tries[name] = func(t *testing.T, c client) {
			t.Helper()
			_, err := do(t, c, link, nil)
			refused(t, err, notFound, link)
		}
	}
	return tries
}
