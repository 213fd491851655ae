package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"carrel/internal/control"
)

func newNetwork(s *shared) *cobra.Command {
	return group("network", "Show the networks that desktops can be in", "  carrel network list", newNetworkList(s))
}

func newNetworkList(s *shared) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the VPCs and subnets of the installation",
		Long: "List the VPCs and subnets of the installation. One VPC with two subnets is made on first start; more are\n" +
			"declared in the configuration file, under networks (see carrel serve --help).",
		Example: "  carrel network list\n  carrel network list --output json",
		Args:    cobra.NoArgs,
	}
	output := outputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		r, err := s.remote()
		if err != nil {
			return err
		}
		networks, err := r.networks(cmd.Context())
		if err != nil {
			return err
		}
		return printList(s.Out, *output, networks, []string{"VPC", "SUBNET", "ZONE", "PREFIX", "GATEWAY", "INTERNET", "ENGINE NETWORK"},
			func(n control.Subnet) []string {
				return []string{n.VPCID, n.ID, n.Zone, n.Prefix, n.Gateway, n.Internet, n.EngineNetwork}
			})
	}
	return cmd
}

// networks are the subnets of the installation.
func (r *remote) networks(ctx context.Context) ([]control.Subnet, error) {
	body, err := r.get(ctx, "/_carrel/networks")
	if err != nil {
		return nil, err
	}
	var networks []control.Subnet
	if err := json.Unmarshal(body, &networks); err != nil {
		return nil, fmt.Errorf("%s/_carrel/networks: %w", r.endpoint, err)
	}
	return networks, nil
}
