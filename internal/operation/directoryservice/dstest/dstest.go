// Package dstest runs the services around directories (ds, ds-data, sts, tagging, monitoring), and that of
// WorkSpaces, behind a real HTTP server, so that their tests speak to them by the official SDK. Nothing works the jobs:
// Settle does what they would do.
package dstest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice/types"
	"github.com/aws/aws-sdk-go-v2/service/directoryservicedata"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"carrel/internal/api"
	dsapi "carrel/internal/api/ds"
	dsdataapi "carrel/internal/api/dsdata"
	monitoringapi "carrel/internal/api/monitoring"
	stsapi "carrel/internal/api/sts"
	taggingapi "carrel/internal/api/tagging"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/awsjson"
	"carrel/internal/clock"
	"carrel/internal/directory"
	"carrel/internal/directory/embedded"
	"carrel/internal/operation"
	"carrel/internal/operation/directorydata"
	ds "carrel/internal/operation/directoryservice"
	"carrel/internal/operation/monitoring"
	"carrel/internal/operation/securitytoken"
	"carrel/internal/operation/tagging"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

// The account and region of a test that does not care.
const (
	Account = "123456789012"
	Region  = "eu-central-1"
)

// The networks of the installation: two zones in Region, and others to go wrong with.
const (
	VPC        = "vpc-0123456789abcdef0"
	SubnetA    = "subnet-0aaaaaaaaaaaaaaa0"
	SubnetB    = "subnet-0bbbbbbbbbbbbbbb0"
	SubnetA2   = "subnet-0aaaaaaaaaaaaaaa2" // in SubnetA's zone
	SubnetVPC2 = "subnet-0ccccccccccccccc0" // in another VPC
	SubnetFar  = "subnet-0ddddddddddddddd0" // in another region
	FarRegion  = "us-east-1"
)

// Password is one that every directory accepts.
const Password = "Password4TEST"

// Server is a running set of services.
type Server struct {
	URL         string
	Database    string // what Start or StartOn opened
	Store       *store.Store
	Clock       *clock.Clock // frozen
	Core        *operation.Core
	Directories directory.Directories
}

// Start starts the services on an empty SQLite file; change adjusts what they are made of.
func Start(t testing.TB, change ...func(*operation.Core)) *Server {
	t.Helper()
	return StartOn(t, storetest.SQLite(t), change...)
}

