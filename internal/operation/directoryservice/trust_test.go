package directoryservice_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice/types"

	dsapi "carrel/internal/api/ds"
	"carrel/internal/operation/directoryservice/dstest"
)

func trustInput(id, domain string) *directoryservice.CreateTrustInput {
	return &directoryservice.CreateTrustInput{
		DirectoryId: &id, RemoteDomainName: &domain, TrustPassword: aws.String("secret"), TrustDirection: types.TrustDirectionTwoWay,
		ConditionalForwarderIpAddrs: []string{"192.0.2.1"},
	}
}

// createTrust makes a trust, waits until it rests and returns its id.
func createTrust(t *testing.T, s *dstest.Server, id, domain string) string {
	t.Helper()
	out, err := s.DS().CreateTrust(t.Context(), trustInput(id, domain))
	if err != nil {
		t.Fatal(err)
	}
	s.SettleTrust(t, *out.TrustId)
	return *out.TrustId
}

func describeTrust(t *testing.T, s *dstest.Server, id string) types.Trust {
	t.Helper()
	out, err := s.DS().DescribeTrusts(t.Context(), &directoryservice.DescribeTrustsInput{TrustIds: []string{id}})
	if err != nil || len(out.Trusts) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	return out.Trusts[0]
}

// TestTrust takes a trust from its creation through every change to its end.
func TestTrust(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	d := s.CreateMicrosoftAD(t)
	made, err := s.DS().CreateTrust(t.Context(), trustInput(d, "far.example.com."))
	if err != nil {
		t.Fatal(err)
	}
	id := *made.TrustId
	is := describeTrust(t, s, id)
	if is.TrustState != "Creating" || *is.DirectoryId != d || *is.RemoteDomainName != "far.example.com." || is.TrustType != "Forest" ||
		is.TrustDirection != "Two-Way" || is.SelectiveAuth != "Disabled" || !is.CreatedDateTime.Equal(*is.StateLastUpdatedDateTime) {
		t.Errorf("%+v", is)
	}
	verify := func() error {
		_, err := s.DS().VerifyTrust(t.Context(), &directoryservice.VerifyTrustInput{TrustId: &id})
		return err
	}
	update := func() error {
		_, err := s.DS().UpdateTrust(t.Context(), &directoryservice.UpdateTrustInput{TrustId: &id, SelectiveAuth: "Enabled"})
		return err
	}
	remove := func() error {
		_, err := s.DS().DeleteTrust(t.Context(), &directoryservice.DeleteTrustInput{TrustId: &id, DeleteAssociatedConditionalForwarder: true})
		return err
	}
	dstest.WantError(t, dsapi.VerifyTrust.Info, verify(), "ClientException")
	dstest.WantError(t, dsapi.UpdateTrust.Info, update(), "ClientException")
	dstest.WantError(t, dsapi.DeleteTrust.Info, remove(), "ClientException")
	for _, step := range []struct {
		do             func() error
		passing, rests types.TrustState
	}{
		{nil, "Creating", "Verified"}, {verify, "Verifying", "Verified"}, {update, "Updating", "Verified"}, {verify, "Verifying", "Verified"},
	} {
		if step.do != nil {
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
		}
		if is := describeTrust(t, s, id); is.TrustState != step.passing {
			t.Errorf("%s, want %s", is.TrustState, step.passing)
		}
		s.SettleTrust(t, id)
		if is := describeTrust(t, s, id); is.TrustState != step.rests {
			t.Errorf("%s, want %s", is.TrustState, step.rests)
		}
	}
	if is := describeTrust(t, s, id); is.SelectiveAuth != "Enabled" {
		t.Errorf("%+v", is)
	}
	if err := remove(); err != nil {
		t.Fatal(err)
	}
	if is := describeTrust(t, s, id); is.TrustState != "Deleting" {
		t.Errorf("%+v", is)
	}
	s.SettleTrust(t, id)
	_, err = s.DS().DescribeTrusts(t.Context(), &directoryservice.DescribeTrustsInput{TrustIds: []string{id}})
	dstest.WantError(t, dsapi.DescribeTrusts.Info, err, "EntityDoesNotExistException")
	for op, err := range map[string]error{"VerifyTrust": verify(), "UpdateTrust": update(), "DeleteTrust": remove()} {
		info, _ := dsapi.Service.Operation(op)
		dstest.WantError(t, info.Spec(), err, "EntityDoesNotExistException")
	}
}

