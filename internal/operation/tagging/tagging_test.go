package tagging_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	sdk "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
	"github.com/aws/aws-sdk-go-v2/service/workspaces"

	"carrel/internal/api/tagging"
	"carrel/internal/moto"
	"carrel/internal/operation/directoryservice/dstest"
	"carrel/internal/store"
	"carrel/internal/store/storetest"
	domain "carrel/internal/workspaces"
)

// world is a server with a client of the tagging API, and one resource of each sort.
type world struct {
	*dstest.Server
	client *sdk.Client
	arns   map[string]string // by service:type
}

func newWorld(t *testing.T, database string) *world {
	t.Helper()
	s := dstest.StartOn(t, database)
	w := &world{Server: s, client: sdk.NewFromConfig(s.As(dstest.Account, dstest.Region)), arns: map[string]string{}}
	directory := s.CreateActive(t)
	ids := map[string]string{
		"ds:directory": directory, "workspaces:directory": directory, "workspaces:workspace": "ws-012345678",
		"workspaces:workspaceimage": "wsi-012345678", "workspaces:workspacebundle": "wsb-012345678",
		"workspaces:workspacespool": "wspool-012345678",
	}
	err := s.Store.Update(t.Context(), func(tx *store.Tx) error {
		scope := dstest.Scope()
		return errors.Join(
			tx.InsertWorkspaceDirectory(t.Context(), &domain.WorkspaceDirectory{Scope: scope, ID: directory, RegistrationCode: "c"}),
			tx.InsertWorkSpace(t.Context(), &domain.WorkSpace{Scope: scope, ID: ids["workspaces:workspace"]}),
			tx.InsertImage(t.Context(), &domain.Image{Scope: scope, ID: ids["workspaces:workspaceimage"], Name: "i"}),
			tx.InsertBundle(t.Context(), scope, domain.Bundle{ID: ids["workspaces:workspacebundle"], Name: "b"}),
			tx.InsertPool(t.Context(), &domain.Pool{Scope: scope, ID: ids["workspaces:workspacespool"], Name: "p"}),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	desks := workspaces.NewFromConfig(s.As(dstest.Account, dstest.Region))
	group, err := desks.CreateIpGroup(t.Context(), &workspaces.CreateIpGroupInput{GroupName: aws.String("g")})
	if err != nil {
		t.Fatal(err)
	}
	alias, err := desks.CreateConnectionAlias(t.Context(), &workspaces.CreateConnectionAliasInput{ConnectionString: aws.String("desk.example.com")})
	if err != nil {
		t.Fatal(err)
	}
	ids["workspaces:workspaceipgroup"], ids["workspaces:connectionalias"] = *group.GroupId, *alias.AliasId
	for kind, id := range ids {
		service, sort, _ := strings.Cut(kind, ":")
		w.arns[kind] = fmt.Sprintf("arn:aws:%s:%s:%s:%s/%s", service, dstest.Region, dstest.Account, sort, id)
	}
	for _, g := range store.Taggables() {
		if w.arns[g.Service+":"+g.Type] == "" {
			t.Errorf("%s:%s can have tags, and is not tried", g.Service, g.Type)
		}
	}
	return w
}

// tag tags resources and returns what could not be.
func (w *world) tag(t *testing.T, tags map[string]string, arns ...string) map[string]types.FailureInfo {
	t.Helper()
	out, err := w.client.TagResources(t.Context(), &sdk.TagResourcesInput{ResourceARNList: arns, Tags: tags})
	if err != nil {
		t.Fatal(err)
	}
	return out.FailedResourcesMap
}

// list lists resources, page by page, as their ARNs with their tags.
func list(t *testing.T, client *sdk.Client, in sdk.GetResourcesInput) map[string]string {
	t.Helper()
	got := make(map[string]string)
	for {
		page, err := client.GetResources(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		if in.ResourcesPerPage != nil && len(page.ResourceTagMappingList) > int(*in.ResourcesPerPage) {
			t.Errorf("a page of %d", len(page.ResourceTagMappingList))
		}
		for _, r := range page.ResourceTagMappingList {
			var tags []string
			for _, tag := range r.Tags {
				tags = append(tags, *tag.Key+"="+*tag.Value)
			}
			if _, twice := got[*r.ResourceARN]; twice {
				t.Errorf("%s is listed twice", *r.ResourceARN)
			}
			got[*r.ResourceARN] = strings.Join(tags, " ")
		}
		if aws.ToString(page.PaginationToken) == "" {
			return got
		}
		in.PaginationToken = page.PaginationToken
	}
}

// TestTagEverything tags a resource of each sort by this API, and sees it in it and in that of its service.
func TestTagEverything(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, database string) {
		w := newWorld(t, database)
		if got := list(t, w.client, sdk.GetResourcesInput{}); len(got) > 0 {
			t.Errorf("nothing has tags: %v", got)
		}
		want := make(map[string]string)
		for kind, arn := range w.arns {
			if failed := w.tag(t, map[string]string{"kind": kind, "Team": "a b"}, arn); len(failed) > 0 {
				t.Errorf("%s: %+v", arn, failed)
			}
			want[arn] = "Team=a b kind=" + kind
		}
		sorted := func(m map[string]string) map[string]string { // databases have orders of their own
			for arn, tags := range m {
				if !strings.HasPrefix(tags, "Team=") {
					kind, team, _ := strings.Cut(tags, " ")
					m[arn] = team + " " + kind
				}
			}
			return m
		}
		for _, size := range []*int32{nil, aws.Int32(1), aws.Int32(3)} {
			if got := sorted(list(t, w.client, sdk.GetResourcesInput{ResourcesPerPage: size})); !maps.Equal(got, want) {
				t.Errorf("%v\nwant %v", got, want)
			}
		}
		of := func(keep func(kind string) bool) map[string]string {
			some := make(map[string]string)
			for kind, arn := range w.arns {
				if keep(kind) {
					some[arn] = want[arn]
				}
			}
			return some
		}
		for name, c := range map[string]struct {
			in   sdk.GetResourcesInput
			keep func(kind string) bool
		}{
			"a service": {sdk.GetResourcesInput{ResourceTypeFilters: []string{"ds"}}, func(k string) bool { return k == "ds:directory" }},
			"types": {
				sdk.GetResourcesInput{ResourceTypeFilters: []string{"workspaces:directory", "workspaces:workspace", "ec2:instance"}},
				func(k string) bool { return k == "workspaces:directory" || k == "workspaces:workspace" },
			},
			"a service that is not ours": {sdk.GetResourcesInput{ResourceTypeFilters: []string{"ec2"}}, func(string) bool { return false }},
			"a key":                      {filters("Team"), func(string) bool { return true }},
			"another key":                {filters("team"), func(string) bool { return false }},
			"values": {
				sdk.GetResourcesInput{TagFilters: []types.TagFilter{{Key: aws.String("kind"), Values: []string{"ds:directory", "x", "workspaces:workspace"}}}},
				func(k string) bool { return k == "ds:directory" || k == "workspaces:workspace" },
			},
			"two keys": {
				sdk.GetResourcesInput{TagFilters: []types.TagFilter{
					{Key: aws.String("Team"), Values: []string{"a b"}}, {Key: aws.String("kind"), Values: []string{"ds:directory"}},
				}, ResourceTypeFilters: []string{"ds", "workspaces"}},
				func(k string) bool { return k == "ds:directory" },
			},
			"ARNs": {
				sdk.GetResourcesInput{ResourceARNList: []string{w.arns["ds:directory"], w.arns["workspaces:workspace"], arnOf("workspace/ws-000000000")}},
				func(k string) bool { return k == "ds:directory" || k == "workspaces:workspace" },
			},
			"noncompliant": {
				sdk.GetResourcesInput{IncludeComplianceDetails: aws.Bool(true), ExcludeCompliantResources: aws.Bool(true)}, func(string) bool { return false },
			},
		} {
			if got := sorted(list(t, w.client, c.in)); !maps.Equal(got, of(c.keep)) {
				t.Errorf("%s: %v", name, got)
			}
		}
		w.seenElsewhere(t)
	})
}

// TestCompliance: without tag policies every resource is compliant.
func TestCompliance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	w.tag(t, map[string]string{"a": "1"}, w.arns["workspaces:workspace"])
	for _, include := range []bool{false, true} {
		out, err := w.client.GetResources(t.Context(), &sdk.GetResourcesInput{IncludeComplianceDetails: &include})
		if err != nil || len(out.ResourceTagMappingList) != 1 {
			t.Fatal(out, err)
		}
		details := out.ResourceTagMappingList[0].ComplianceDetails
		if (details != nil) != include || include && !aws.ToBool(details.ComplianceStatus) {
			t.Errorf("%v: %+v", include, details)
		}
	}
}

// seenElsewhere looks at tags by the operations of the services that they belong to.
func (w *world) seenElsewhere(t *testing.T) {
	t.Helper()
	id := func(kind string) *string {
		_, id, _ := strings.Cut(w.arns[kind], "/")
		return &id
	}
	tags, err := workspaces.NewFromConfig(w.As(dstest.Account, dstest.Region)).DescribeTags(t.Context(),
		&workspaces.DescribeTagsInput{ResourceId: id("workspaces:workspaceipgroup")})
	if err != nil || len(tags.TagList) != 2 {
		t.Errorf("%+v, %v", tags, err)
	}
	of, err := w.DS().ListTagsForResource(t.Context(), &directoryservice.ListTagsForResourceInput{ResourceId: id("ds:directory")})
	if err != nil || len(of.Tags) != 2 || *of.Tags[1].Value != "ds:directory" {
		t.Errorf("%+v, %v", of, err)
	}
}

func filters(keys ...string) (in sdk.GetResourcesInput) {
	for _, key := range keys {
		in.TagFilters = append(in.TagFilters, types.TagFilter{Key: &key})
	}
	return in
}

// arnOf is the ARN of a resource of WorkSpaces.
func arnOf(resource string) string {
	return "arn:aws:workspaces:" + dstest.Region + ":" + dstest.Account + ":" + resource
}

// TestTagsPerPage: a resource is never split, and one that does not fit goes to the next page.
func TestTagsPerPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	for i, arn := range slices.Sorted(maps.Values(w.arns)) {
		tags := make(map[string]string)
		for j := range []int{40, 50, 30, 50, 1, 1, 1, 1}[i] {
			tags[fmt.Sprintf("key%02d", j)] = ""
		}
		if failed := w.tag(t, tags, arn); len(failed) > 0 {
			t.Errorf("%+v", failed)
		}
	}
	in := sdk.GetResourcesInput{TagsPerPage: aws.Int32(100)}
	var pages []int
	for total := 0; ; {
		page, err := w.client.GetResources(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, r := range page.ResourceTagMappingList {
			sum += len(r.Tags)
		}
		pages, total = append(pages, sum), total+sum
		if sum > 100 || sum == 0 {
			t.Errorf("a page has %d tags", sum)
		}
		if in.PaginationToken = page.PaginationToken; *in.PaginationToken == "" {
			if total != 174 || len(pages) < 2 {
				t.Errorf("pages of %v", pages)
			}
			return
		}
	}
}

func TestGetResourcesRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	arn := w.arns["workspaces:workspace"]
	w.tag(t, map[string]string{"a": "1"}, arn, w.arns["ds:directory"])
	first, err := w.client.GetResources(t.Context(), &sdk.GetResourcesInput{ResourcesPerPage: aws.Int32(1)})
	if err != nil || *first.PaginationToken == "" {
		t.Fatal(first, err)
	}
	withARN := func(change func(*sdk.GetResourcesInput)) sdk.GetResourcesInput {
		in := sdk.GetResourcesInput{ResourceARNList: []string{arn}}
		change(&in)
		return in
	}
	for why, c := range map[string]struct {
		in   sdk.GetResourcesInput
		code string
	}{
		"ARNs and a size":     {withARN(func(in *sdk.GetResourcesInput) { in.ResourcesPerPage = aws.Int32(1) }), "InvalidParameterException"},
		"ARNs and tags":       {withARN(func(in *sdk.GetResourcesInput) { in.TagsPerPage = aws.Int32(100) }), "InvalidParameterException"},
		"ARNs and a token":    {withARN(func(in *sdk.GetResourcesInput) { in.PaginationToken = first.PaginationToken }), "InvalidParameterException"},
		"ARNs and types":      {withARN(func(in *sdk.GetResourcesInput) { in.ResourceTypeFilters = []string{"ds"} }), "InvalidParameterException"},
		"ARNs and a filter":   {withARN(func(in *sdk.GetResourcesInput) { in.TagFilters = filters("a").TagFilters }), "InvalidParameterException"},
		"no ARN":              {sdk.GetResourcesInput{ResourceARNList: []string{"ws-012345678"}}, "InvalidParameterException"},
		"another partition":   {sdk.GetResourcesInput{ResourceARNList: []string{strings.Replace(arn, "aws", "aws-cn", 1)}}, "InvalidParameterException"},
		"too small a page":    {sdk.GetResourcesInput{ResourcesPerPage: aws.Int32(0)}, "InvalidParameterException"},
		"too large a page":    {sdk.GetResourcesInput{ResourcesPerPage: aws.Int32(101)}, "InvalidParameterException"},
		"too few tags":        {sdk.GetResourcesInput{TagsPerPage: aws.Int32(99)}, "InvalidParameterException"},
		"too many tags":       {sdk.GetResourcesInput{TagsPerPage: aws.Int32(501)}, "InvalidParameterException"},
		"only noncompliant":   {sdk.GetResourcesInput{ExcludeCompliantResources: aws.Bool(true)}, "InvalidParameterException"},
		"no type":             {sdk.GetResourcesInput{ResourceTypeFilters: []string{"ds:"}}, "InvalidParameterException"},
		"a filter of nothing": {sdk.GetResourcesInput{TagFilters: []types.TagFilter{{Values: []string{"1"}}}}, "InvalidParameterException"},
		"one key twice":       {filters("a", "a"), "InvalidParameterException"},
		"a made-up token":     {sdk.GetResourcesInput{PaginationToken: aws.String("x")}, "PaginationTokenExpiredException"},
		"a token of another list": {
			sdk.GetResourcesInput{PaginationToken: first.PaginationToken, ResourceTypeFilters: []string{"ds"}}, "PaginationTokenExpiredException",
		},
		"a long key": {filters(strings.Repeat("x", 129)), "ValidationException"},
	} {
		_, err := w.client.GetResources(t.Context(), &c.in)
		t.Log(why)
		dstest.WantError(t, tagging.GetResources.Info, err, c.code)
	}
}

