package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"carrel/internal/compute"
)

// engineFlags declares the settings of serve that say which Incus is meant, for a command that
// asks it directly.
func (s *shared) engineFlags(cmd *cobra.Command, more ...string) {
	for _, name := range append([]string{"incus-socket", "incus-project", "incus-pool", "incus-encrypted-pool"}, more...) {
		cmd.Flags().AddFlag(s.known.Lookup(name))
	}
}

// incus describes Incus, also where no server runs.
func (s *shared) incus(ctx context.Context) (compute.About, error) {
	if s.Incus == nil {
		return compute.About{}, errors.New("this carrel was built without Incus")
	}
	about, err := s.Incus(ctx, &s.config)
	if errors.Is(err, compute.ErrUnavailable) {
		err = fmt.Errorf("%w; carrel doctor says how to get Incus", err)
	}
	return about, err
}

// engine describes the engine of the server.
func (r *remote) engine(ctx context.Context) (about compute.About, err error) {
	body, err := r.get(ctx, "/_carrel/engine")
	if err != nil {
		return about, err
	}
	if err := json.Unmarshal(body, &about); err != nil {
		return about, fmt.Errorf("%s/_carrel/engine: %w", r.endpoint, err)
	}
	return about, nil
}