func TestCreateTrustRefused(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	d := s.CreateMicrosoftAD(t)
	young, err := s.DS().CreateMicrosoftAD(t.Context(), dstest.MicrosoftADInput())
	if err != nil {
		t.Fatal(err)
	}
	createTrust(t, s, d, "far.example.com")
	for why, c := range map[string]struct {
		in   *directoryservice.CreateTrustInput
		code string
	}{
		"unknown":       {trustInput("d-0000000000", "a.example.com"), "EntityDoesNotExistException"},
		"Simple AD":     {trustInput(s.CreateActive(t), "a.example.com"), "UnsupportedOperationException"},
		"connector":     {trustInput(s.Connect(t), "a.example.com"), "UnsupportedOperationException"},
		"not Active":    {trustInput(*young.DirectoryId, "a.example.com"), "ClientException"},
		"itself":        {trustInput(d, "CORP.example.com."), "InvalidParameterException"},
		"twice":         {trustInput(d, "FAR.example.com."), "EntityAlreadyExistsException"},
		"not a domain":  {trustInput(d, "far"), "ValidationException"},
		"long password": {trustInput(d, "a.example.com"), "ValidationException"},
	} {
		if why == "long password" {
			c.in.TrustPassword = aws.String(strings.Repeat("x", 129))
		}
		_, err := s.DS().CreateTrust(t.Context(), c.in)
		t.Log(why)
		dstest.WantError(t, dsapi.CreateTrust.Info, err, c.code)
	}
}

// TestTrustPages reads trusts of two directories in pages, and what is asked amiss.
func TestTrustPages(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	first, second := s.CreateMicrosoftAD(t), s.CreateMicrosoftAD(t)
	of := make(map[string][]string)
	var all []string
	for i := range 5 {
		d := []string{first, second}[i%2]
		id := createTrust(t, s, d, fmt.Sprintf("far%d.example.com", i))
		of[d], all = append(of[d], id), append(all, id)
	}
	read := func(in directoryservice.DescribeTrustsInput) (got []string) {
		t.Helper()
		for {
			page, err := s.DS().DescribeTrusts(t.Context(), &in)
			if err != nil || in.Limit != nil && len(page.Trusts) > int(*in.Limit) {
				t.Fatalf("%+v, %v", page, err)
			}
			for _, trust := range page.Trusts {
				got = append(got, *trust.TrustId)
			}
			if in.NextToken = page.NextToken; in.NextToken == nil {
				return got
			}
		}
	}
	if got := read(directoryservice.DescribeTrustsInput{Limit: aws.Int32(2)}); !slices.Equal(got, all) {
		t.Errorf("%v, want %v", got, all)
	}
	if got := read(directoryservice.DescribeTrustsInput{DirectoryId: &second, Limit: aws.Int32(1)}); !slices.Equal(got, of[second]) {
		t.Errorf("%v, want %v", got, of[second])
	}
	for code, in := range map[string]directoryservice.DescribeTrustsInput{
		"InvalidParameterException":   {TrustIds: []string{}},
		"EntityDoesNotExistException": {DirectoryId: &first, TrustIds: of[second]},
		"InvalidNextTokenException":   {NextToken: aws.String("x")},
	} {
		_, err := s.DS().DescribeTrusts(t.Context(), &in)
		dstest.WantError(t, dsapi.DescribeTrusts.Info, err, code)
	}
	// Trusts go with their directory.
	if _, err := s.DS().DeleteDirectory(t.Context(), &directoryservice.DeleteDirectoryInput{DirectoryId: &first}); err != nil {
		t.Fatal(err)
	}
	s.Settle(t, first)
	if got := read(directoryservice.DescribeTrustsInput{}); !slices.Equal(got, of[second]) {
		t.Errorf("%v, want %v", got, of[second])
	}
}
