package directoryservice_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice/types"

	dsapi "carrel/internal/api/ds"
	"carrel/internal/forward/ec2"
	"carrel/internal/moto"
	"carrel/internal/operation"
	"carrel/internal/operation/directoryservice/dstest"
	"carrel/internal/workspaces"
)

// inBothWays starts services that can keep moto's ways, and do not yet.
func inBothWays(t *testing.T, change ...func(*operation.Core)) (*dstest.Server, *moto.Ways) {
	t.Helper()
	ways := new(moto.Ways)
	return dstest.Start(t, append(change, func(c *operation.Core) { c.Ways = ways })...), ways
}

// TestDirectoryLimitsOfMoto fills moto's limit, and goes one beyond it.
func TestDirectoryLimitsOfMoto(t *testing.T) {
	t.Parallel()
	s, ways := inBothWays(t)
	limits := func() *types.DirectoryLimits {
		out, err := s.DS().GetDirectoryLimits(t.Context(), &directoryservice.GetDirectoryLimitsInput{})
		if err != nil {
			t.Fatal(err)
		}
		return out.DirectoryLimits
	}
	if l := limits(); *l.CloudOnlyDirectoriesLimit != 1000 {
		t.Errorf("open limits: %+v", l)
	}
	ways.Keep(true)
	if l := limits(); *l.CloudOnlyDirectoriesLimit != 10 || *l.CloudOnlyMicrosoftADLimit != 20 || *l.ConnectedDirectoriesLimit != 10 {
		t.Errorf("moto's limits: %+v", l)
	}
	for range 10 {
		s.Create(t)
	}
	if l := limits(); !l.CloudOnlyDirectoriesLimitReached || *l.CloudOnlyDirectoriesCurrentCount != 10 {
		t.Errorf("at the limit: %+v", l)
	}
	s.Create(t)
	_, err := s.DS().CreateDirectory(t.Context(), dstest.CreateInput())
	dstest.WantError(t, dsapi.CreateDirectory.Info, err, "DirectoryLimitExceededException")
	ways.Keep(false)
	s.Create(t)
}

// TestLimitsThatWereChosen: with --limits aws moto's numbers are those, and the service's rule holds without its ways.
func TestLimitsThatWereChosen(t *testing.T) {
	t.Parallel()
	s, ways := inBothWays(t, func(c *operation.Core) {
		c.Limits = workspaces.AWSLimits()
		c.Limits.DirectoriesByType = map[string]int{workspaces.SimpleAD: 1}
	})
	s.Create(t)
	_, err := s.DS().CreateDirectory(t.Context(), dstest.CreateInput())
	dstest.WantError(t, dsapi.CreateDirectory.Info, err, "DirectoryLimitExceededException")
	ways.Keep(true)
	s.Create(t)
	_, err = s.DS().CreateDirectory(t.Context(), dstest.CreateInput())
	dstest.WantError(t, dsapi.CreateDirectory.Info, err, "DirectoryLimitExceededException")
}

func TestNoDomainControllers(t *testing.T) {
	t.Parallel()
	s, ways := inBothWays(t)
	id := s.CreateMicrosoftAD(t)
	number := func() int32 { return *describeOne(t, s, id).DesiredNumberOfDomainControllers }
	if n := number(); n != 2 {
		t.Errorf("a new directory has %d", n)
	}
	ways.Keep(true)
	if n := number(); n != 0 {
		t.Errorf("by moto a new directory has %d", n)
	}
	_, err := s.DS().UpdateNumberOfDomainControllers(t.Context(), &directoryservice.UpdateNumberOfDomainControllersInput{
		DirectoryId: &id, DesiredNumber: aws.Int32(3),
	})
	if err != nil || number() != 3 {
		t.Errorf("%d, %v", number(), err)
	}
}

