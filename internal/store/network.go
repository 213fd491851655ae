package store

import (
	"context"
	"net/netip"

	"carrel/internal/workspaces"
)

const subnetColumns = "id, vpc_id, region, zone, prefix, gateway, engine_network, internet"

// PutSubnet adds a subnet, or changes what the administrator declared of it before.
func (t *Tx) PutSubnet(ctx context.Context, s workspaces.Subnet) error {
	return t.exec(ctx, "INSERT INTO subnet ("+subnetColumns+", last_offset) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)"+
		" ON CONFLICT (id) DO UPDATE SET vpc_id = excluded.vpc_id, region = excluded.region, zone = excluded.zone,"+
		" prefix = excluded.prefix, gateway = excluded.gateway, engine_network = excluded.engine_network,"+
		" internet = excluded.internet",
		s.ID, s.VPCID, s.Region, s.Zone, s.Prefix.String(), s.Gateway.String(), s.EngineNetwork, s.Internet)
}

// PutSubnetsAlone makes these the only subnets of an installation in which nothing is yet.
func (t *Tx) PutSubnetsAlone(ctx context.Context, subnets []workspaces.Subnet) error {
	if err := t.exec(ctx, "DELETE FROM subnet"); err != nil {
		return err
	}
	for _, s := range subnets {
		if err := t.PutSubnet(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// Subnets returns all subnets of the installation, by region and zone.
func (t *Tx) Subnets(ctx context.Context) ([]workspaces.Subnet, error) {
	return list(ctx, t, scanSubnet, "SELECT "+subnetColumns+" FROM subnet ORDER BY region, zone, id")
}

// Subnet returns the subnet with the id; found is false where there is none.
func (t *Tx) Subnet(ctx context.Context, id string) (s workspaces.Subnet, found bool, err error) {
	return one(ctx, t, scanSubnet, "SELECT "+subnetColumns+" FROM subnet WHERE id = $1", id)
}

func scanSubnet(row scanner) (s workspaces.Subnet, err error) {
	var prefix, gateway string
	if err := row.Scan(&s.ID, &s.VPCID, &s.Region, &s.Zone, &prefix, &gateway, &s.EngineNetwork, &s.Internet); err != nil {
		return s, err
	}
	if s.Prefix, err = netip.ParsePrefix(prefix); err != nil {
		return s, err
	}
	s.Gateway, err = netip.ParseAddr(gateway)
	return s, err
}

// TakeAddresses finds up to n free addresses of a subnet and returns their offsets. They
// are taken once WorkSpaces with them are inserted. The search goes on where the last one
// ended, so that an address rests as long as it can before it is used again.
func (t *Tx) TakeAddresses(ctx context.Context, s workspaces.Subnet, n int) ([]int64, error) {
	var last int64
	if err := t.row(ctx, "SELECT last_offset FROM subnet WHERE id = $1", s.ID).Scan(&last); err != nil {
		return nil, err
	}
	first, end := s.Hosts()
	free, err := t.freeAddresses(ctx, s, max(last+1, first), end, n)
	if err == nil && len(free) < n {
		var more []int64
		more, err = t.freeAddresses(ctx, s, first, min(last, end), n-len(free))
		free = append(free, more...)
	}
	if err != nil || len(free) == 0 {
		return nil, err
	}
	return free, t.exec(ctx, "UPDATE subnet SET last_offset = $1 WHERE id = $2", free[len(free)-1], s.ID)
}

// FreeAddress finds the first free address of a subnet from the n'th on, and around its end; n may be any
// number from 0 on. It is not where the next search of TakeAddresses begins. found is false where none is free.
func (t *Tx) FreeAddress(ctx context.Context, s workspaces.Subnet, n int64) (offset int64, found bool, err error) {
	first, end := s.Hosts()
	from := first + n%max(end-first+1, 1)
	free, err := t.freeAddresses(ctx, s, from, end, 1)
	if err == nil && len(free) == 0 {
		free, err = t.freeAddresses(ctx, s, first, from-1, 1)
	}
	if err != nil || len(free) == 0 {
		return 0, false, err
	}
	return free[0], true, nil
}

// takenAddresses are the offsets that WorkSpaces have, or hold until a rebuild has succeeded, and
// that desktops of pools have.
const takenAddresses = "SELECT address_offset FROM workspace WHERE subnet_id = $1 AND subnet_id <> '' AND address_offset >= $2 AND address_offset <= $3" +
	" UNION ALL SELECT held_offset FROM workspace WHERE subnet_id = $1 AND held_offset > 0 AND held_offset >= $2 AND held_offset <= $3" +
	" UNION ALL SELECT address_offset FROM pool_desktop WHERE subnet_id = $1 AND address_offset >= $2 AND address_offset <= $3" +
	" ORDER BY 1 LIMIT $4"

// freeAddresses returns the first n offsets from first to end that no WorkSpace has.
func (t *Tx) freeAddresses(ctx context.Context, s workspaces.Subnet, first, end int64, n int) ([]int64, error) {
	var free []int64
	next := first
	for limit := n; next <= end && len(free) < n; limit *= 2 {
		// As many taken ones as free ones are wanted: enough unless the subnet is crowded,
		// and then the loop goes on behind them, in longer and longer steps.
		taken, err := list(ctx, t, func(row scanner) (offset int64, err error) { return offset, row.Scan(&offset) },
			takenAddresses, s.ID, next, end, limit)
		if err != nil {
			return nil, err
		}
		for _, offset := range taken {
			for ; next < offset && len(free) < n; next++ {
				free = append(free, next)
			}
			next = max(next, offset+1)
		}
		if len(taken) < limit {
			for ; next <= end && len(free) < n; next++ {
				free = append(free, next)
			}
			break
		}
	}
	return free, nil
}
