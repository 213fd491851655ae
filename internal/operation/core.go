// Package operation is the API in Carrel's own words: one method per operation, named
// exactly like it, typed input to typed output. A method looks things up, checks,
// changes them in one transaction together with the job that the change asks for, and
// answers. What all operations share stands in the adapter: see Bind.
//
// The 91 operations of WorkSpaces are here, in a file per resource; those of Directory
// Service, its data API, STS and the tagging API are in the folders below. It imports the generated
// API, the domain, the store and the directories. It never imports compute: an
// operation records what is wanted, and jobs make it so. operations.go is the table.
package operation

import (
	"context"

	"carrel/internal/api"
	"carrel/internal/clock"
	"carrel/internal/directory"
	"carrel/internal/moto"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Core is what every operation works with.
type Core struct {
	Store        *store.Store
	Clock        *clock.Clock
	Limits       workspaces.Limits
	Bundles      []workspaces.Bundle // the public catalogue
	Directories  directory.Directories
	Applications []workspaces.Application // what can be installed in WorkSpaces
	Encryption   bool                     // the engine can make encrypted volumes

	Installation string                   // tells this installation's images in the engine from those of others
	ImageSources []workspaces.ImageSource // what images can be imported from

	SecurityGroups []string // the ids of those that desktops can have

	// For test suites that bring their own.
	AnySubnet        bool       // any well-formed network id will do
	DedicatedTenancy bool       // every account counts as enabled for bring your own license
	AnyImageSource   bool       // any id names a source, which is the public image
	AnySecurityGroup bool       // any well-formed id will do
	Networks         *Networks  // where their networks are looked up; nil: nowhere
	Ways             *moto.Ways // moto's, while a suite of its is served; nil: never

	room room
}

// Scope returns the partition that the caller works in.
func Scope(ctx context.Context) workspaces.Scope {
	caller := api.CallerFrom(ctx)
	return workspaces.Scope{Account: caller.Account, Region: caller.Region}
}

// Subnet returns the network with the id in the caller's region. With AnySubnet a network
// that does not exist is made, in an Update, and one of another region is in all of them.
func (c *Core) Subnet(ctx context.Context, tx *store.Tx, id string) (workspaces.Subnet, error) {
	region := api.CallerFrom(ctx).Region
	subnet, found, err := tx.Subnet(ctx, id)
	if err != nil || found && subnet.Region == region {
		return subnet, err
	}
	if c.AnySubnet && found {
		return subnet.Moved(region), nil
	}
	if !c.AnySubnet {
		return subnet, workspaces.Errorf(workspaces.CodeInvalidParameter,
			"The subnet %s does not exist in %s; carrel network list shows those that do.", id, region).About(id)
	}
	all, err := tx.Subnets(ctx)
	if err != nil {
		return subnet, err
	}
	subnet = workspaces.MadeUpSubnet(id, region, len(all))
	return subnet, tx.PutSubnet(ctx, subnet)
}
