// Package installation is what one Carrel keeps beside its database: the data folder with
// the administrator's credentials, what clients on the same machine need to find the
// server, and the lock that keeps a second server away. It makes on first start what a
// new installation needs: an id, an account with a key, and a network.
// It imports the domain and the store.
package installation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// Folder is a data folder.
type Folder struct{ Path string }

// DefaultPath is the data folder of the user who asks: $XDG_STATE_HOME/carrel, or
// ~/.local/state/carrel.
func DefaultPath() string {
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "carrel")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return filepath.Join(os.TempDir(), "carrel")
	}
	return filepath.Join(home, ".local", "state", "carrel")
}

// Make makes the folder, readable by its owner only, where it does not exist.
func (f Folder) Make() error { return os.MkdirAll(f.Path, 0o700) }

// Database is the path of the SQLite file.
func (f Folder) Database() string { return filepath.Join(f.Path, "carrel.db") }

// Engine is the folder where the simulated engine keeps its machines.
func (f Folder) Engine() string { return filepath.Join(f.Path, "engine") }

// TLS is the folder with the installation's own certificates, and those from an ACME authority.
func (f Folder) TLS() string { return filepath.Join(f.Path, "tls") }

// Credentials is the path of the administrator's key, in the AWS credentials-file format.
func (f Folder) Credentials() string { return filepath.Join(f.Path, "credentials") }

// Lock keeps other servers away from the folder until the process ends. The kernel lets go
// of it however that happens.
func (f Folder) Lock() error {
	file, err := os.OpenFile(filepath.Join(f.Path, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	// The descriptor stays open: closing it would give up the lock.
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil { // a descriptor fits
		return fmt.Errorf("another carrel serve is using the data folder %s; stop it, or name another folder with --data", f.Path)
	}
	return nil
}

// Server is what clients on the same machine need to know of a server.
type Server struct {
	Endpoint  string   `json:"endpoint"` // e.g. http://127.0.0.1:8383
	Region    string   `json:"region"`
	Account   string   `json:"account"`
	VPCID     string   `json:"vpc_id"`
	SubnetIDs []string `json:"subnet_ids"`
	PID       int      `json:"pid"`
	Authority string   `json:"authority,omitempty"` // file with the certificate that clients have to trust
}

func (f Folder) server() string { return filepath.Join(f.Path, "server.json") }

// PutServer tells clients of the folder where the server is.
func (f Folder) PutServer(s Server) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return replace(f.server(), append(text, '\n'))
}

// Server returns what the folder's server last told of itself.
func (f Folder) Server() (s Server, err error) {
	text, err := os.ReadFile(f.server())
	if errors.Is(err, os.ErrNotExist) {
		return s, fmt.Errorf("no server has run with the data folder %s yet; start one with: carrel serve --data %s", f.Path, f.Path)
	}
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(text, &s)
}

// PutCredentials writes a key as the profile carrel, for its owner only.
func (f Folder) PutCredentials(k workspaces.AccessKey) error {
	return replace(f.Credentials(), fmt.Appendf(nil, "[carrel]\naws_access_key_id = %s\naws_secret_access_key = %s\n", k.ID, k.Secret))
}

// Key returns the administrator's key from the credentials file.
func (f Folder) Key() (id, secret string, err error) {
	text, err := os.ReadFile(f.Credentials())
	if err != nil {
		return "", "", fmt.Errorf("%w; the first carrel serve --data %s makes it", err, f.Path)
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, "=")
		switch strings.TrimSpace(name) {
		case "aws_access_key_id":
			id = strings.TrimSpace(value)
		case "aws_secret_access_key":
			secret = strings.TrimSpace(value)
		}
	}
	if id == "" || secret == "" {
		return "", "", fmt.Errorf("%s holds no key; remove it, and the next start makes a new one", f.Credentials())
	}
	return id, secret, nil
}