// TestFailedResources: what cannot be done to one resource is done to the others.
func TestFailedResources(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	good, full := w.arns["workspaces:workspace"], w.arns["ds:directory"]
	many := make(map[string]string)
	for i := range 50 {
		many[fmt.Sprintf("key%02d", i)] = "v"
	}
	if failed := w.tag(t, many, full); len(failed) > 0 {
		t.Errorf("%+v", failed)
	}
	bad := []string{
		full, "nonsense", arnOf("workspace/ws-000000000"), strings.Replace(good, dstest.Account, "210987654321", 1),
		strings.Replace(good, dstest.Region, dstest.FarRegion, 1), "arn:aws:s3:::bucket", arnOf("workspace/d-0123456789"),
		strings.Replace(w.arns["workspaces:directory"], ":directory", ":workspace", 1),
	}
	failed := w.tag(t, map[string]string{"new": "1", "key00": "2"}, append(bad, good)...)
	for _, arn := range bad {
		if f := failed[arn]; f.ErrorCode != "InvalidParameterException" || f.StatusCode != http.StatusBadRequest || *f.ErrorMessage == "" {
			t.Errorf("%s: %+v", arn, f)
		}
	}
	if len(failed) != len(bad) {
		t.Errorf("%v", failed)
	}
	got := list(t, w.client, sdk.GetResourcesInput{})
	if got[good] != "key00=2 new=1" || strings.Contains(got[full], "new") || strings.Contains(got[full], "key00=2") || len(got) != 2 {
		t.Errorf("%v", got)
	}
	// One more value for a key that is there fits.
	if failed := w.tag(t, map[string]string{"key00": "2"}, full); len(failed) > 0 {
		t.Errorf("%+v", failed)
	}
	// The key and value that only Directory Service keeps.
	for _, tags := range []map[string]string{{strings.Repeat("k", 128): "v"}, {"k": strings.Repeat("v", 256)}} {
		if failed := w.tag(t, tags, good); len(failed) != 1 {
			t.Errorf("%+v", failed)
		}
	}
	untag, err := w.client.UntagResources(t.Context(), &sdk.UntagResourcesInput{
		ResourceARNList: []string{good, full, "nonsense"}, TagKeys: []string{"key00", "new", "none"},
	})
	if err != nil || len(untag.FailedResourcesMap) != 1 {
		t.Errorf("%+v, %v", untag, err)
	}
	if got := list(t, w.client, sdk.GetResourcesInput{}); got[good] != "" || strings.Contains(got[full], "key00") || len(got) != 1 {
		t.Errorf("%v", got)
	}
	for _, c := range []struct {
		tags map[string]string
		code string
	}{
		{map[string]string{"aws:x": "1"}, "InvalidParameterException"}, {map[string]string{"x\x00": "1"}, "ValidationException"}, {map[string]string{}, "ValidationException"},
	} {
		_, err := w.client.TagResources(t.Context(), &sdk.TagResourcesInput{ResourceARNList: []string{good}, Tags: c.tags})
		dstest.WantError(t, tagging.TagResources.Info, err, c.code)
	}
}

