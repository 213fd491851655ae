package directoryservice_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice/types"

	dsapi "carrel/internal/api/ds"
	"carrel/internal/operation/directoryservice/dstest"
)

func TestConditionalForwarders(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id, connector := s.CreateMicrosoftAD(t), s.Connect(t)
	create := func(id, domain string, addresses ...string) error {
		_, err := s.DS().CreateConditionalForwarder(t.Context(), &directoryservice.CreateConditionalForwarderInput{DirectoryId: &id, RemoteDomainName: &domain, DnsIpAddrs: addresses})
		return err
	}
	update := func(id, domain string, addresses ...string) error {
		_, err := s.DS().UpdateConditionalForwarder(t.Context(), &directoryservice.UpdateConditionalForwarderInput{DirectoryId: &id, RemoteDomainName: &domain, DnsIpAddrs: addresses})
		return err
	}
	remove := func(id, domain string) error {
		_, err := s.DS().DeleteConditionalForwarder(t.Context(), &directoryservice.DeleteConditionalForwarderInput{DirectoryId: &id, RemoteDomainName: &domain})
		return err
	}
	list := func(domains ...string) []types.ConditionalForwarder {
		t.Helper()
		out, err := s.DS().DescribeConditionalForwarders(t.Context(), &directoryservice.DescribeConditionalForwardersInput{DirectoryId: &id, RemoteDomainNames: domains})
		if err != nil {
			t.Fatal(err)
		}
		return out.ConditionalForwarders
	}
	for _, domain := range []string{"one.example.com", "two.example.com"} {
		if err := create(id, domain, "192.0.2.1"); err != nil {
			t.Fatal(err)
		}
	}
	if err := update(id, "ONE.example.com.", "192.0.2.2", "192.0.2.3"); err != nil {
		t.Fatal(err)
	}
	if got := list("one.example.com"); len(got) != 1 || !slices.Equal(got[0].DnsIpAddrs, []string{"192.0.2.2", "192.0.2.3"}) || got[0].ReplicationScope != "Domain" {
		t.Errorf("%+v", got)
	}
	if err := remove(id, "one.example.com"); err != nil {
		t.Fatal(err)
	}
	if got := list(); len(got) != 1 || *got[0].RemoteDomainName != "two.example.com" {
		t.Errorf("%+v", got)
	}
	_, unknown := s.DS().DescribeConditionalForwarders(t.Context(), &directoryservice.DescribeConditionalForwardersInput{DirectoryId: &id, RemoteDomainNames: []string{"one.example.com"}})
	_, none := s.DS().DescribeConditionalForwarders(t.Context(), &directoryservice.DescribeConditionalForwardersInput{DirectoryId: &connector})
	for _, c := range []struct {
		op   string
		err  error
		want string
	}{
		{"a domain twice", create(id, "two.example.com.", "192.0.2.1"), "EntityAlreadyExistsException"},
		{"no addresses", create(id, "three.example.com"), "InvalidParameterException"},
		{"likewise", update(id, "two.example.com"), "InvalidParameterException"},
		{"another kind of directory", create(connector, "two.example.com", "192.0.2.1"), "UnsupportedOperationException"},
		{"likewise", update(connector, "two.example.com", "192.0.2.1"), "UnsupportedOperationException"},
		{"likewise", remove(connector, "two.example.com"), "UnsupportedOperationException"},
		{"likewise", none, "UnsupportedOperationException"},
		{"no such directory", create("d-0000000000", "two.example.com", "192.0.2.1"), "EntityDoesNotExistException"},
		{"no such forwarder", update(id, "one.example.com", "192.0.2.1"), "EntityDoesNotExistException"},
		{"likewise", remove(id, "one.example.com"), "EntityDoesNotExistException"},
		{"likewise", unknown, "EntityDoesNotExistException"},
	} {
		t.Log(c.op)
		dstest.WantError(t, dsapi.CreateConditionalForwarder.Info, c.err, c.want)
	}
}