// replace writes a file so that readers see the old or the new one, whole, whatever happens.
func replace(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// FirstStart makes what is missing in a new installation. It can be called at every start.
type FirstStart struct {
	Folder  Folder
	Account string // the first account
	Region  string
	// OtherRegions get a default network each where they have none.
	OtherRegions []string
	Subnets      []workspaces.Subnet // declared ones; none: two are made in Region
	Now          time.Time
	Chance       *workspaces.Chance // what the ids of the two are drawn from
	// Claim makes addresses this installation's own on its engine, and reports whether they are: of two installations
	// that ask, one gets them, and it as often as it asks. nil: nobody else is on the engine.
	Claim func(ctx context.Context, addresses netip.Prefix) (bool, error)
}

// Identify returns the installation's id, which it gets the first time.
func Identify(ctx context.Context, s *store.Store) (id string, err error) {
	err = s.Update(ctx, func(tx *store.Tx) error {
		id, err = identity(ctx, tx)
		return err
	})
	return id, err
}

func identity(ctx context.Context, tx *store.Tx) (string, error) {
	id, err := tx.Setting(ctx, "installation")
	if err != nil || id != "" {
		return id, err
	}
	id = workspaces.NewInstallationID()
	return id, tx.PutSetting(ctx, "installation", id)
}

// Do brings the installation up to what FirstStart says, and returns its id.
func (f FirstStart) Do(ctx context.Context, s *store.Store) (id string, err error) {
	var key *workspaces.AccessKey
	err = s.Update(ctx, func(tx *store.Tx) error {
		key = nil
		if id, err = identity(ctx, tx); err != nil {
			return err
		}
		if err := f.network(ctx, tx); err != nil {
			return err
		}
		key, err = f.key(ctx, tx)
		return err
	})
	if err != nil || key == nil {
		return id, err
	}
	// Written after the commit: a key in the file that the store does not have would be
	// worse than one in the store that nobody knows. The next start makes another then.
	return id, f.Folder.PutCredentials(*key)
}

// key makes the administrator's key, unless the credentials file holds one that is good.
func (f FirstStart) key(ctx context.Context, tx *store.Tx) (*workspaces.AccessKey, error) {
	if id, _, err := f.Folder.Key(); err == nil {
		if _, found, err := tx.AccessKey(ctx, id); err != nil || found {
			return nil, err
		}
	}
	k := workspaces.AccessKey{
		ID: workspaces.NewAccessKeyID(), Secret: workspaces.NewSecretKey(), Account: f.Account, CreatedAt: f.Now,
	}
	return &k, tx.InsertAccessKey(ctx, k)
}

// network writes the declared subnets, or makes the default network where there is none.
func (f FirstStart) network(ctx context.Context, tx *store.Tx) error {
	for _, subnet := range f.Subnets {
		if err := tx.PutSubnet(ctx, subnet); err != nil {
			return err
		}
	}
	all, err := tx.Subnets(ctx)
	if err != nil {
		return err
	}
	for _, subnet := range all { // so that installations that come later keep away from them
		if _, err := f.claim(ctx, subnet); err != nil {
			return err
		}
	}
	var lacking []string
	if len(all) == 0 {
		lacking = []string{f.Region}
	}
	for _, region := range f.OtherRegions {
		if !slices.ContainsFunc(all, func(n workspaces.Subnet) bool { return n.Region == region }) {
			lacking = append(lacking, region)
		}
	}
	return f.defaultNetworks(ctx, tx, lacking, all)
}

// defaultNetworks makes a network in each of the regions, clear of all that there is.
func (f FirstStart) defaultNetworks(ctx context.Context, tx *store.Tx, regions []string, all []workspaces.Subnet) error {
	if len(regions) == 0 {
		return nil
	}
	taken, err := machineNetworks()
	if err != nil {
		return err
	}
	for _, subnet := range all {
		taken = append(taken, subnet.Prefix)
	}
	for _, region := range regions {
		subnets, err := f.claimed(ctx, region, taken)
		if err != nil {
			return err
		}
		for _, subnet := range subnets {
			if err := tx.PutSubnet(ctx, subnet); err != nil {
				return err
			}
			taken = append(taken, subnet.Prefix)
		}
	}
	return nil
}

// claimed returns a default network whose addresses no other installation has.
func (f FirstStart) claimed(ctx context.Context, region string, taken []netip.Prefix) ([]workspaces.Subnet, error) {
	for {
		subnets := workspaces.DefaultNetwork(f.Chance, region, taken)
		others := len(taken)
		for _, subnet := range subnets {
			own, err := f.claim(ctx, subnet)
			if err != nil {
				return nil, err
			}
			if !own {
				taken = append(taken, subnet.Prefix)
			}
		}
		if len(taken) == others {
			return subnets, nil
		}
	}
}

// claim claims the addresses of a subnet that the engine is to make a network for.
func (f FirstStart) claim(ctx context.Context, subnet workspaces.Subnet) (bool, error) {
	if f.Claim == nil || subnet.EngineNetwork != "" {
		return true, nil
	}
	return f.Claim(ctx, subnet.Prefix)
}

// machineNetworks returns the networks of this machine's interfaces.
func machineNetworks() ([]netip.Prefix, error) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var networks []netip.Prefix
	for _, address := range addresses {
		if prefix, err := netip.ParsePrefix(address.String()); err == nil {
			networks = append(networks, prefix.Masked())
		}
	}
	return networks, nil
}