// TestKeysAndValues lists keys and values, more than one page of each.
func TestKeysAndValues(t *testing.T) {
	t.Parallel()
	storetest.OnEach(t, func(t *testing.T, database string) {
		w := newWorld(t, database)
		err := w.Store.Update(t.Context(), func(tx *store.Tx) error {
			for i := range 1100 {
				id := fmt.Sprintf("ws-%09d", i)
				err := tx.PutTags(t.Context(), dstest.Scope(), id, []domain.Tag{{Key: "k" + id, Value: ""}, {Key: "shared", Value: id}})
				if err != nil {
					return err
				}
			}
			return tx.PutTags(t.Context(), domain.Scope{Account: dstest.Account, Region: "far"}, "ws-1", []domain.Tag{{Key: "far", Value: "far"}})
		})
		if err != nil {
			t.Fatal(err)
		}
		var keys, values []string
		for in := (sdk.GetTagKeysInput{}); ; {
			page, err := w.client.GetTagKeys(t.Context(), &in)
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, page.TagKeys...)
			if in.PaginationToken = page.PaginationToken; *in.PaginationToken == "" {
				break
			}
		}
		for in := (sdk.GetTagValuesInput{Key: aws.String("shared")}); ; {
			page, err := w.client.GetTagValues(t.Context(), &in)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, page.TagValues...)
			if in.PaginationToken = page.PaginationToken; *in.PaginationToken == "" {
				break
			}
		}
		slices.Sort(keys)
		if len(slices.Compact(keys)) != 1101 || len(slices.Compact(values)) != 1100 || slices.Contains(keys, "far") {
			t.Errorf("%d keys, %d values", len(keys), len(values))
		}
		one, err := w.client.GetTagValues(t.Context(), &sdk.GetTagValuesInput{Key: &keys[0]})
		if err != nil || !slices.Equal(one.TagValues, []string{""}) {
			t.Errorf("%+v, %v", one, err)
		}
		_, err = w.client.GetTagKeys(t.Context(), &sdk.GetTagKeysInput{PaginationToken: aws.String("x")})
		dstest.WantError(t, tagging.GetTagKeys.Info, err, "PaginationTokenExpiredException")
		_, err = w.client.GetTagValues(t.Context(), &sdk.GetTagValuesInput{Key: aws.String("k"), PaginationToken: aws.String("x")})
		dstest.WantError(t, tagging.GetTagValues.Info, err, "PaginationTokenExpiredException")
	})
}

