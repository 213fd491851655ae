package directoryservice_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice/types"

	dsapi "carrel/internal/api/ds"
	"carrel/internal/operation"
	"carrel/internal/operation/directoryservice/dstest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	"carrel/internal/workspaces"
)

func TestLifeOfADirectory(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	in := dstest.CreateInput()
	in.Description = aws.String("Head office")
	made, err := s.DS().CreateDirectory(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	id := *made.DirectoryId
	d := describeOne(t, s, id)
	if d.Stage != types.DirectoryStageRequested || !d.LaunchTime.Equal(*d.StageLastUpdatedDateTime) {
		t.Errorf("a fresh directory is %s since %v, launched %v", d.Stage, d.StageLastUpdatedDateTime, d.LaunchTime)
	}
	s.Settle(t, id)
	wantDescription(t, describeOne(t, s, id), id)

	if _, err := s.DS().DeleteDirectory(t.Context(), &directoryservice.DeleteDirectoryInput{DirectoryId: &id}); err != nil {
		t.Fatal(err)
	}
	if d := describeOne(t, s, id); d.Stage != types.DirectoryStageDeleting {
		t.Errorf("a directory that is deleted is %s", d.Stage)
	}
	s.Settle(t, id)
	_, err = s.DS().DescribeDirectories(t.Context(), &directoryservice.DescribeDirectoriesInput{DirectoryIds: []string{id}})
	dstest.WantError(t, dsapi.DescribeDirectories.Info, err, "EntityDoesNotExistException")
	if u, err := s.Directories.Of(dstest.Scope(), id).Lookup(t.Context(), workspaces.Administrator); err == nil {
		t.Errorf("%s has outlived the directory", u.Name)
	}
	if jobs := countJobs(t, s); jobs != 2 {
		t.Errorf("%d jobs were asked for, want one to create and one to delete", jobs)
	}
}

func wantDescription(t *testing.T, d types.DirectoryDescription, id string) {
	t.Helper()
	vpc := d.VpcSettings
	if vpc == nil || *vpc.VpcId != dstest.VPC || !slices.Equal(vpc.SubnetIds, []string{dstest.SubnetA, dstest.SubnetB}) ||
		!slices.Equal(vpc.AvailabilityZones, []string{dstest.Region + "a", dstest.Region + "b"}) || !strings.HasPrefix(*vpc.SecurityGroupId, "sg-") {
		t.Errorf("VpcSettings = %+v", vpc)
	}
	if !slices.Equal(d.DnsIpAddrs, []string{"10.0.0.2", "10.0.1.3"}) {
		t.Errorf("DnsIpAddrs = %v", d.DnsIpAddrs)
	}
	got := []string{
		string(d.Stage), *d.DirectoryId, *d.Alias, *d.AccessUrl, *d.Name, *d.ShortName, string(d.Size), string(d.Type), *d.Description,
		string(d.NetworkType),
	}
	want := []string{"Active", id, id, id + ".awsapps.com", "corp.example.com", "CORP", "Small", "SimpleAD", "Head office", "IPv4"}
	if !slices.Equal(got, want) {
		t.Errorf("described as %v, want %v", got, want)
	}
	if d.SsoEnabled || *d.DesiredNumberOfDomainControllers != 0 || d.Edition != "" || d.StageReason != nil || d.ConnectSettings != nil ||
		d.RegionsInfo != nil || d.RadiusSettings != nil || d.ShareStatus != "" {
		t.Errorf("described with more than a Simple AD has: %+v", d)
	}
}

func describeOne(t *testing.T, s *dstest.Server, id string) types.DirectoryDescription {
	t.Helper()
	out, err := s.DS().DescribeDirectories(t.Context(), &directoryservice.DescribeDirectoriesInput{DirectoryIds: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.DirectoryDescriptions) != 1 {
		t.Fatalf("%d directories have the id %s", len(out.DirectoryDescriptions), id)
	}
	return out.DirectoryDescriptions[0]
}

// countJobs looks into River's own table: nothing works the jobs here.
func countJobs(t *testing.T, s *dstest.Server) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", s.Database)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() // only read
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM river_job").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCreateDirectoryRefused(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t, func(c *operation.Core) { c.Limits.DirectoriesByType = map[string]int{workspaces.SimpleAD: 0} })
	open := dstest.Start(t)
	type input = directoryservice.CreateDirectoryInput
	subnets := func(ids ...string) func(*input) { return func(in *input) { in.VpcSettings.SubnetIds = ids } }
	name := func(name string) func(*input) { return func(in *input) { in.Name = &name } }
	for why, c := range map[string]struct {
		change  func(*input)
		code    string
		message string
	}{
		"no VPC":           {func(in *input) { in.VpcSettings = nil }, "InvalidParameterException", "VpcSettings must be specified."},
		"one subnet":       {subnets(dstest.SubnetA), "InvalidParameterException", "Invalid subnet ID(s)."},
		"three subnets":    {subnets(dstest.SubnetA, dstest.SubnetB, dstest.SubnetA2), "InvalidParameterException", "Invalid subnet ID(s)."},
		"no such subnet":   {subnets(dstest.SubnetA, "subnet-00000000"), "InvalidParameterException", "subnet-00000000 does not exist"},
		"far subnet":       {subnets(dstest.SubnetA, dstest.SubnetFar), "InvalidParameterException", "does not exist in eu-central-1"},
		"same zone":        {subnets(dstest.SubnetA, dstest.SubnetA2), "ClientException", "different Availability Zones"},
		"same subnet":      {subnets(dstest.SubnetA, dstest.SubnetA), "ClientException", "different Availability Zones"},
		"other VPC":        {subnets(dstest.SubnetA, dstest.SubnetVPC2), "ClientException", "Invalid VPC ID."},
		"not a VPC":        {func(in *input) { in.VpcSettings.VpcId = aws.String("vpc-1") }, "ValidationException", "vpcId"},
		"not a domain":     {name("corp-example"), "InvalidParameterException", "fully qualified"},
		"long domain":      {name(strings.Repeat("a", 64) + ".com"), "InvalidParameterException", "fully qualified"},
		"hyphen in domain": {name("corp-.example.com"), "ValidationException", "name"},
		"long short name":  {func(in *input) { in.ShortName = aws.String("CORPCORPCORPCORP") }, "InvalidParameterException", "short name"},
		"weak password":    {func(in *input) { in.Password = aws.String("weakweak") }, "ValidationException", "password"},
		"own name as password": {
			func(in *input) { in.Password = aws.String("Administrator1") }, "InvalidParameterException", "user name",
		},
		"size":            {func(in *input) { in.Size = "Medium" }, "ValidationException", "Small, Large"},
		"IPv6":            {func(in *input) { in.NetworkType = "IPv6" }, "ClientException", "IPv4"},
		"aws: tag":        {func(in *input) { in.Tags = tags("aws:x") }, "InvalidParameterException", "reserved"},
		"tag given twice": {func(in *input) { in.Tags = tags("x", "x") }, "InvalidParameterException", "twice"},
		"51 tags":         {func(in *input) { in.Tags = manyTags(51) }, "DirectoryLimitExceededException", "50 tags"},
	} {
		in := dstest.CreateInput()
		c.change(in)
		_, err := open.DS().CreateDirectory(t.Context(), in)
		got := dstest.WantError(t, dsapi.CreateDirectory.Info, err, c.code)
		if !strings.Contains(got.ErrorMessage(), c.message) {
			t.Errorf("%s: %q does not say %q", why, got.ErrorMessage(), c.message)
		}
		if strings.Contains(got.ErrorMessage(), *in.Password) {
			t.Errorf("%s: the message tells the password", why)
		}
	}
	_, err := s.DS().CreateDirectory(t.Context(), dstest.CreateInput())
	got := dstest.WantError(t, dsapi.CreateDirectory.Info, err, "DirectoryLimitExceededException")
	var limit *types.DirectoryLimitExceededException
	if !errors.As(got, &limit) || aws.ToString(limit.RequestId) == "" {
		t.Errorf("the exception has no request id: %+v", got)
	}
	if out, err := open.DS().DescribeDirectories(t.Context(), nil); err != nil || len(out.DirectoryDescriptions) != 0 {
		t.Errorf("refused directories were made: %+v, %v", out, err)
	}
}

// TestAnySubnet makes directories in networks that nobody declared.
func TestAnySubnet(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t, func(c *operation.Core) { c.AnySubnet = true })
	for _, subnets := range [][]string{
		{"subnet-12345678", "subnet-87654321"}, {"subnet-00000001", "subnet-00000010"}, {dstest.SubnetA, dstest.SubnetA2},
	} {
		in := dstest.CreateInput()
		in.VpcSettings.VpcId, in.VpcSettings.SubnetIds = aws.String("vpc-12345678"), subnets
		out, err := s.DS().CreateDirectory(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		d := describeOne(t, s, *out.DirectoryId)
		zones := d.VpcSettings.AvailabilityZones
		if !slices.Equal(d.VpcSettings.SubnetIds, subnets) || *d.VpcSettings.VpcId != "vpc-12345678" || zones[0] == zones[1] {
			t.Errorf("VpcSettings = %+v", d.VpcSettings)
		}
		if len(d.DnsIpAddrs) != 2 || d.DnsIpAddrs[0] == d.DnsIpAddrs[1] {
			t.Errorf("DnsIpAddrs = %v", d.DnsIpAddrs)
		}
	}
	in := dstest.CreateInput()
	in.VpcSettings.SubnetIds = []string{"subnet-12345678", "subnet-12345678"}
	_, err := s.DS().CreateDirectory(t.Context(), in)
	dstest.WantError(t, dsapi.CreateDirectory.Info, err, "ClientException")
}

func TestCreateDirectoriesAtTheLimit(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, url string) {
		t.Helper()
		s := dstest.StartOn(t, url, func(c *operation.Core) { c.Limits.DirectoriesByType = map[string]int{workspaces.SimpleAD: 3} })
		var wait sync.WaitGroup
		made := make(chan string, 8)
		for range cap(made) {
			wait.Go(func() {
				out, err := s.DS().CreateDirectory(t.Context(), dstest.CreateInput())
				if err == nil {
					made <- *out.DirectoryId
					return
				}
				dstest.WantError(t, dsapi.CreateDirectory.Info, err, "DirectoryLimitExceededException")
			})
		}
		wait.Wait()
		if len(made) != 3 {
			t.Errorf("%d directories were made, 3 are allowed", len(made))
		}
		out, err := s.DS().GetDirectoryLimits(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if l := out.DirectoryLimits; *l.CloudOnlyDirectoriesLimit != 3 || *l.CloudOnlyDirectoriesCurrentCount != 3 || !l.CloudOnlyDirectoriesLimitReached {
			t.Errorf("limits = %+v", l)
		}
	})
}

