package directoryservice

import (
	"context"
	"slices"

	"carrel/internal/api/ds"
	"carrel/internal/operation"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// CreateConditionalForwarder notes whom a Microsoft AD asks for the names of another domain.
func (s *Service) CreateConditionalForwarder(
	ctx context.Context, in *ds.CreateConditionalForwarderRequest,
) (*ds.CreateConditionalForwarderResult, error) {
	f := workspaces.ConditionalForwarder{Domain: value(in.RemoteDomainName), Addresses: slices.Concat(in.DnsIpAddrs, in.DnsIpv6Addrs)}
	return &ds.CreateConditionalForwarderResult{}, s.changeDetails(ctx, value(in.DirectoryId), func(d *workspaces.Directory) error {
		if err := checkForwards(d); err != nil {
			return err
		}
		if _, found := d.Forwarder(f.Domain); found {
			return workspaces.Errorf(workspaces.CodeAlreadyExists, "A conditional forwarder for %s already exists.", f.Domain).About(d.ID)
		}
		if err := workspaces.CheckForwarder(f); err != nil {
			return err
		}
		d.PutForwarder(f)
		return nil
	})
}

// UpdateConditionalForwarder names other name servers.
func (s *Service) UpdateConditionalForwarder(
	ctx context.Context, in *ds.UpdateConditionalForwarderRequest,
) (*ds.UpdateConditionalForwarderResult, error) {
	addresses := slices.Concat(in.DnsIpAddrs, in.DnsIpv6Addrs)
	return &ds.UpdateConditionalForwarderResult{}, s.changeDetails(ctx, value(in.DirectoryId), func(d *workspaces.Directory) error {
		if err := checkForwards(d); err != nil {
			return err
		}
		f, found := d.Forwarder(value(in.RemoteDomainName))
		if !found {
			return unknownForwarder(value(in.RemoteDomainName))
		}
		f.Addresses = addresses
		if err := workspaces.CheckForwarder(f); err != nil {
			return err
		}
		d.PutForwarder(f)
		return nil
	})
}

// DeleteConditionalForwarder forgets the name servers of a domain.
func (s *Service) DeleteConditionalForwarder(
	ctx context.Context, in *ds.DeleteConditionalForwarderRequest,
) (*ds.DeleteConditionalForwarderResult, error) {
	return &ds.DeleteConditionalForwarderResult{}, s.changeDetails(ctx, value(in.DirectoryId), func(d *workspaces.Directory) error {
		if err := checkForwards(d); err != nil {
			return err
		}
		if !d.DropForwarder(value(in.RemoteDomainName)) {
			return unknownForwarder(value(in.RemoteDomainName))
		}
		return nil
	})
}

// DescribeConditionalForwarders lists a directory's forwarders, or those for the domains, of
// which each must have one.
func (s *Service) DescribeConditionalForwarders(
	ctx context.Context, in *ds.DescribeConditionalForwardersRequest,
) (*ds.DescribeConditionalForwardersResult, error) {
	var found []workspaces.ConditionalForwarder
	err := s.core.Store.View(func(tx *store.Tx) error {
		d, err := find(ctx, tx, value(in.DirectoryId))
		if err != nil {
			return err
		}
		if err := checkForwards(d); err != nil {
			return err
		}
		found = d.Details.Forwarders
		if len(in.RemoteDomainNames) == 0 {
			return nil
		}
		found = nil
		for _, domain := range in.RemoteDomainNames {
			f, is := d.Forwarder(domain)
			if !is {
				return unknownForwarder(domain)
			}
			found = append(found, f)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &ds.DescribeConditionalForwardersResult{ConditionalForwarders: make([]ds.ConditionalForwarder, len(found))}
	for i, f := range found {
		out.ConditionalForwarders[i] = ds.ConditionalForwarder{
			RemoteDomainName: &f.Domain, DnsIpAddrs: f.Addresses, ReplicationScope: new(ds.ReplicationScopeDomain),
		}
	}
	return out, nil
}

// checkForwards refuses directories that have no forwarders.
func checkForwards(d *workspaces.Directory) error {
	if d.Type != workspaces.MicrosoftAD {
		return workspaces.Errorf(workspaces.CodeDirectoryType, "Conditional forwarders are not supported for a directory of the type %s.", d.Type).About(d.ID)
	}
	return nil
}

func unknownForwarder(domain string) error {
	return workspaces.Errorf(workspaces.CodeNotFound, "A conditional forwarder for %s does not exist.", domain)
}

// UpdateNumberOfDomainControllers says how many domain controllers a Microsoft AD has. They are a record.
func (s *Service) UpdateNumberOfDomainControllers(
	ctx context.Context, in *ds.UpdateNumberOfDomainControllersRequest,
) (*ds.UpdateNumberOfDomainControllersResult, error) {
	return &ds.UpdateNumberOfDomainControllersResult{}, s.changeDetails(ctx, value(in.DirectoryId), func(d *workspaces.Directory) error {
		return d.SetDomainControllers(int(value(in.DesiredNumber)))
	})
}

// controllerExceptions is the table of the operation on the number of domain controllers.
func controllerExceptions() operation.Exceptions {
	table := exceptions()
	table[workspaces.CodeLimitExceeded] = ds.DomainControllerLimitExceededException
	return table
}
