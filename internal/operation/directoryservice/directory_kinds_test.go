package directoryservice_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	"github.com/aws/aws-sdk-go-v2/service/directoryservicedata"

	dsapi "carrel/internal/api/ds"
	"carrel/internal/operation"
	"carrel/internal/operation/directoryservice/dstest"
	"carrel/internal/workspaces"
)

// TestMicrosoftAD makes one, opens it to ds-data as in the service, and has users in it.
func TestMicrosoftAD(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.CreateMicrosoftAD(t)
	d := describeOne(t, s, id)
	if d.Type != "MicrosoftAD" || d.Edition != "Enterprise" || d.Size != "" || d.VpcSettings == nil || d.ConnectSettings != nil ||
		len(d.DnsIpAddrs) != 2 || d.RegionsInfo == nil || *d.RegionsInfo.PrimaryRegion != dstest.Region || *d.ShortName != "CORP" {
		t.Errorf("%+v", d)
	}
	if _, err := s.Directories.Of(dstest.Scope(), id).Authenticate(t.Context(), "admin", dstest.Password); err != nil {
		t.Errorf("its administrator: %v", err)
	}
	create := func() (*directoryservicedata.CreateUserOutput, error) {
		return s.Data().CreateUser(t.Context(), &directoryservicedata.CreateUserInput{DirectoryId: &id, SAMAccountName: aws.String("jane")})
	}
	if _, err := create(); err == nil {
		t.Error("a user was made before data access was enabled")
	}
	if _, err := s.DS().EnableDirectoryDataAccess(t.Context(), &directoryservice.EnableDirectoryDataAccessInput{DirectoryId: &id}); err != nil {
		t.Fatal(err)
	}
	if _, err := create(); err != nil {
		t.Fatal(err)
	}
	u, err := s.Data().DescribeUser(t.Context(), &directoryservicedata.DescribeUserInput{DirectoryId: &id, SAMAccountName: aws.String("jane")})
	if err != nil || *u.DistinguishedName != "CN=jane,OU=Users,OU=CORP,DC=corp,DC=example,DC=com" {
		t.Errorf("%+v, %v", u, err)
	}
	_, err = s.Data().DeleteUser(t.Context(), &directoryservicedata.DeleteUserInput{DirectoryId: &id, SAMAccountName: aws.String("ADMIN")})
	if err == nil || !strings.Contains(err.Error(), "cannot be deleted") {
		t.Errorf("the administrator was deleted: %v", err)
	}
	_, err = s.DS().ResetUserPassword(t.Context(), &directoryservice.ResetUserPasswordInput{
		DirectoryId: &id, UserName: aws.String("jane"), NewPassword: aws.String("Another-1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Directories.Of(dstest.Scope(), id).Authenticate(t.Context(), "jane", "Another-1"); err != nil {
		t.Error(err)
	}
}

// TestConnector makes an AD Connector, which has no users of its own.
func TestConnector(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.Connect(t)
	d := describeOne(t, s, id)
	c := d.ConnectSettings
	if d.Type != "ADConnector" || d.Size != "Small" || d.VpcSettings != nil || !slices.Equal(d.DnsIpAddrs, []string{"192.0.2.1", "192.0.2.2"}) {
		t.Errorf("%+v", d)
	}
	if c == nil || *c.VpcId != dstest.VPC || *c.CustomerUserName != "binder" || !slices.Equal(c.ConnectIps, []string{"10.0.0.2", "10.0.1.3"}) ||
		!slices.Equal(c.SubnetIds, []string{dstest.SubnetA, dstest.SubnetB}) || len(c.AvailabilityZones) != 2 || *c.SecurityGroupId == "" {
		t.Errorf("ConnectSettings = %+v", c)
	}
	_, err := s.DS().EnableDirectoryDataAccess(t.Context(), &directoryservice.EnableDirectoryDataAccessInput{DirectoryId: &id})
	dstest.WantError(t, dsapi.EnableDirectoryDataAccess.Info, err, "UnsupportedOperationException")
	_, err = s.DS().ResetUserPassword(t.Context(), &directoryservice.ResetUserPasswordInput{
		DirectoryId: &id, UserName: aws.String("binder"), NewPassword: aws.String("Another-1"),
	})
	dstest.WantError(t, dsapi.ResetUserPassword.Info, err, "UnsupportedOperationException")
	if _, err := s.DS().DeleteDirectory(t.Context(), &directoryservice.DeleteDirectoryInput{DirectoryId: &id}); err != nil {
		t.Error(err)
	}
}

func TestCreateMicrosoftADRefused(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	type input = directoryservice.CreateMicrosoftADInput
	for why, c := range map[string]struct {
		change func(*input)
		code   string
	}{
		"hybrid":      {func(in *input) { in.Edition = "Hybrid" }, "UnsupportedOperationException"},
		"edition":     {func(in *input) { in.Edition = "Tiny" }, "ValidationException"},
		"name":        {func(in *input) { in.Name = aws.String("corp-example") }, "InvalidParameterException"},
		"own name":    {func(in *input) { in.Password = aws.String("Admin12345") }, "InvalidParameterException"},
		"same zone":   {func(in *input) { in.VpcSettings.SubnetIds = []string{dstest.SubnetA, dstest.SubnetA2} }, "ClientException"},
		"IPv6":        {func(in *input) { in.NetworkType = "IPv6" }, "ClientException"},
		"aws: tag":    {func(in *input) { in.Tags = tags("aws:x") }, "InvalidParameterException"},
		"one subnet":  {func(in *input) { in.VpcSettings.SubnetIds = []string{dstest.SubnetA} }, "InvalidParameterException"},
		"description": {func(in *input) { in.Description = aws.String(strings.Repeat("x", 129)) }, "ValidationException"},
	} {
		in := dstest.MicrosoftADInput()
		c.change(in)
		_, err := s.DS().CreateMicrosoftAD(t.Context(), in)
		t.Log(why)
		dstest.WantError(t, dsapi.CreateMicrosoftAD.Info, err, c.code)
	}
}

func TestConnectDirectoryRefused(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	type input = directoryservice.ConnectDirectoryInput
	for why, c := range map[string]struct {
		change func(*input)
		code   string
	}{
		"no name server":    {func(in *input) { in.ConnectSettings.CustomerDnsIps = nil }, "InvalidParameterException"},
		"IPv6":              {func(in *input) { in.ConnectSettings.CustomerDnsIpsV6 = []string{"1:2:3:4:5:6:7:8"} }, "InvalidParameterException"},
		"no address":        {func(in *input) { in.ConnectSettings.CustomerDnsIps = []string{"1.2.3.450"} }, "ValidationException"},
		"user":              {func(in *input) { in.ConnectSettings.CustomerUserName = aws.String("oops$") }, "ValidationException"},
		"long password":     {func(in *input) { in.Password = aws.String(strings.Repeat("x", 129)) }, "ValidationException"},
		"not a domain":      {func(in *input) { in.Name = aws.String("corp-example") }, "InvalidParameterException"},
		"subnets elsewhere": {func(in *input) { in.ConnectSettings.SubnetIds = []string{dstest.SubnetA, dstest.SubnetVPC2} }, "ClientException"},
	} {
		in := dstest.ConnectInput()
		c.change(in)
		_, err := s.DS().ConnectDirectory(t.Context(), in)
		t.Log(why)
		dstest.WantError(t, dsapi.ConnectDirectory.Info, err, c.code)
	}
}

// TestLimitsByType: each type has a limit of its own.
func TestLimitsByType(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t, func(c *operation.Core) {
		c.Limits.DirectoriesByType = map[string]int{workspaces.SimpleAD: 0, workspaces.MicrosoftAD: 1, workspaces.ADConnector: 1}
	})
	s.CreateMicrosoftAD(t)
	s.Connect(t)
	out, err := s.DS().GetDirectoryLimits(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if l := out.DirectoryLimits; !l.CloudOnlyMicrosoftADLimitReached || !l.ConnectedDirectoriesLimitReached ||
		*l.CloudOnlyMicrosoftADCurrentCount != 1 || *l.ConnectedDirectoriesCurrentCount != 1 || *l.CloudOnlyDirectoriesCurrentCount != 0 {
		t.Errorf("%+v", l)
	}
	_, err = s.DS().CreateMicrosoftAD(t.Context(), dstest.MicrosoftADInput())
	dstest.WantError(t, dsapi.CreateMicrosoftAD.Info, err, "DirectoryLimitExceededException")
	_, err = s.DS().ConnectDirectory(t.Context(), dstest.ConnectInput())
	dstest.WantError(t, dsapi.ConnectDirectory.Info, err, "DirectoryLimitExceededException")
}
