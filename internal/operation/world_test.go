package operation_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"

	"carrel/internal/api/ds"
	"carrel/internal/api/dsdata"
	"carrel/internal/workspaces"
)

// world is one of everything that an account can have in a region, made by the official SDK.
type world struct {
	client
	word   string // in every name and text of the world, and in no other's
	friend string // an account that something of the world is shared with

	directory, unregistered, pools string
	microsoft, trust               string // of Directory Service alone
	workspace, nobodys             string
	image, imported                string
	bundle                         string
	group, idleGroup               string
	alias, idleAlias, sharedAlias  string
	pool, session                  string
	addIn                          string
	link                           string
	application                    string
	token                          string // of the request that made the link
}

// worldly is a server whose clients may have everything, on a clock that stands.
func worldly(t *testing.T, owners ...string) *server {
	t.Helper()
	return start(t, anybody, declared(t), func(set *setup) {
		set.Clock.Freeze()
		set.instant = true
		for _, owner := range owners {
			set.Applications = append(set.Applications, workspaces.Application{
				ID: "wsa-of" + owner, Name: "Of " + owner, Owner: owner, LicenseType: workspaces.Unlicensed,
				Script: workspaces.SampleApplications()[0].Script,
			})
		}
	})
}

// furnish makes a world. The application of the account's own must be in the catalogue.
func (s *server) furnish(t *testing.T, c client, word, friend string) *world {
	t.Helper()
	w := &world{client: c, word: word, friend: friend, token: "token-" + word, application: "wsa-of" + c.scope.Account}
	w.directory, w.unregistered = s.homeOf(t, c), s.directory(t, c.scope)
	w.pools = s.register(t, c, &sdk.RegisterWorkspaceDirectoryInput{
		WorkspaceType: types.WorkspaceTypePools, UserIdentityType: types.UserIdentityTypeCustomerManaged, SubnetIds: w.subnets(),
		WorkspaceDirectoryName: new("pools-" + word), WorkspaceDirectoryDescription: new(word), Tags: w.tags(),
	})
	s.furnishDirectory(t, w)
	s.furnishUsers(t, w)
	s.furnishAccess(t, w)
	s.furnishDesktops(t, w)
	link, err := invite(t, c, friend, &w.token)
	if err != nil {
		t.Fatal(err)
	}
	w.link = *link.AccountLinkId
	return w
}

// furnishDirectory makes a Microsoft AD with everything that rests on one.
func (s *server) furnishDirectory(t *testing.T, w *world) {
	t.Helper()
	ask := func(operation string, in map[string]any) (out struct {
		DirectoryID string `json:"DirectoryId"`
		TrustID     string `json:"TrustId"`
	},
	) {
		t.Helper()
		body, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		a := s.postTo(t, w.scope, ds.Service.Name, ds.Service.TargetPrefix+"."+operation, body)
		if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.code != "" {
			t.Fatalf("%s: %+v, %v", operation, a, err)
		}
		return out
	}
	const password = "Str0ng-enough"
	w.microsoft = ask("CreateMicrosoftAD", map[string]any{
		"Name": w.word + ".example.com", "Password": password, "VpcSettings": map[string]any{"VpcId": vpc, "SubnetIds": w.subnets()},
	}).DirectoryID
	for _, domain := range []string{"one", "two"} {
		w.trust = ask("CreateTrust", map[string]any{
			"DirectoryId": w.microsoft, "RemoteDomainName": domain + "." + w.word + ".org", "TrustPassword": password, "TrustDirection": "Two-Way",
		}).TrustID
	}
	ask("EnableDirectoryDataAccess", map[string]any{"DirectoryId": w.microsoft})
	ask("CreateLogSubscription", map[string]any{"DirectoryId": w.microsoft, "LogGroupName": "/logs/" + w.word})
	ask("CreateAlias", map[string]any{"DirectoryId": w.microsoft, "Alias": "alias-" + w.word})
	ask("AddTagsToResource", map[string]any{"ResourceId": w.microsoft, "Tags": []any{map[string]any{"Key": "key", "Value": w.word}}})
}

// furnishUsers makes users in the directory.
func (s *server) furnishUsers(t *testing.T, w *world) {
	t.Helper()
	for _, name := range []string{"jane-" + w.word, "john-" + w.word} {
		body := `{"DirectoryId": "` + w.directory + `", "SAMAccountName": "` + name + `", "Surname": "` + w.word + `"}`
		if a := s.postIn(t, w.scope, dsdata.Service, "CreateUser", []byte(body)); a.code != "" {
			t.Fatalf("%+v", a)
		}
	}
}

// subnets are networks in the world's region.
func (w *world) subnets() []string {
	if w.scope.Region == farRegion {
		return []string{farA, farB}
	}
	return []string{subnetA, subnetB}
}

func (w *world) tags() []types.Tag { return []types.Tag{tag("key-"+w.word, "value-"+w.word)} }

