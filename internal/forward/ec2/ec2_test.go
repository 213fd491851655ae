package ec2_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/internal/forward/ec2"
)

const (
	subnets = `<DescribeSubnetsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><subnetSet>
		<item><subnetId>subnet-2</subnetId><vpcId>vpc-1</vpcId><availabilityZone>us-east-1b</availabilityZone><cidrBlock>10.0.1.0/24</cidrBlock></item>
		<item><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId><availabilityZone>us-east-1a</availabilityZone><cidrBlock>10.0.0.7/24</cidrBlock></item>
		</subnetSet></DescribeSubnetsResponse>`
	vpcs = `<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId></item></vpcSet></DescribeVpcsResponse>`
)

func refusal(code string) string {
	return "<Response><Errors><Error><Code>" + code + "</Code><Message>m</Message></Error></Errors></Response>"
}

// endpoint answers the two calls; a reply that begins with a refusal has the status 400.
func endpoint(t *testing.T, subnets, vpcs string) (*ec2.Client, *[]string) {
	t.Helper()
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // as far as it comes
		asked = append(asked, r.URL.Path+" "+string(body)+" "+r.Header.Get("X-Passed")+" "+r.Header.Get("Authorization"))
		reply := vpcs
		if strings.Contains(string(body), "Action=DescribeSubnets") {
			reply = subnets
		}
		if strings.HasPrefix(reply, "<Response>") {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = io.WriteString(w, reply) // the client has gone
	}))
	t.Cleanup(s.Close)
	to, err := url.Parse(s.URL + "/aws")
	if err != nil {
		t.Fatal(err)
	}
	return ec2.New(to, http.DefaultTransport, "X-Passed"), &asked
}

func caller() ec2.Caller { return ec2.Caller{AccessKeyID: "testing", Region: "us-east-1"} }

func TestLook(t *testing.T) {
	t.Parallel()
	c, asked := endpoint(t, subnets, vpcs)
	got, err := c.Look(t.Context(), caller(), "vpc-1", []string{"subnet-1", "subnet-2"})
	want := []ec2.Subnet{
		{ID: "subnet-1", VPCID: "vpc-1", Zone: "us-east-1a", Prefix: netip.MustParsePrefix("10.0.0.0/24")},
		{ID: "subnet-2", VPCID: "vpc-1", Zone: "us-east-1b", Prefix: netip.MustParsePrefix("10.0.1.0/24")},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if len(*asked) != 2 || !strings.HasPrefix((*asked)[0], "/aws/ Action=DescribeSubnets&SubnetId.1=subnet-1&SubnetId.2=subnet-2&Version=2016-11-15 1 ") ||
		!strings.Contains((*asked)[0], " Credential=testing/") || !strings.Contains((*asked)[1], "/us-east-1/ec2/aws4_request") {
		t.Errorf("%q", *asked)
	}
}

// TestNothingToBeSaid: what is not there is told from what nobody knows.
func TestNothingToBeSaid(t *testing.T) {
	t.Parallel()
	none := errors.New("anything else")
	for name, c := range map[string]struct {
		subnets, vpcs string
		want          error
	}{
		"no such subnet":          {refusal("InvalidSubnetID.NotFound"), vpcs, ec2.ErrNoSubnet},
		"no subnet's id":          {refusal("InvalidSubnetId.Malformed"), vpcs, ec2.ErrNoSubnet},
		"another's subnets":       {strings.ReplaceAll(subnets, "subnet-1", "subnet-3"), vpcs, ec2.ErrNoSubnet},
		"no such VPC":             {subnets, refusal("InvalidVpcID.NotFound"), ec2.ErrNoVPC},
		"another's VPC":           {subnets, strings.ReplaceAll(vpcs, "vpc-1", "vpc-2"), ec2.ErrNoVPC},
		"a signature refused":     {refusal("AuthFailure"), vpcs, none},
		"VPCs refused":            {subnets, refusal("UnauthorizedOperation"), none},
		"no XML":                  {"{}", vpcs, none},
		"another reply":           {vpcs, vpcs, none},
		"another reply for VPCs":  {subnets, subnets, none},
		"nonsense for addresses":  {strings.ReplaceAll(subnets, "10.0.0.7/24", "10"), vpcs, none},
		"addresses of another IP": {strings.ReplaceAll(subnets, "10.0.0.7/24", "fd00::/64"), vpcs, none},
		"no room":                 {strings.ReplaceAll(subnets, "10.0.0.7/24", "10.0.0.0/30"), vpcs, none},
		"nothing":                 {"", "", none},
	} {
		client, _ := endpoint(t, c.subnets, c.vpcs)
		_, err := client.Look(t.Context(), caller(), "vpc-1", []string{"subnet-1", "subnet-2"})
		known := errors.Is(err, ec2.ErrNoSubnet) || errors.Is(err, ec2.ErrNoVPC)
		if wants := !errors.Is(c.want, none); err == nil || known != wants || known && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNobodyAnswers: an endpoint that is silent is not waited for.
func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	silent := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-silent }))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(silent) })
	to, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err = ec2.New(to, http.DefaultTransport, "X-Passed").Look(t.Context(), caller(), "vpc-1", []string{"subnet-1"})
	if err == nil || errors.Is(err, ec2.ErrNoSubnet) || time.Since(began) > 20*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
}
