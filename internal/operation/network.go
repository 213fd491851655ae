package operation

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"carrel/internal/api"
	"carrel/internal/forward/ec2"
	"carrel/internal/workspaces"
)

// Networks looks the networks of a test suite up in the EC2 that it makes them in. A nil one takes any ids.
type Networks struct {
	EC2 *ec2.Client
	Own []string // the VPCs of the installation, which no EC2 knows
	Log *slog.Logger
}

// unseenKey marks contexts in which nothing is looked up.
type unseenKey struct{}

// WithoutLooking returns a context in which networks are not looked up, for requests that are repeated when those they
// were made with may be gone.
func WithoutLooking(ctx context.Context) context.Context {
	return context.WithValue(ctx, unseenKey{}, true)
}

// Look returns the two subnets that a directory is to be in, none where any will do: nobody is to be asked, or does not
// answer, or not in a way that can be understood. Errors: CodeInvalidParameter and CodeUnsupportedConfig, for networks
// that do not exist.
func (n *Networks) Look(ctx context.Context, vpcID string, subnetIDs []string) ([]workspaces.Subnet, error) {
	if n == nil || len(subnetIDs) != 2 || slices.Contains(n.Own, vpcID) || ctx.Value(unseenKey{}) != nil {
		return nil, nil
	}
	caller := api.CallerFrom(ctx)
	found, err := n.EC2.Look(ctx, ec2.Caller{AccessKeyID: caller.AccessKeyID, Region: caller.Region}, vpcID, subnetIDs)
	switch {
	case errors.Is(err, ec2.ErrNoSubnet):
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter,
			"Invalid subnet ID(s). They must correspond to two subnets in different Availability Zones.")
	case errors.Is(err, ec2.ErrNoVPC):
		return nil, workspaces.Errorf(workspaces.CodeUnsupportedConfig, "Invalid VPC ID.")
	case err != nil:
		n.Log.WarnContext(ctx, "the EC2 that requests are passed on to says nothing of a directory's networks, which are taken as they are",
			"vpc", vpcID, "error", err)
		return nil, nil
	}
	subnets := make([]workspaces.Subnet, len(found))
	for i, s := range found {
		subnets[i] = workspaces.Subnet{
			ID: s.ID, VPCID: s.VPCID, Region: caller.Region, Zone: s.Zone, Prefix: s.Prefix, Gateway: s.Prefix.Addr().Next(),
		}
	}
	return subnets, nil
}