// theirs is an EC2 that has three subnets in one of its VPCs, the first two in different zones.
func theirs(t *testing.T) *url.URL {
	t.Helper()
	known := map[string][2]string{
		"subnet-11111111": {"us-east-1a", "10.7.1.0/24"}, "subnet-22222222": {"us-east-1b", "10.7.2.0/24"},
		"subnet-33333333": {"us-east-1a", "10.7.3.0/24"},
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse := func(code string) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, "<Response><Errors><Error><Code>%s</Code></Error></Errors></Response>", code)
		}
		switch r.FormValue("Action") {
		case "DescribeVpcs":
			if !slices.Contains([]string{"vpc-11111111", "vpc-22222222", "vpc-466844"}, r.FormValue("VpcId.1")) {
				refuse("InvalidVpcID.NotFound")
				return
			}
			fmt.Fprintf(w, "<DescribeVpcsResponse><vpcSet><item><vpcId>%s</vpcId></item></vpcSet></DescribeVpcsResponse>", r.FormValue("VpcId.1"))
		default:
			var items strings.Builder
			for _, id := range []string{r.FormValue("SubnetId.2"), r.FormValue("SubnetId.1")} {
				if known[id][0] == "" {
					refuse("InvalidSubnetID.NotFound")
					return
				}
				fmt.Fprintf(&items, "<item><subnetId>%s</subnetId><vpcId>vpc-11111111</vpcId><availabilityZone>%s</availabilityZone>"+
					"<cidrBlock>%s</cidrBlock></item>", id, known[id][0], known[id][1])
			}
			_, _ = io.WriteString(w, "<DescribeSubnetsResponse><subnetSet>"+items.String()+"</subnetSet></DescribeSubnetsResponse>")
		}
	}))
	t.Cleanup(s.Close)
	to, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// looking has networks looked up in an EC2.
func looking(at *url.URL) func(*operation.Core) {
	return func(c *operation.Core) {
		c.AnySubnet = true
		c.Networks = &operation.Networks{
			EC2: ec2.New(at, http.DefaultTransport, "X-Passed"), Own: []string{dstest.VPC}, Log: slog.New(slog.DiscardHandler),
		}
	}
}

