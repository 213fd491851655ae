package operation_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func modifyAccount(t *testing.T, c client, support types.DedicatedTenancySupportEnum, cidr string) error {
	t.Helper()
	in := sdk.ModifyAccountInput{DedicatedTenancySupport: support}
	if cidr != "" {
		in.DedicatedTenancyManagementCidrRange = &cidr
	}
	out, err := c.ModifyAccount(t.Context(), &in)
	if err == nil && *out.Message == "" {
		t.Error("no message")
	}
	return err
}

// accountModifications describes the modifications of a client's account as state and range.
func accountModifications(t *testing.T, c client) []string {
	t.Helper()
	out, err := c.DescribeAccountModifications(t.Context(), &sdk.DescribeAccountModificationsInput{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range out.AccountModifications {
		if m.StartTime == nil || m.DedicatedTenancySupport != types.DedicatedTenancySupportResultEnumEnabled {
			t.Errorf("%s", show(m))
		}
		text := string(m.ModificationState) + " " + *m.DedicatedTenancyManagementCidrRange
		if m.ErrorCode != nil {
			text += " " + *m.ErrorCode
		}
		got = append(got, text)
	}
	return got
}

func describeAccount(t *testing.T, c client) *sdk.DescribeAccountOutput {
	t.Helper()
	out, err := c.DescribeAccount(t.Context(), &sdk.DescribeAccountInput{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// enable enables dedicated tenancy for a client's account and waits until it is.
func (s *server) enable(t *testing.T, c client, cidr string) {
	t.Helper()
	if err := modifyAccount(t, c, "ENABLED", cidr); err != nil {
		t.Fatal(err)
	}
	s.await(t, "ENABLED", func() bool { return describeAccount(t, c).DedicatedTenancySupport == "ENABLED" })
}

// putSubnet declares one more network in region.
func (s *server) putSubnet(t *testing.T, id, cidr string) {
	t.Helper()
	err := s.store.Update(t.Context(), func(tx *store.Tx) error {
		prefix := netip.MustParsePrefix(cidr)
		return tx.PutSubnet(t.Context(), workspaces.Subnet{
			ID: id, VPCID: vpc, Region: region, Zone: region + "a", Prefix: prefix, Gateway: prefix.Addr().Next(),
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAccount enables an account, gives it another range, and lets a network come into its way.
func TestAccount(t *testing.T) {
	t.Parallel()
	s := start(t, func(set *setup) {
		set.Clock.Freeze()
		set.Limits.AccountChange = time.Minute
	})
	c := s.client()
	before := describeAccount(t, c)
	if before.DedicatedTenancySupport != "DISABLED" || before.DedicatedTenancyManagementCidrRange != nil || before.DedicatedTenancyAccountType != "" {
		t.Errorf("%s", show(before))
	}
	if err := modifyAccount(t, c, "ENABLED", "10.90.0.0/16"); err != nil {
		t.Fatal(err)
	}
	if got := accountModifications(t, c); !slices.Equal(got, []string{"PENDING 10.90.0.0/16"}) {
		t.Errorf("%v", got)
	}
	refused(t, modifyAccount(t, c, "ENABLED", "10.91.0.0/16"), badState)
	// ends lets a minute pass, and expects an outcome.
	ends := func(want string) {
		t.Helper()
		s.await(t, "work", func() (begun bool) {
			err := s.store.View(func(tx *store.Tx) error {
				all, _, err := tx.AccountModifications(t.Context(), c.scope, 0, 0)
				m := all[len(all)-1]
				begun = !m.WakeAt.Equal(m.StartedAt.Add(workspaces.Watchdog))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return begun
		})
		if err := s.clock.Advance(time.Minute); err != nil {
			t.Fatal(err)
		}
		s.await(t, want, func() bool { return slices.Contains(accountModifications(t, c), want) })
	}
	ends("COMPLETED 10.90.0.0/16")
	if a := describeAccount(t, c); a.DedicatedTenancySupport != "ENABLED" || *a.DedicatedTenancyManagementCidrRange != "10.90.0.0/16" {
		t.Errorf("%s", show(a))
	}
	if err := modifyAccount(t, c, "", "10.91.0.0/16"); err != nil {
		t.Fatal(err)
	}
	ends("COMPLETED 10.91.0.0/16")
	if err := modifyAccount(t, c, "", "10.92.0.0/16"); err != nil {
		t.Fatal(err)
	}
	s.putSubnet(t, "subnet-00000000000000092", "10.92.7.0/24")
	ends("FAILED 10.92.0.0/16 UnsupportedNetworkConfiguration")
	if a := describeAccount(t, c); *a.DedicatedTenancyManagementCidrRange != "10.91.0.0/16" {
		t.Errorf("%s", show(a))
	}
	// Each account and each region is set up by itself.
	for _, other := range []client{s.as(account, farRegion), s.as(stranger, region)} {
		if a := describeAccount(t, other); a.DedicatedTenancySupport != "DISABLED" || len(accountModifications(t, other)) > 0 {
			t.Errorf("%v: %s", other.scope, show(a))
		}
	}
}

// TestDedicatedTenancy: what an enabled account can register, and where.
func TestDedicatedTenancy(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	s.putSubnet(t, "subnet-00000000000000099", "192.168.7.0/24")
	d, clash := s.directory(t, c.scope), s.directory(t, c.scope)
	dedicated := sdk.RegisterWorkspaceDirectoryInput{DirectoryId: &d, Tenancy: types.TenancyDedicated}
	_, err := c.RegisterWorkspaceDirectory(t.Context(), &dedicated)
	refused(t, err, invalid, "DEDICATED")
	s.enable(t, c, "172.20.0.0/16")
	s.register(t, c, &dedicated)
	if got := s.describeDirectory(t, c, d); got.Tenancy != types.TenancyDedicated {
		t.Errorf("%s", show(got))
	}
	// A network that came later, into the way of the management range.
	s.putSubnet(t, "subnet-00000000000000020", "172.20.1.0/24")
	_, err = c.RegisterWorkspaceDirectory(t.Context(), &sdk.RegisterWorkspaceDirectoryInput{
		DirectoryId: &clash, SubnetIds: []string{"subnet-00000000000000020", subnetB},
	})
	refused(t, err, badNetwork, "172.20.0.0/16")
}

func TestManagementRanges(t *testing.T) {
	t.Parallel()
	s := start(t)
	c := s.client()
	all := func(constraint string, size int32) (got []string) {
		t.Helper()
		in := sdk.ListAvailableManagementCidrRangesInput{ManagementCidrRangeConstraint: &constraint}
		if size > 0 {
			in.MaxResults = &size
		}
		for {
			page, err := c.ListAvailableManagementCidrRanges(t.Context(), &in)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.ManagementCidrRanges) > 5 || size > 0 && len(page.ManagementCidrRanges) > int(size) {
				t.Errorf("a page of %d", len(page.ManagementCidrRanges))
			}
			got = append(got, page.ManagementCidrRanges...)
			if in.NextToken = page.NextToken; in.NextToken == nil {
				return got
			}
		}
	}
	// The region's networks are 10.0.0.0/16 to 10.4.1.0/29; that of another region is in nobody's way.
	for _, size := range []int32{0, 1, 2} {
		if got := all("10.0.0.0/13", size); !slices.Equal(got, []string{"10.5.0.0/16", "10.6.0.0/16", "10.7.0.0/16"}) {
			t.Errorf("%v", got)
		}
	}
	if got := all("0.0.0.0/0", 0); len(got) != 256+64+16+1+2-5 {
		t.Errorf("%d ranges: %v", len(got), got)
	}
	for constraint, want := range map[string][]string{
		"198.18.0.0/15": {"198.18.0.0/16", "198.19.0.0/16"}, "192.168.0.0/24": nil, "203.0.113.25/16": nil, "192.168.1.1/16": {"192.168.0.0/16"},
	} {
		if got := all(constraint, 0); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", constraint, got, want)
		}
	}
	for _, cidr := range all("100.64.0.0/10", 0)[:1] {
		s.enable(t, c, cidr)
	}
}

// waysOfAccounts are those of an account, on a server where accounts may have licenses of their own and on one where not.
func waysOfAccounts(t *testing.T) []way {
	t.Helper()
	s := start(t)
	strict := start(t, func(set *setup) { set.Limits.OwnLicenses = false })
	stuck := start(t, func(set *setup) {
		set.Clock.Freeze()
		set.Limits.AccountChange = time.Minute
	})
	ranges := func(s *server, token *string) error {
		_, err := s.client().ListAvailableManagementCidrRanges(t.Context(), &sdk.ListAvailableManagementCidrRangesInput{
			ManagementCidrRangeConstraint: new("10.0.0.0/8"), NextToken: token,
		})
		return err
	}
	modify, list := wsapi.ModifyAccount.Spec(), wsapi.ListAvailableManagementCidrRanges.Spec()
	return []way{
		{modify, denied, func() error { return modifyAccount(t, strict.client(), "ENABLED", "10.90.0.0/16") }},
		{modify, invalid, func() error { return modifyAccount(t, s.client(), "", "") }},
		{modify, invalid, func() error { return modifyAccount(t, s.client(), "ENABLED", "") }},
		{modify, invalid, func() error { return modifyAccount(t, s.client(), "", "10.90.0.0/16") }},
		{modify, invalid, func() error { return modifyAccount(t, s.client(), "ENABLED", "203.0.0.0/16") }},
		{modify, unavailable, func() error { return modifyAccount(t, s.client(), "ENABLED", "10.0.0.0/16") }},
		{modify, badState, func() error {
			if err := modifyAccount(t, stuck.client(), "ENABLED", "10.90.0.0/16"); err != nil {
				return err
			}
			return modifyAccount(t, stuck.client(), "ENABLED", "10.90.0.0/16")
		}},
		{list, denied, func() error { return ranges(strict, nil) }},
		{list, invalid, func() error { return ranges(s, new("x")) }},
	}
}