// TestTrustsBringForwarders has a trust make a forwarder and take it along.
func TestTrustsBringForwarders(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.CreateMicrosoftAD(t)
	count := func() int {
		out, err := s.DS().DescribeConditionalForwarders(t.Context(), &directoryservice.DescribeConditionalForwardersInput{DirectoryId: &id})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.ConditionalForwarders)
	}
	for _, along := range []bool{false, true} {
		trust := createTrust(t, s, id, "far.example.com")
		if n := count(); n != 1 {
			t.Fatalf("%d forwarders", n)
		}
		if _, err := s.DS().DeleteTrust(t.Context(), &directoryservice.DeleteTrustInput{TrustId: &trust, DeleteAssociatedConditionalForwarder: along}); err != nil {
			t.Fatal(err)
		}
		s.SettleTrust(t, trust)
		if n := count(); (n == 0) != along {
			t.Errorf("along %v: %d forwarders", along, n)
		}
	}
}

func TestDomainControllers(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id, simple := s.CreateMicrosoftAD(t), s.CreateActive(t)
	change := func(id string, n int32) error {
		_, err := s.DS().UpdateNumberOfDomainControllers(t.Context(), &directoryservice.UpdateNumberOfDomainControllersInput{DirectoryId: &id, DesiredNumber: &n})
		return err
	}
	list := func(in directoryservice.DescribeDomainControllersInput) *directoryservice.DescribeDomainControllersOutput {
		t.Helper()
		in.DirectoryId = &id
		out, err := s.DS().DescribeDomainControllers(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	two := list(directoryservice.DescribeDomainControllersInput{}).DomainControllers
	if len(two) != 2 || two[0].Status != "Active" || *two[0].DnsIpAddr == *two[1].DnsIpAddr || *two[0].SubnetId == *two[1].SubnetId {
		t.Errorf("%+v", two)
	}
	if err := change(id, 3); err != nil {
		t.Fatal(err)
	}
	first := list(directoryservice.DescribeDomainControllersInput{Limit: aws.Int32(2)})
	rest := list(directoryservice.DescribeDomainControllersInput{Limit: aws.Int32(2), NextToken: first.NextToken})
	if len(first.DomainControllers) != 2 || *first.DomainControllers[1].DomainControllerId != *two[1].DomainControllerId || len(rest.DomainControllers) != 1 || rest.NextToken != nil {
		t.Errorf("%+v, then %+v", first, rest)
	}
	if one := list(directoryservice.DescribeDomainControllersInput{DomainControllerIds: []string{*two[1].DomainControllerId}}).DomainControllers; len(one) != 1 {
		t.Errorf("%+v", one)
	}
	out, err := s.DS().DescribeDirectories(t.Context(), &directoryservice.DescribeDirectoriesInput{DirectoryIds: []string{id}})
	if err != nil || *out.DirectoryDescriptions[0].DesiredNumberOfDomainControllers != 3 {
		t.Errorf("%+v, %v", out, err)
	}
	info := dsapi.UpdateNumberOfDomainControllers.Info
	dstest.WantError(t, info, change(id, 21), "DomainControllerLimitExceededException")
	dstest.WantError(t, info, change(simple, 3), "UnsupportedOperationException")
	dstest.WantError(t, info, change("d-0000000000", 3), "EntityDoesNotExistException")
	for code, in := range map[string]directoryservice.DescribeDomainControllersInput{
		"UnsupportedOperationException": {DirectoryId: &simple},
		"EntityDoesNotExistException":   {DirectoryId: &id, DomainControllerIds: []string{"dc-0000000000"}},
		"InvalidNextTokenException":     {DirectoryId: &id, NextToken: aws.String("x")},
	} {
		_, err := s.DS().DescribeDomainControllers(t.Context(), &in)
		dstest.WantError(t, dsapi.DescribeDomainControllers.Info, err, code)
	}
}
