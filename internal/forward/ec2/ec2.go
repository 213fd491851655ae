// Package ec2 asks the EC2 of the endpoint that requests for other services are passed on to about the networks that a
// client made there. It speaks the two calls that it needs, signed by the SDK's signer, and reads no more of the replies
// than that. It imports the standard library and that signer. Start at Client.Look.
package ec2

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// What EC2 says of networks that are not there.
var (
	ErrNoSubnet = errors.New("ec2: there is no such subnet")
	ErrNoVPC    = errors.New("ec2: there is no such VPC")
)

const (
	patience = 2 * time.Second // with both calls
	mostRead = 1 << 20         // of a reply
	smallest = 28              // bits of a subnet's prefix. Source: CreateSubnet
)

// Client asks an endpoint. It is safe for concurrent use.
type Client struct {
	endpoint *url.URL
	header   string
	http     *http.Client
}

// New returns a client of the endpoint, by whose own means it is reached. Requests have the header, as those have that are
// passed on, so that one which comes back is found out.
func New(endpoint *url.URL, transport http.RoundTripper, header string) *Client {
	return &Client{endpoint: endpoint, header: header, http: &http.Client{Transport: transport}}
}

// Caller is in whose name EC2 is asked. The secret of a key is not known where any key is accepted, and so an endpoint that
// checks signatures refuses.
type Caller struct {
	AccessKeyID string
	Region      string
}

// Subnet is one that there is.
type Subnet struct {
	ID     string
	VPCID  string
	Zone   string
	Prefix netip.Prefix
}

// Look returns the subnets with the ids, in their order, once they and the VPC are found. Errors: ErrNoSubnet, ErrNoVPC;
// any other says that nothing can be said, such as that nobody answers within two seconds.
func (c *Client) Look(ctx context.Context, who Caller, vpcID string, subnetIDs []string) ([]Subnet, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	query := url.Values{"Action": {"DescribeSubnets"}}
	for i, id := range subnetIDs {
		query.Set("SubnetId."+strconv.Itoa(i+1), id)
	}
	var found answer
	if err := c.ask(ctx, who, query, &found); err != nil {
		return nil, err
	}
	if found.XMLName.Local != "DescribeSubnetsResponse" {
		return nil, fmt.Errorf("ec2: DescribeSubnets is answered with %q", found.XMLName.Local)
	}
	subnets := make([]Subnet, len(subnetIDs))
	for i, id := range subnetIDs {
		at := slices.IndexFunc(found.Subnets, func(s subnet) bool { return s.ID == id })
		if at < 0 {
			return nil, ErrNoSubnet
		}
		prefix, err := netip.ParsePrefix(found.Subnets[at].Prefix)
		if err != nil || !prefix.Addr().Is4() || prefix.Bits() > smallest {
			return nil, fmt.Errorf("ec2: the subnet %s has the addresses %q", id, found.Subnets[at].Prefix)
		}
		subnets[i] = Subnet{ID: id, VPCID: found.Subnets[at].VPCID, Zone: found.Subnets[at].Zone, Prefix: prefix.Masked()}
	}
	found = answer{}
	if err := c.ask(ctx, who, url.Values{"Action": {"DescribeVpcs"}, "VpcId.1": {vpcID}}, &found); err != nil {
		return nil, err
	}
	if found.XMLName.Local != "DescribeVpcsResponse" {
		return nil, fmt.Errorf("ec2: DescribeVpcs is answered with %q", found.XMLName.Local)
	}
	if !slices.Contains(found.VPCIDs, vpcID) {
		return nil, ErrNoVPC
	}
	return subnets, nil
}

// answer is what is read of a reply, whichever it is.
type answer struct {
	XMLName xml.Name
	Subnets []subnet `xml:"subnetSet>item"`
	VPCIDs  []string `xml:"vpcSet>item>vpcId"`
	Code    string   `xml:"Errors>Error>Code"`
}

type subnet struct {
	ID     string `xml:"subnetId"`
	VPCID  string `xml:"vpcId"`
	Zone   string `xml:"availabilityZone"`
	Prefix string `xml:"cidrBlock"`
}

// ask makes one call.
func (c *Client) ask(ctx context.Context, who Caller, query url.Values, into *answer) error {
	query.Set("Version", "2016-11-15")
	body := query.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint.JoinPath("/").String(), strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set(c.header, "1")
	sum := sha256.Sum256([]byte(body))
	key := aws.Credentials{AccessKeyID: who.AccessKeyID, SecretAccessKey: "unknown"}
	now := time.Now() //nolint:forbidigo // another server's clock is not moved with the service's
	if err := v4.NewSigner().SignHTTP(ctx, key, r, hex.EncodeToString(sum[:]), "ec2", who.Region, now); err != nil {
		return err
	}
	reply, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(io.LimitReader(reply.Body, mostRead))
	if err != nil {
		return err
	}
	if err := xml.Unmarshal(text, into); err != nil {
		return fmt.Errorf("ec2: %s is answered with %s and no XML: %w", query.Get("Action"), reply.Status, err)
	}
	switch code := into.Code; {
	case strings.HasPrefix(code, "InvalidSubnetID."), strings.HasPrefix(code, "InvalidSubnetId."):
		return ErrNoSubnet
	case strings.HasPrefix(code, "InvalidVpcID."), strings.HasPrefix(code, "InvalidVpcId."):
		return ErrNoVPC
	case code != "" || reply.StatusCode != http.StatusOK:
		return fmt.Errorf("ec2: %s is answered with %s %s", query.Get("Action"), reply.Status, code)
	}
	return nil
}