// TestIsolation shows that neither another account nor another region sees or changes a tag.
func TestIsolation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	arn := w.arns["workspaces:workspace"]
	w.tag(t, map[string]string{"a": "1"}, arn)
	for _, config := range []aws.Config{w.As("210987654321", dstest.Region), w.As(dstest.Account, dstest.FarRegion)} {
		client := sdk.NewFromConfig(config)
		if got := list(t, client, sdk.GetResourcesInput{}); len(got) > 0 {
			t.Errorf("sees %v", got)
		}
		if got := list(t, client, sdk.GetResourcesInput{ResourceARNList: []string{arn}}); len(got) > 0 {
			t.Errorf("sees %v", got)
		}
		keys, err := client.GetTagKeys(t.Context(), &sdk.GetTagKeysInput{})
		if err != nil || len(keys.TagKeys) > 0 {
			t.Errorf("sees %+v, %v", keys, err)
		}
		values, err := client.GetTagValues(t.Context(), &sdk.GetTagValuesInput{Key: aws.String("a")})
		if err != nil || len(values.TagValues) > 0 {
			t.Errorf("sees %+v, %v", values, err)
		}
		put, err := client.TagResources(t.Context(), &sdk.TagResourcesInput{ResourceARNList: []string{arn}, Tags: map[string]string{"a": "2"}})
		if err != nil || len(put.FailedResourcesMap) != 1 {
			t.Errorf("%+v, %v", put, err)
		}
		taken, err := client.UntagResources(t.Context(), &sdk.UntagResourcesInput{ResourceARNList: []string{arn}, TagKeys: []string{"a"}})
		if err != nil || len(taken.FailedResourcesMap) != 1 {
			t.Errorf("%+v, %v", taken, err)
		}
	}
	if got := list(t, w.client, sdk.GetResourcesInput{}); got[arn] != "a=1" {
		t.Errorf("%v", got)
	}
}

