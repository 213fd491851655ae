package store_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

func subnet(prefix string) workspaces.Subnet {
	p := netip.MustParsePrefix(prefix)
	return workspaces.Subnet{
		ID: "subnet-1", VPCID: "vpc-1", Region: here.Region, Zone: here.Region + "a", Prefix: p, Gateway: p.Addr().Next(), EngineNetwork: "br0", Internet: workspaces.InternetAlways,
	}
}

func TestSubnets(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		a, b := subnet("10.0.0.0/16"), subnet("10.1.0.0/24")
		b.ID, b.Zone = "subnet-2", here.Region+"b"
		for _, n := range []workspaces.Subnet{b, a} {
			update(t, s, func(tx *store.Tx) error { return tx.PutSubnet(ctx, n) })
		}
		equal(t, read(t, s, func(tx *store.Tx) ([]workspaces.Subnet, error) { return tx.Subnets(ctx) }), []workspaces.Subnet{a, b})
		a.Prefix, a.Gateway, a.EngineNetwork = netip.MustParsePrefix("10.9.0.0/20"), netip.MustParseAddr("10.9.0.1"), ""
		a.Internet = workspaces.InternetEnabled
		update(t, s, func(tx *store.Tx) error { return tx.PutSubnet(ctx, a) })
		equal(t, read(t, s, func(tx *store.Tx) (workspaces.Subnet, error) { return found(tx.Subnet(ctx, a.ID)) }), a)
		if _, ok, err := read3(s, func(tx *store.Tx) (workspaces.Subnet, bool, error) { return tx.Subnet(ctx, "subnet-3") }); ok || err != nil {
			t.Error(ok, err)
		}
	})
}

// TestAddresses gives out all of a small subnet, takes some back, and goes round.
func TestSubnetsAlone(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		subnet := func(id string) workspaces.Subnet {
			return workspaces.Subnet{
				ID: id, VPCID: "vpc-1", Region: "us-east-1", Zone: "us-east-1a", Prefix: netip.MustParsePrefix("10.0.0.0/16"),
				Gateway: netip.MustParseAddr("10.0.0.1"),
			}
		}
		var got []workspaces.Subnet
		err := s.Update(t.Context(), func(tx *store.Tx) (err error) {
			err = errors.Join(
				tx.PutSubnet(t.Context(), subnet("subnet-1")),
				tx.PutSubnetsAlone(t.Context(), []workspaces.Subnet{subnet("subnet-2"), subnet("subnet-3")}),
			)
			if err == nil {
				got, err = tx.Subnets(t.Context())
			}
			return err
		})
		if err != nil || len(got) != 2 || got[0] != subnet("subnet-2") {
			t.Errorf("got %v, %v", got, err)
		}
	})
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		net := subnet("10.0.0.0/27")
		first, last := net.Hosts()
		all := int(last - first + 1)
		update(t, s, func(tx *store.Tx) error { return tx.PutSubnet(ctx, net) })
		made := 0
		take := func(n int) (offsets []int64) {
			update(t, s, func(tx *store.Tx) (err error) {
				if offsets, err = tx.TakeAddresses(ctx, net, n); err != nil {
					return err
				}
				for _, offset := range offsets {
					made++
					w := workSpace(fmt.Sprintf("ws-%d", made))
					w.SubnetID, w.AddressOffset = net.ID, offset
					if err := tx.InsertWorkSpace(ctx, w); err != nil {
						return err
					}
				}
				return nil
			})
			return offsets
		}
		release := func(offsets ...int64) {
			update(t, s, func(tx *store.Tx) error {
				page, err := tx.WorkSpaces(ctx, store.WorkSpaceFilter{Scope: here})
				for _, w := range page.WorkSpaces {
					if err != nil || !slices.Contains(offsets, w.AddressOffset) {
						continue
					}
					_, err = tx.DeleteWorkSpace(ctx, w.Ref())
				}
				return err
			})
		}
		equal(t, take(3), []int64{first, first + 1, first + 2})
		release(first + 1)
		equal(t, take(2), []int64{first + 3, first + 4}) // what was released rests
		rest := take(1000)                               // all there are, round the end
		equal(t, len(rest), all-4)
		equal(t, rest[len(rest)-1], first+1)
		equal(t, len(take(1)), 0)
		release(last, first+7)
		equal(t, take(1), []int64{first + 7})
		equal(t, take(5), []int64{last})
		equal(t, len(take(5)), 0)

		// One that is rebuilt has two, until it has succeeded.
		held := workSpace("ws-held")
		held.SubnetID, held.AddressOffset, held.HeldOffset = net.ID, first+7, last
		release(first+7, last)
		update(t, s, func(tx *store.Tx) error { return tx.InsertWorkSpace(ctx, held) })
		equal(t, len(take(5)), 0)
		release(first + 7)
		equal(t, take(5), []int64{first + 7, last})
	})
}

// read3 is a View of a thing that need not be there.
func read3[T any](s *store.Store, f func(tx *store.Tx) (T, bool, error)) (v T, ok bool, err error) {
	err = s.View(func(tx *store.Tx) (err error) {
		v, ok, err = f(tx)
		return err
	})
	return v, ok, err
}

// TestFreeAddress looks from anywhere, round the end, and does not move where the next search begins.
func TestFreeAddress(t *testing.T) {
	t.Parallel()
	onEach(t, func(t *testing.T, s *store.Store) {
		ctx, n := t.Context(), subnet("10.0.0.0/28")
		first, last := n.Hosts()
		update(t, s, func(tx *store.Tx) error { return tx.PutSubnet(ctx, n) })
		take := func(from int64) (offset int64, found bool) {
			t.Helper()
			update(t, s, func(tx *store.Tx) (err error) {
				if offset, found, err = tx.FreeAddress(ctx, n, from); err != nil || !found {
					return err
				}
				return tx.InsertPoolDesktop(ctx, &workspaces.PoolDesktop{
					Scope: here, ID: fmt.Sprint("pd-", offset), SubnetID: n.ID, AddressOffset: offset,
				})
			})
			return offset, found
		}
		size := last - first + 1
		for _, c := range []struct{ from, want int64 }{
			{3, first + 3}, {3, first + 4}, {size - 1, last}, {size - 1, first}, {2*size + 1, first + 1}, {3*size + 2, first + 2},
		} {
			if got, found := take(c.from); !found || got != c.want {
				t.Errorf("from %d: got %d, %v, want %d", c.from, got, found, c.want)
			}
		}
		for range size - 6 {
			if _, found := take(7); !found {
				t.Error("there is an address left")
			}
		}
		if got, found := take(7); found {
			t.Errorf("got %d of a full subnet", got)
		}
		update(t, s, func(tx *store.Tx) error {
			next, err := tx.TakeAddresses(ctx, subnet("10.0.0.0/27"), 1)
			equal(t, next, []int64{last + 1})
			return err
		})
	})
}