// furnishAccess makes what leads to a directory and decides who may go there.
func (s *server) furnishAccess(t *testing.T, w *world) {
	t.Helper()
	w.group, w.idleGroup = newGroup(t, w.client, "office-"+w.word, rule("192.0.2.1")), newGroup(t, w.client, "idle-"+w.word)
	if err := w.associate(t, w.directory, w.group); err != nil {
		t.Fatal(err)
	}
	for _, a := range []struct {
		id   *string
		host string
	}{{&w.alias, "desk"}, {&w.idleAlias, "idle"}, {&w.sharedAlias, "shared"}} {
		*a.id = s.alias(t, w.client, a.host+"."+w.word+".example.com")
	}
	out, err := w.AssociateConnectionAlias(t.Context(), &sdk.AssociateConnectionAliasInput{AliasId: &w.alias, ResourceId: &w.directory})
	if err != nil || out.ConnectionIdentifier == nil {
		t.Fatal(err)
	}
	_, err = w.UpdateConnectionAliasPermission(t.Context(), &sdk.UpdateConnectionAliasPermissionInput{
		AliasId: &w.sharedAlias, ConnectionAliasPermission: &types.ConnectionAliasPermission{SharedAccountId: &w.friend, AllowAssociation: new(true)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.addIn, err = w.createAddIn(t, w.directory, "calls-"+w.word, "https://calls."+w.word+".example/"); err != nil {
		t.Fatal(err)
	}
	err = w.importBranding(t, &sdk.ImportClientBrandingInput{
		ResourceId: &w.directory, DeviceTypeWeb: &types.DefaultImportClientBrandingAttributes{SupportEmail: new("help@" + w.word + ".org")},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// furnishDesktops makes desktops and what they are made of. The WorkSpace has been kept once.
func (s *server) furnishDesktops(t *testing.T, w *world) {
	t.Helper()
	w.workspace = s.create(t, w.client, order(w.directory, "jane-"+w.word, autoStop, func(r *types.WorkspaceRequest) {
		r.Tags = w.tags()
	}))[0]
	w.image = capture(t, w.client, w.workspace)
	s.awaitImage(t, w.client, w.image, types.WorkspaceImageStateAvailable)
	s.share(t, w.client, w.image, w.friend)
	custom, err := w.ImportCustomWorkspaceImage(t.Context(), customOf(&types.ImageSourceIdentifierMemberImageBuildVersionArn{Value: builder}, "imported-"+w.word))
	if err != nil {
		t.Fatal(err)
	}
	w.imported = *custom.ImageId
	s.awaitImage(t, w.client, w.imported, types.WorkspaceImageStateAvailable)
	w.bundle = *s.bundle(t, w.client, w.image, "bundle-"+w.word).BundleId
	w.nobodys = s.create(t, w.client, order(w.directory, workspaces.Undefined, bundle(w.bundle), func(r *types.WorkspaceRequest) {
		r.WorkspaceName = new("desk-" + w.word)
	}))[0]
	in := poolOrder(w.pools, "pool-"+w.word)
	in.Description, in.Tags = new(w.word), w.tags()
	w.pool = *newPool(t, w.client, in).PoolId
	s.awaitPool(t, w.client, w.pool, types.WorkspacesPoolStateStopped, 0)
	w.session = s.insertSession(t, w.client, w.pool)
	if err := associateApp(t, w.client, w.workspace, w.application); err != nil {
		t.Fatal(err)
	}
	mustDeploy(t, w.client, w.workspace, false, w.application)
	s.wantApp(t, w.client, w.workspace, w.application, types.AssociationStateCompleted)
	s.keep(t, time.Minute, w.client, w.workspace)
}

// names are all that the world can be named by, by the shape of the API's model that such a name
// has. The first of each is what the world's owner uses where any will do.
func (w *world) names() map[string][]string {
	names := map[string][]string{
		"DirectoryId":            {w.directory, w.unregistered, w.pools},
		"WorkspaceId":            {w.workspace, w.nobodys},
		"WorkspaceName":          {"desk-" + w.word},
		"WorkspaceImageId":       {w.image, w.imported},
		"BundleId":               {w.bundle},
		"IpGroupId":              {w.idleGroup, w.group},
		"ConnectionAliasId":      {w.idleAlias, w.alias, w.sharedAlias},
		"WorkspacesPoolId":       {w.pool},
		"AmazonUuid":             {w.addIn, w.session},
		"LinkId":                 {w.link},
		"WorkSpaceApplicationId": {w.application},
		"UserName":               {"jane-" + w.word},
		"IpGroupName":            {"office-" + w.word},
		"WorkspaceBundleName":    {"bundle-" + w.word},
		"WorkspaceImageName":     {"imported-" + w.word},
		"WorkspaceDirectoryName": {"pools-" + w.word},
		"WorkspacesPoolName":     {"pool-" + w.word},
		"LinkedAccountId":        {w.friend, w.scope.Account},

		"DescribeWorkspacesPoolsFilterValue": {"pool-" + w.word},
	}
	names["ResourceId"] = slices.Concat(names["DirectoryId"], names["WorkspaceId"], names["WorkspaceImageId"], names["BundleId"],
		names["IpGroupId"], names["ConnectionAliasId"], names["WorkspacesPoolId"])
	return names
}