// TestNetworksAreLookedUp makes directories of each type in networks of an EC2, and in what are none.
func TestNetworksAreLookedUp(t *testing.T) {
	t.Parallel()
	s, ways := inBothWays(t, looking(theirs(t)))
	in := func(vpc string, subnets ...string) *directoryservice.CreateDirectoryInput {
		in := dstest.CreateInput()
		in.VpcSettings = &types.DirectoryVpcSettings{VpcId: &vpc, SubnetIds: subnets}
		return in
	}
	for name, c := range map[string]struct {
		in   *directoryservice.CreateDirectoryInput
		code string
		says string
	}{
		"no such VPC":    {in("vpc-12345678", "subnet-11111111", "subnet-22222222"), "ClientException", "Invalid VPC ID"},
		"no such subnet": {in("vpc-11111111", "subnet-11111111", "subnet-44444444"), "InvalidParameterException", "Invalid subnet ID(s). They must correspond"},
		"another VPC":    {in("vpc-22222222", "subnet-11111111", "subnet-22222222"), "ClientException", "Invalid VPC ID. The subnet subnet-11111111 is in vpc-11111111"},
		"one subnet":     {in("vpc-11111111", "subnet-11111111"), "InvalidParameterException", "Invalid subnet ID(s). They must correspond"},
		"one zone":       {in("vpc-11111111", "subnet-11111111", "subnet-33333333"), "ClientException", "The two subnets must be in different Availability Zones."},
	} {
		_, err := s.DS().CreateDirectory(t.Context(), c.in)
		dstest.WantError(t, dsapi.CreateDirectory.Info, err, c.code)
		if err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	good := in("vpc-11111111", "subnet-11111111", "subnet-22222222").VpcSettings
	connect := dstest.ConnectInput()
	connect.ConnectSettings.VpcId, connect.ConnectSettings.SubnetIds = good.VpcId, good.SubnetIds
	connected, err := s.DS().ConnectDirectory(t.Context(), connect)
	if err != nil {
		t.Fatal(err)
	}
	at := describeOne(t, s, *connected.DirectoryId).ConnectSettings
	if !slices.Equal(at.ConnectIps, []string{"10.7.1.2", "10.7.2.3"}) || !slices.Equal(at.AvailabilityZones, []string{"us-east-1a", "us-east-1b"}) {
		t.Errorf("%+v", at)
	}
	microsoft := dstest.MicrosoftADInput()
	microsoft.VpcSettings = good
	if _, err := s.DS().CreateMicrosoftAD(t.Context(), microsoft); err != nil {
		t.Error(err)
	}
	s.Create(t) // in the installation's own network, which the EC2 does not know

	ways.Keep(true)
	if _, err := s.DS().CreateDirectory(t.Context(), in("vpc-466844", good.SubnetIds...)); err != nil {
		t.Errorf("subnets of another VPC, by moto: %v", err)
	}
}

// TestNobodyToAsk: where the EC2 says nothing, ids are taken as they are.
func TestNobodyToAsk(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	at, err := url.Parse(gone.URL)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := inBothWays(t, looking(at))
	in := dstest.CreateInput()
	in.VpcSettings = &types.DirectoryVpcSettings{VpcId: aws.String("vpc-12345678"), SubnetIds: []string{"subnet-12345678", "subnet-87654321"}}
	for range 2 {
		if _, err := s.DS().CreateDirectory(t.Context(), in); err != nil {
			t.Error(err)
		}
		gone.Close()
	}
}

// TestWordsOfMoto asks for something wrong through the whole service.
func TestWordsOfMoto(t *testing.T) {
	t.Parallel()
	s, ways := inBothWays(t)
	ask := func() error {
		_, err := s.DS().DescribeDirectories(t.Context(), &directoryservice.DescribeDirectoriesInput{DirectoryIds: []string{"foo"}})
		dstest.WantError(t, dsapi.DescribeDirectories.Info, err, "ValidationException")
		return err
	}
	if err := ask(); !strings.Contains(err.Error(), "'directoryIds.1.member'") {
		t.Error(err)
	}
	ways.Keep(true)
	if err := ask(); !strings.Contains(err.Error(), "Value 'foo' at 'directoryId' failed to satisfy constraint: Member must satisfy regular expression pattern: ^d-[0-9a-f]{10}$") {
		t.Error(err)
	}
}

// TestWhatWasFoundIsNoted: a journal can tell what a request found, and have it find the same again.
func TestWhatWasFoundIsNoted(t *testing.T) {
	t.Parallel()
	networks := &operation.Networks{EC2: ec2.New(theirs(t), http.DefaultTransport, "X-Passed"), Log: slog.New(slog.DiscardHandler)}
	for name, c := range map[string]struct {
		vpc     string
		subnets []string
	}{
		"there":     {"vpc-11111111", []string{"subnet-11111111", "subnet-22222222"}},
		"no VPC":    {"vpc-12345678", []string{"subnet-11111111", "subnet-22222222"}},
		"no subnet": {"vpc-11111111", []string{"subnet-11111111", "subnet-44444444"}},
		"not asked": {"vpc-11111111", []string{"subnet-11111111"}},
	} {
		var looked operation.Looked
		found, err := networks.Look(operation.WithLooked(t.Context(), &looked), c.vpc, c.subnets)
		looked.Again = true
		var nobody *operation.Networks
		again, errAgain := nobody.Look(operation.WithLooked(t.Context(), &looked), c.vpc, c.subnets)
		if !slices.Equal(found, again) || fmt.Sprint(err) != fmt.Sprint(errAgain) || (name == "there") != (len(found) == 2) {
			t.Errorf("%s: %v, %v, and then %v, %v", name, found, err, again, errAgain)
		}
	}
}