// TestResourceTypesOfMoto lists by moto's names for types, which are nobody's else.
func TestResourceTypesOfMoto(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.SQLite(t))
	w.Core.Ways = new(moto.Ways)
	list := func(kind string) (arns []string) {
		out, err := w.client.GetResources(t.Context(), &sdk.GetResourcesInput{ResourceTypeFilters: []string{kind}})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.ResourceTagMappingList {
			arns = append(arns, *r.ResourceARN)
		}
		return arns
	}
	for _, arn := range w.arns {
		if _, err := w.client.TagResources(t.Context(), &sdk.TagResourcesInput{ResourceARNList: []string{arn}, Tags: map[string]string{"k": "v"}}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(list("workspaces")); n != 7 || len(list("workspaces-image")) > 0 {
		t.Errorf("the service's types: %d", n)
	}
	w.Core.Ways.Keep(true)
	for kind, own := range map[string]string{
		"workspaces": "workspaces:workspace", "workspaces-directory": "workspaces:directory", "workspaces-image": "workspaces:workspaceimage",
		"workspaces:workspaceimage": "workspaces:workspaceimage", "ds": "ds:directory",
	} {
		if got := list(kind); len(got) != 1 || got[0] != w.arns[own] {
			t.Errorf("%s: %v, want %s", kind, got, w.arns[own])
		}
	}
}
