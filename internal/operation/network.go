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

// Looked is what became of looking for a directory's networks; zero where nobody was asked, or nothing was understood.
// A journal keeps it, for those networks may be gone when it is replayed.
type Looked struct {
	Subnets []workspaces.Subnet `json:"subnets,omitempty"` // in the order of the request
	Missing string              `json:"missing,omitempty"` // what is not there: subnet or vpc

	Again bool `json:"-"` // it was found in an earlier run, and nobody is to be asked
}

// What can be missing.
const (
	missingSubnet = "subnet"
	missingVPC    = "vpc"
)

// lookedKey finds a Looked in a context.
type lookedKey struct{}

// WithLooked returns a context whose request notes in l what it finds, or finds what is in l.
func WithLooked(ctx context.Context, l *Looked) context.Context {
	return context.WithValue(ctx, lookedKey{}, l)
}

// LookedFrom returns the Looked of a context, nil where it has none.
func LookedFrom(ctx context.Context) *Looked {
	l, _ := ctx.Value(lookedKey{}).(*Looked) // nil is the documented answer
	return l
}

// Look returns the two subnets that a directory is to be in, none where any will do: nobody is to be asked, or does not
// answer, or not in a way that can be understood. Errors: CodeInvalidParameter and CodeUnsupportedConfig, for networks
// that do not exist.
func (n *Networks) Look(ctx context.Context, vpcID string, subnetIDs []string) ([]workspaces.Subnet, error) {
	l := LookedFrom(ctx)
	if l == nil {
		l = new(Looked)
	}
	if !l.Again {
		*l = n.look(ctx, vpcID, subnetIDs)
	}
	switch l.Missing {
	case missingSubnet:
		return nil, workspaces.Errorf(workspaces.CodeInvalidParameter,
			"Invalid subnet ID(s). They must correspond to two subnets in different Availability Zones.")
	case missingVPC:
		return nil, workspaces.Errorf(workspaces.CodeUnsupportedConfig, "Invalid VPC ID.")
	default:
		return l.Subnets, nil
	}
}

// look asks.
func (n *Networks) look(ctx context.Context, vpcID string, subnetIDs []string) (l Looked) {
	if n == nil || len(subnetIDs) != 2 || slices.Contains(n.Own, vpcID) {
		return l
	}
	caller := api.CallerFrom(ctx)
	found, err := n.EC2.Look(ctx, ec2.Caller{AccessKeyID: caller.AccessKeyID, Region: caller.Region}, vpcID, subnetIDs)
	switch {
	case errors.Is(err, ec2.ErrNoSubnet):
		l.Missing = missingSubnet
	case errors.Is(err, ec2.ErrNoVPC):
		l.Missing = missingVPC
	case err != nil:
		n.Log.WarnContext(ctx, "the EC2 that requests are passed on to says nothing of a directory's networks, which are taken as they are",
			"vpc", vpcID, "error", err)
	}
	for _, s := range found {
		l.Subnets = append(l.Subnets, workspaces.Subnet{
			ID: s.ID, VPCID: s.VPCID, Region: caller.Region, Zone: s.Zone, Prefix: s.Prefix, Gateway: s.Prefix.Addr().Next(),
		})
	}
	return l
}