// StartOn is Start on an empty database of either kind.
func StartOn(t testing.TB, database string, change ...func(*operation.Core)) *Server {
	t.Helper()
	s, err := store.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	addSubnets(t, s)
	hasher := embedded.NewHasher()
	now := clock.New()
	now.Freeze()
	core := &operation.Core{Store: s, Clock: now, Limits: workspaces.OpenLimits(), Directories: embedded.New(s, hasher)}
	for _, c := range change {
		c(core)
	}
	cloudWatch, err := monitoring.New(core, false)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := awsjson.New(awsjson.Config{
		Services: []awsjson.ServiceHandlers{
			{Service: dsapi.Service, Handlers: ds.New(core, hasher).Handlers()},
			{Service: dsdataapi.Service, Handlers: directorydata.New(core).Handlers()},
			{Service: stsapi.Service, Handlers: securitytoken.New().Handlers()},
			{Service: taggingapi.Service, Handlers: tagging.New(core).Handlers()},
			{Service: monitoringapi.Service, Handlers: cloudWatch.Handlers()},
			{Service: wsapi.Service, Handlers: operation.WorkSpaces{Core: core}.Handlers()},
		},
		Authenticator: awsjson.AnyKey{DefaultAccount: Account},
		Now:           now.Now,
		Logger:        slog.New(slog.DiscardHandler),
		Middleware:    []api.Middleware{core.Ways.Middleware()},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return &Server{URL: server.URL, Database: database, Store: s, Clock: now, Core: core, Directories: core.Directories}
}

func addSubnets(t testing.TB, s *store.Store) {
	t.Helper()
	err := s.Update(t.Context(), func(tx *store.Tx) error {
		for i, n := range []workspaces.Subnet{
			{ID: SubnetA, VPCID: VPC, Region: Region, Zone: Region + "a"},
			{ID: SubnetB, VPCID: VPC, Region: Region, Zone: Region + "b"},
			{ID: SubnetA2, VPCID: VPC, Region: Region, Zone: Region + "a"},
			{ID: SubnetVPC2, VPCID: "vpc-0fedcba9876543210", Region: Region, Zone: Region + "b"},
			{ID: SubnetFar, VPCID: VPC, Region: FarRegion, Zone: FarRegion + "b"},
		} {
			n.Prefix = netip.MustParsePrefix(fmt.Sprintf("10.0.%d.0/24", i))
			n.Gateway = n.Prefix.Addr().Next()
			if err := tx.PutSubnet(t.Context(), n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// As returns the configuration of a client that calls as an account in a region.
func (s *Server) As(account, region string) aws.Config {
	return aws.Config{
		Region: region, BaseEndpoint: &s.URL, Credentials: credentials.NewStaticCredentialsProvider(account, "secret", ""),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// DS returns a client of Directory Service.
func (s *Server) DS() *directoryservice.Client {
	return directoryservice.NewFromConfig(s.As(Account, Region))
}

// Data returns a client of Directory Service Data.
func (s *Server) Data() *directoryservicedata.Client {
	return directoryservicedata.NewFromConfig(s.As(Account, Region))
}

// STS returns a client of Security Token Service.
func (s *Server) STS() *sts.Client { return sts.NewFromConfig(s.As(Account, Region)) }

// CreateInput is a good request for a Simple AD.
func CreateInput() *directoryservice.CreateDirectoryInput {
	return &directoryservice.CreateDirectoryInput{
		Name: aws.String("corp.example.com"), Password: aws.String(Password), Size: types.DirectorySizeSmall,
		VpcSettings: &types.DirectoryVpcSettings{VpcId: aws.String(VPC), SubnetIds: []string{SubnetA, SubnetB}},
	}
}

// Create makes a Simple AD and returns its id; it is Requested.
func (s *Server) Create(t testing.TB) string {
	t.Helper()
	out, err := s.DS().CreateDirectory(t.Context(), CreateInput())
	if err != nil {
		t.Fatal(err)
	}
	return *out.DirectoryId
}

// CreateActive makes a Simple AD, waits until it is Active and returns its id.
func (s *Server) CreateActive(t testing.TB) string {
	t.Helper()
	id := s.Create(t)
	s.Settle(t, id)
	return id
}

// MicrosoftADInput is a good request for a Microsoft AD.
func MicrosoftADInput() *directoryservice.CreateMicrosoftADInput {
	in := CreateInput()
	return &directoryservice.CreateMicrosoftADInput{Name: in.Name, Password: in.Password, VpcSettings: in.VpcSettings}
}

// ConnectInput is a good request for an AD Connector.
func ConnectInput() *directoryservice.ConnectDirectoryInput {
	in := CreateInput()
	return &directoryservice.ConnectDirectoryInput{
		Name: in.Name, Password: aws.String("x"), Size: in.Size, ConnectSettings: &types.DirectoryConnectSettings{
			VpcId: in.VpcSettings.VpcId, SubnetIds: in.VpcSettings.SubnetIds, CustomerUserName: aws.String("binder"),
			CustomerDnsIps: []string{"192.0.2.1", "192.0.2.2"},
		},
	}
}

// CreateMicrosoftAD makes a Microsoft AD, waits until it is Active and returns its id.
func (s *Server) CreateMicrosoftAD(t testing.TB) string {
	t.Helper()
	out, err := s.DS().CreateMicrosoftAD(t.Context(), MicrosoftADInput())
	if err != nil {
		t.Fatal(err)
	}
	s.Settle(t, *out.DirectoryId)
	return *out.DirectoryId
}

// Connect makes an AD Connector, waits until it is Active and returns its id.
func (s *Server) Connect(t testing.TB) string {
	t.Helper()
	out, err := s.DS().ConnectDirectory(t.Context(), ConnectInput())
	if err != nil {
		t.Fatal(err)
	}
	s.Settle(t, *out.DirectoryId)
	return *out.DirectoryId
}

// Settle moves a directory on until it rests or is gone.
func (s *Server) Settle(t testing.TB, id string) {
	t.Helper()
	s.Change(t, id, func(d *workspaces.Directory) {
		for next, passing := d.Stage.Next(); passing; next, passing = d.Stage.Next() {
			d.Enter(next, s.Clock.Now())
		}
		if _, pending := d.DetailsPending(); pending {
			d.ApplyDetails(s.Clock.Now())
		}
	})
	err := s.Store.Update(t.Context(), func(tx *store.Tx) error {
		d, found, err := tx.Directory(t.Context(), Scope(), id)
		if err == nil && found && d.Stage == workspaces.StageDeleted {
			_, err = tx.DeleteDirectory(t.Context(), d.Ref())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// SettleTrust moves a trust on until it rests or is gone.
func (s *Server) SettleTrust(t testing.TB, id string) {
	t.Helper()
	err := s.Store.Update(t.Context(), func(tx *store.Tx) error {
		trust, found, err := tx.Trust(t.Context(), Scope(), id)
		if err != nil || !found {
			return errors.Join(errors.New("no trust "+id), err)
		}
		read := trust.Generation
		for next, passing := trust.State.Next(); passing; next, passing = trust.State.Next() {
			trust.Enter(next, s.Clock.Now())
		}
		if _, err := tx.SaveTrust(t.Context(), trust, read); err != nil || trust.State != workspaces.TrustDeleted {
			return err
		}
		_, err = tx.DeleteTrust(t.Context(), trust.Ref())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Change changes a directory behind the services' back.
func (s *Server) Change(t testing.TB, id string, f func(*workspaces.Directory)) {
	t.Helper()
	err := s.Store.Update(t.Context(), func(tx *store.Tx) error {
		d, found, err := tx.Directory(t.Context(), Scope(), id)
		if err != nil || !found {
			return errors.Join(errors.New("no directory "+id), err)
		}
		read := d.Generation
		f(d)
		_, err = tx.SaveDirectory(t.Context(), d, read)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Scope is that of Account and Region.
func Scope() workspaces.Scope { return workspaces.Scope{Account: Account, Region: Region} }

// Context is that of a call by Account in Region without the wire.
func Context(t testing.TB) context.Context {
	t.Helper()
	return api.WithCaller(t.Context(), api.Caller{Account: Account, Region: Region, RequestID: "request"})
}

// WantError fails the test unless the operation has answered an exception that it declares, or
// the one for all violations of the model, with a message.
func WantError(t testing.TB, op api.Info, err error, want string) smithy.APIError {
	t.Helper()
	var got smithy.APIError
	if !errors.As(err, &got) || got.ErrorCode() != want {
		t.Errorf("%s: %v; want %s", op.Name, err, want)
		return &smithy.GenericAPIError{}
	}
	if got.ErrorMessage() == "" {
		t.Errorf("%s: %s has no message", op.Name, want)
	}
	if !op.Declares(want) && want != api.ValidationException {
		t.Errorf("%s does not declare %s", op.Name, want)
	}
	return got
}