func TestGetDirectoryLimits(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t, func(c *operation.Core) { c.Limits = workspaces.AWSLimits() })
	s.Create(t)
	out, err := s.DS().GetDirectoryLimits(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	l := out.DirectoryLimits
	got := []any{
		*l.CloudOnlyDirectoriesLimit, *l.CloudOnlyDirectoriesCurrentCount, l.CloudOnlyDirectoriesLimitReached,
		*l.CloudOnlyMicrosoftADLimit, *l.CloudOnlyMicrosoftADCurrentCount, l.CloudOnlyMicrosoftADLimitReached,
		*l.ConnectedDirectoriesLimit, *l.ConnectedDirectoriesCurrentCount, l.ConnectedDirectoriesLimitReached,
	}
	if want := "[10 1 false 20 0 false 10 0 false]"; fmt.Sprint(got) != want {
		t.Errorf("limits = %v, want %s", got, want)
	}
}

func TestDescribeDirectoriesPages(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	ids := []string{s.Create(t), s.Create(t), s.Create(t), s.Create(t), s.Create(t)} // the clock stands: all launched at once
	for _, asked := range [][]string{nil, {ids[4], ids[1], ids[0], ids[1]}} {
		var seen []string
		pages := directoryservice.NewDescribeDirectoriesPaginator(s.DS(),
			&directoryservice.DescribeDirectoriesInput{DirectoryIds: asked, Limit: aws.Int32(2)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n := len(page.DirectoryDescriptions); n == 0 || n > 2 {
				t.Errorf("a page of %d", n)
			}
			for _, d := range page.DirectoryDescriptions {
				seen = append(seen, *d.DirectoryId)
			}
		}
		want := slices.Clone(asked)
		if asked == nil {
			want = slices.Clone(ids)
		}
		slices.Sort(want)
		slices.Sort(seen)
		if want = slices.Compact(want); !slices.Equal(seen, want) {
			t.Errorf("pages of %v hold %v, want %v", asked, seen, want)
		}
	}
}

func TestDescribeDirectoriesRefused(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id, other := s.Create(t), s.Create(t)
	page, err := s.DS().DescribeDirectories(t.Context(), &directoryservice.DescribeDirectoriesInput{Limit: aws.Int32(1)})
	if err != nil || page.NextToken == nil {
		t.Fatalf("page = %+v, %v", page, err)
	}
	for why, c := range map[string]struct {
		in   directoryservice.DescribeDirectoriesInput
		code string
	}{
		"no ids":         {directoryservice.DescribeDirectoriesInput{DirectoryIds: []string{}}, "InvalidParameterException"},
		"too many ids":   {directoryservice.DescribeDirectoriesInput{DirectoryIds: slices.Repeat([]string{id}, 101)}, "InvalidParameterException"},
		"malformed id":   {directoryservice.DescribeDirectoriesInput{DirectoryIds: []string{"d-1"}}, "ValidationException"},
		"unknown id":     {directoryservice.DescribeDirectoriesInput{DirectoryIds: []string{id, "d-0000000000"}}, "EntityDoesNotExistException"},
		"negative limit": {directoryservice.DescribeDirectoriesInput{Limit: aws.Int32(-1)}, "ValidationException"},
		"made-up token":  {directoryservice.DescribeDirectoriesInput{NextToken: aws.String("abc")}, "InvalidNextTokenException"},
		"empty token":    {directoryservice.DescribeDirectoriesInput{NextToken: aws.String("")}, "InvalidNextTokenException"},
		"token of another list": {
			directoryservice.DescribeDirectoriesInput{DirectoryIds: []string{id, other}, NextToken: page.NextToken}, "InvalidNextTokenException",
		},
	} {
		_, err := s.DS().DescribeDirectories(t.Context(), &c.in)
		t.Log(why)
		dstest.WantError(t, dsapi.DescribeDirectories.Info, err, c.code)
	}
	far := directoryservice.NewFromConfig(s.As(dstest.Account, dstest.FarRegion))
	_, err = far.DescribeDirectories(t.Context(), &directoryservice.DescribeDirectoriesInput{NextToken: page.NextToken})
	dstest.WantError(t, dsapi.DescribeDirectories.Info, err, "InvalidNextTokenException")
}

func TestDeleteDirectoryRefused(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.Create(t)
	remove := func(id string) error {
		_, err := s.DS().DeleteDirectory(t.Context(), &directoryservice.DeleteDirectoryInput{DirectoryId: &id})
		return err
	}
	dstest.WantError(t, dsapi.DeleteDirectory.Info, remove("d-0000000000"), "EntityDoesNotExistException")
	dstest.WantError(t, dsapi.DeleteDirectory.Info, remove(id), "ClientException") // Requested
	s.Settle(t, id)
	register(t, s, id)
	got := dstest.WantError(t, dsapi.DeleteDirectory.Info, remove(id), "ClientException")
	if !strings.HasPrefix(got.ErrorMessage(), "Cannot delete the directory because it still has authorized applications.") {
		t.Errorf("a registered directory: %s", got.ErrorMessage())
	}
	s.Change(t, id, func(d *workspaces.Directory) { d.Enter(workspaces.StageFailed, s.Clock.Now()) })
	if failed := s.Create(t); failed != "" {
		s.Change(t, failed, func(d *workspaces.Directory) { d.Enter(workspaces.StageFailed, s.Clock.Now()) })
		if err := remove(failed); err != nil {
			t.Errorf("one that failed: %v", err)
		}
		dstest.WantError(t, dsapi.DeleteDirectory.Info, remove(failed), "ClientException") // Deleting
	}
}

// register registers a directory with WorkSpaces.
func register(t *testing.T, s *dstest.Server, id string) {
	t.Helper()
	err := s.Store.Update(t.Context(), func(tx *store.Tx) error {
		d := &workspaces.WorkspaceDirectory{Scope: dstest.Scope(), ID: id, RegistrationCode: workspaces.NewRegistrationCode(nil, dstest.Region)}
		return tx.InsertWorkspaceDirectory(t.Context(), d)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestIsolation shows that neither another account nor another region sees a directory.
func TestIsolation(t *testing.T) {
	t.Parallel()
	s := dstest.Start(t)
	id := s.CreateMicrosoftAD(t)
	trust := createTrust(t, s, id, "far.example.com")
	for _, config := range []aws.Config{s.As("210987654321", dstest.Region), s.As(dstest.Account, dstest.FarRegion)} {
		client := directoryservice.NewFromConfig(config)
		out, err := client.DescribeDirectories(t.Context(), nil)
		if err != nil || len(out.DirectoryDescriptions) != 0 {
			t.Errorf("DescribeDirectories = %+v, %v", out, err)
		}
		if out, err := client.GetDirectoryLimits(t.Context(), nil); err != nil || *out.DirectoryLimits.CloudOnlyDirectoriesCurrentCount != 0 {
			t.Errorf("GetDirectoryLimits = %+v, %v", out, err)
		}
		calls := onOneDirectory(client, id)
		maps.Copy(calls, onOneTrust(client, trust))
		for op, call := range calls {
			want := "EntityDoesNotExistException"
			info, _ := dsapi.Service.Operation(op)
			if info.Spec().Declares("DirectoryDoesNotExistException") {
				want = "DirectoryDoesNotExistException"
			}
			dstest.WantError(t, info.Spec(), call(t.Context()), want)
		}
	}
}

// onOneDirectory is a call of every operation that names a directory.
func onOneDirectory(client *directoryservice.Client, id string) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"AddTagsToResource": func(ctx context.Context) error {
			_, err := client.AddTagsToResource(ctx, &directoryservice.AddTagsToResourceInput{ResourceId: &id, Tags: tags("a")})
			return err
		},
		"DeleteDirectory": func(ctx context.Context) error {
			_, err := client.DeleteDirectory(ctx, &directoryservice.DeleteDirectoryInput{DirectoryId: &id})
			return err
		},
		"DescribeDirectories": func(ctx context.Context) error {
			_, err := client.DescribeDirectories(ctx, &directoryservice.DescribeDirectoriesInput{DirectoryIds: []string{id}})
			return err
		},
		"DescribeDirectoryDataAccess": func(ctx context.Context) error {
			_, err := client.DescribeDirectoryDataAccess(ctx, &directoryservice.DescribeDirectoryDataAccessInput{DirectoryId: &id})
			return err
		},
		"DisableDirectoryDataAccess": func(ctx context.Context) error {
			_, err := client.DisableDirectoryDataAccess(ctx, &directoryservice.DisableDirectoryDataAccessInput{DirectoryId: &id})
			return err
		},
		"EnableDirectoryDataAccess": func(ctx context.Context) error {
			_, err := client.EnableDirectoryDataAccess(ctx, &directoryservice.EnableDirectoryDataAccessInput{DirectoryId: &id})
			return err
		},
		"CreateAlias": func(ctx context.Context) error {
			_, err := client.CreateAlias(ctx, &directoryservice.CreateAliasInput{DirectoryId: &id, Alias: aws.String("corp")})
			return err
		},
		"EnableSso": func(ctx context.Context) error {
			_, err := client.EnableSso(ctx, &directoryservice.EnableSsoInput{DirectoryId: &id})
			return err
		},
		"DisableSso": func(ctx context.Context) error {
			_, err := client.DisableSso(ctx, &directoryservice.DisableSsoInput{DirectoryId: &id})
			return err
		},
		"CreateTrust": func(ctx context.Context) error {
			_, err := client.CreateTrust(ctx, trustInput(id, "other.example.com"))
			return err
		},
		"DescribeTrusts": func(ctx context.Context) error {
			if out, err := client.DescribeTrusts(ctx, nil); err != nil || len(out.Trusts) > 0 {
				return fmt.Errorf("sees %+v, %w", out, err)
			}
			_, err := client.DescribeTrusts(ctx, &directoryservice.DescribeTrustsInput{DirectoryId: &id})
			return err
		},
		"EnableLDAPS": func(ctx context.Context) error {
			_, err := client.EnableLDAPS(ctx, &directoryservice.EnableLDAPSInput{DirectoryId: &id, Type: types.LDAPSTypeClient})
			return err
		},
		"DisableLDAPS": func(ctx context.Context) error {
			_, err := client.DisableLDAPS(ctx, &directoryservice.DisableLDAPSInput{DirectoryId: &id, Type: types.LDAPSTypeClient})
			return err
		},
		"DescribeLDAPSSettings": func(ctx context.Context) error {
			_, err := client.DescribeLDAPSSettings(ctx, &directoryservice.DescribeLDAPSSettingsInput{DirectoryId: &id})
			return err
		},
		"CreateLogSubscription": func(ctx context.Context) error {
			_, err := client.CreateLogSubscription(ctx, &directoryservice.CreateLogSubscriptionInput{DirectoryId: &id, LogGroupName: aws.String("x")})
			return err
		},
		"DeleteLogSubscription": func(ctx context.Context) error {
			_, err := client.DeleteLogSubscription(ctx, &directoryservice.DeleteLogSubscriptionInput{DirectoryId: &id})
			return err
		},
		"ListLogSubscriptions": func(ctx context.Context) error {
			_, err := client.ListLogSubscriptions(ctx, &directoryservice.ListLogSubscriptionsInput{DirectoryId: &id})
			return err
		},
		"DescribeSettings": func(ctx context.Context) error {
			_, err := client.DescribeSettings(ctx, &directoryservice.DescribeSettingsInput{DirectoryId: &id})
			return err
		},
		"UpdateSettings": func(ctx context.Context) error {
			_, err := client.UpdateSettings(ctx, &directoryservice.UpdateSettingsInput{
				DirectoryId: &id, Settings: []types.Setting{{Name: aws.String("TLS_1_0"), Value: aws.String("Disable")}},
			})
			return err
		},
		"ListTagsForResource": func(ctx context.Context) error {
			_, err := client.ListTagsForResource(ctx, &directoryservice.ListTagsForResourceInput{ResourceId: &id})
			return err
		},
		"RemoveTagsFromResource": func(ctx context.Context) error {
			_, err := client.RemoveTagsFromResource(ctx, &directoryservice.RemoveTagsFromResourceInput{ResourceId: &id, TagKeys: []string{"a"}})
			return err
		},
		"ResetUserPassword": func(ctx context.Context) error {
			_, err := client.ResetUserPassword(ctx, &directoryservice.ResetUserPasswordInput{
				DirectoryId: &id, UserName: aws.String(workspaces.Administrator), NewPassword: aws.String(dstest.Password),
			})
			return err
		},
	}
}

// onOneTrust is a call of every operation that names a trust.
func onOneTrust(client *directoryservice.Client, id string) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"VerifyTrust": func(ctx context.Context) error {
			_, err := client.VerifyTrust(ctx, &directoryservice.VerifyTrustInput{TrustId: &id})
			return err
		},
		"UpdateTrust": func(ctx context.Context) error {
			_, err := client.UpdateTrust(ctx, &directoryservice.UpdateTrustInput{TrustId: &id, SelectiveAuth: types.SelectiveAuthEnabled})
			return err
		},
		"DeleteTrust": func(ctx context.Context) error {
			_, err := client.DeleteTrust(ctx, &directoryservice.DeleteTrustInput{TrustId: &id})
			return err
		},
	}
}
