package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"carrel/internal/store"
)

func newRegion(s *shared) *cobra.Command {
	cmd := group("region", "Say which regions are down, so that users get their standby WorkSpaces",
		"  carrel region down us-east-1", newRegionList(s), newRegionMark(s, "down"), newRegionMark(s, "up"))
	cmd.Long = "Say which regions are down. Whoever signs in under the host name of a connection alias is led to the next region\n" +
		"while the first is down, and can open a standby WorkSpace of theirs. These commands work on the database, whether or\n" +
		"not a server runs."
	return cmd
}

// listedRegion is a region as region list prints it.
type listedRegion struct {
	Name      string     `json:"region"`
	Subnets   int        `json:"subnets"`
	DownSince *time.Time `json:"down_since,omitempty"`
}

func newRegionList(s *shared) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the regions that have networks, and which are down",
		Example: "  carrel region list\n  carrel region list --output json",
		Args:    cobra.NoArgs,
	}
	output := outputFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		regions, err := s.regions(cmd.Context())
		if err != nil {
			return err
		}
		return printList(s.Out, *output, regions, []string{"REGION", "SUBNETS", "STATE"}, func(r listedRegion) []string {
			state := "up"
			if r.DownSince != nil {
				state = "down since " + r.DownSince.Local().Format(time.DateTime)
			}
			return []string{r.Name, fmt.Sprint(r.Subnets), state}
		})
	}
	return cmd
}

// regions are those that have networks, and those that somebody has said are down, by name.
func (s *shared) regions(ctx context.Context) (regions []listedRegion, err error) {
	err = s.withStore(ctx, func(db *store.Store) error {
		return db.View(func(tx *store.Tx) error {
			regions, err = regionsOf(ctx, tx)
			return err
		})
	})
	return regions, err
}

func regionsOf(ctx context.Context, tx *store.Tx) (regions []listedRegion, err error) {
	subnets, err := tx.Subnets(ctx)
	if err != nil {
		return nil, err
	}
	down, err := tx.RegionsDown(ctx)
	at := func(name string) *listedRegion {
		i := slices.IndexFunc(regions, func(r listedRegion) bool { return r.Name == name })
		if i < 0 {
			regions, i = append(regions, listedRegion{Name: name}), len(regions)
		}
		return &regions[i]
	}
	for _, n := range subnets {
		at(n.Region).Subnets++
	}
	for _, r := range down {
		at(r.Name).DownSince = &r.Since
	}
	slices.SortFunc(regions, func(a, b listedRegion) int { return cmp.Compare(a.Name, b.Name) })
	return regions, err
}

// newRegionMark is the command that says that a region is what the word says.
func newRegionMark(s *shared, word string) *cobra.Command {
	short := "Say that a region is down: nobody works there any more, and standby WorkSpaces elsewhere let their users in"
	if word == "up" {
		short = "Say that a region is up again"
	}
	return &cobra.Command{
		Use:               word + " REGION",
		Short:             short,
		Example:           "  carrel region " + word + " us-east-1",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeArgs(s.regionNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.withStore(cmd.Context(), func(db *store.Store) error { return s.markRegion(cmd.Context(), db, args[0], word) })
		},
	}
}

func (s *shared) markRegion(ctx context.Context, db *store.Store, name, word string) error {
	return db.Update(ctx, func(tx *store.Tx) error {
		regions, err := regionsOf(ctx, tx)
		if err != nil {
			return err
		}
		names := make([]string, len(regions))
		for i, r := range regions {
			names[i] = r.Name
		}
		switch {
		case !slices.Contains(names, name):
			return fmt.Errorf("this installation has no networks in %s; it has them in %s", name, strings.Join(names, ", "))
		case word == "up":
			return tx.DeleteRegionDown(ctx, name)
		default:
			return tx.PutRegionDown(ctx, name, s.clock.Now())
		}
	})
}

// regionNames are the regions that a shell can offer.
func (s *shared) regionNames(ctx context.Context) (names []string, err error) {
	regions, err := s.regions(ctx)
	for _, r := range regions {
		names = append(names, r.Name)
	}
	return names, err
}
