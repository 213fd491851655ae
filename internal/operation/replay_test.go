package operation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"carrel/internal/api"
	"carrel/internal/api/ds"
	monitoringapi "carrel/internal/api/monitoring"
	taggingapi "carrel/internal/api/tagging"
	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// actor is a client that does things at random, all of which are the same for the same seed as far as what there is
// is the same.
type actor struct {
	*recorded
	t         *testing.T
	scope     workspaces.Scope
	name      string
	dice      *rand.Rand
	directory string // for WorkSpaces
	pools     string // for pools
}

// call calls an operation, with an input in the words of the API.
func (a *actor) call(service *api.Service, op, input string) (output map[string]any, err error) {
	a.t.Helper()
	for _, h := range a.player.Handlers {
		if spec := h.Spec(); spec.Service != service.Name || spec.Name != op {
			continue
		}
		in, err := h.Decode(api.Payload{Body: []byte(input)})
		if err != nil {
			a.t.Fatalf("%s %s: %v", op, input, err)
		}
		ctx := api.WithCaller(a.t.Context(), api.Caller{Account: a.scope.Account, Region: a.scope.Region, AccessKeyID: a.scope.Account})
		out, err := h.Invoke(ctx, in)
		if err != nil {
			return nil, err
		}
		var text bytes.Buffer
		if err := api.EncodeTo(&text, out); err != nil {
			a.t.Fatal(err)
		}
		return output, json.Unmarshal(text.Bytes(), &output)
	}
	a.t.Fatalf("there is no operation %s", op)
	return nil, nil
}

// do asks for something that may be refused.
func (a *actor) do(op, format string, args ...any) {
	a.t.Helper()
	_, _ = a.call(wsapi.Service, op, fmt.Sprintf(format, args...))
}

// all returns the things of a list.
func (a *actor) all(op, input, list string) []map[string]any {
	a.t.Helper()
	out, err := a.call(wsapi.Service, op, input)
	if err != nil {
		return nil // such as sessions of a pool that has gone
	}
	listed, _ := out[list].([]any)
	things := make([]map[string]any, len(listed))
	for i := range listed {
		things[i], _ = listed[i].(map[string]any)
	}
	return things
}

// some returns the id of something in a list, or one of nothing.
func (a *actor) some(op, list, id string) string {
	a.t.Helper()
	none := map[string]string{"WorkspaceId": "ws-000000000", "ImageId": "wsi-000000000", "BundleId": value, "PoolId": noPool, "AliasId": "wsca-000000000"}[id]
	if things := a.all(op, "{}", list); len(things) > 0 && a.dice.IntN(12) > 0 {
		found, _ := things[a.dice.IntN(len(things))][id].(string)
		return found
	}
	return none
}

func (a *actor) workSpace() string { return a.some("DescribeWorkspaces", "Workspaces", "WorkspaceId") }
func (a *actor) image() string     { return a.some("DescribeWorkspaceImages", "Images", "ImageId") }
func (a *actor) pool() string      { return a.some("DescribeWorkspacesPools", "WorkspacesPools", "PoolId") }

func (a *actor) alias() string {
	return a.some("DescribeConnectionAliases", "ConnectionAliases", "AliasId")
}
func (a *actor) user() string { return fmt.Sprintf("user%d", a.dice.IntN(9)) }

func (a *actor) control(method, path, format string, args ...any) {
	reply := httptest.NewRecorder()
	body := strings.NewReader(fmt.Sprintf(format, args...))
	a.recorded.control.ServeHTTP(reply, httptest.NewRequestWithContext(a.t.Context(), method, "/_carrel/"+path, body))
	if reply.Code >= http.StatusInternalServerError {
		a.t.Errorf("%s %s: %d %s", method, path, reply.Code, reply.Body)
	}
}

// step does something.
func (a *actor) step(n int) { //nolint:cyclop // a table
	dice, id := a.dice, a.workSpace()
	fresh := fmt.Sprintf("%s-%d", a.name, n)
	switch dice.IntN(32) {
	case 0, 1, 2, 3:
		a.do("CreateWorkspaces", `{"Workspaces": [{"DirectoryId": %q, "UserName": %q, "BundleId": %q, "Tags": [{"Key": "of", "Value": %q}]},
			{"DirectoryId": %[1]q, "UserName": %[4]q, "BundleId": %[3]q, "WorkspaceProperties": {"RunningMode": "AUTO_STOP"}}]}`,
			a.directory, a.user(), value, fresh)
	case 4:
		a.do("StopWorkspaces", `{"StopWorkspaceRequests": [{"WorkspaceId": %q}]}`, id)
	case 5:
		a.do("StartWorkspaces", `{"StartWorkspaceRequests": [{"WorkspaceId": %q}]}`, id)
	case 6:
		a.do("RebuildWorkspaces", `{"RebuildWorkspaceRequests": [{"WorkspaceId": %q}]}`, id)
	case 7:
		a.do("RestoreWorkspace", `{"WorkspaceId": %q}`, id)
	case 8:
		a.do("TerminateWorkspaces", `{"TerminateWorkspaceRequests": [{"WorkspaceId": %q}]}`, id)
	case 9:
		a.do("MigrateWorkspace", `{"SourceWorkspaceId": %q, "BundleId": %q}`, id, performance)
	case 10:
		a.do("CreateTags", `{"ResourceId": %q, "Tags": [{"Key": "k", "Value": %q}]}`, id, fresh)
	case 11:
		a.do("ModifyWorkspaceProperties", `{"WorkspaceId": %q, "WorkspaceProperties": {"RunningMode": %q}}`, id, []string{"ALWAYS_ON", "AUTO_STOP"}[n%2])
	case 12:
		a.do("CreateWorkspaceImage", `{"WorkspaceId": %q, "Name": %q, "Description": "d"}`, id, fresh)
	case 13:
		a.do("CopyWorkspaceImage", `{"SourceImageId": %q, "SourceRegion": %q, "Name": %q}`, a.image(), a.scope.Region, fresh)
	case 14:
		a.do("CreateWorkspaceBundle", `{"BundleName": %q, "BundleDescription": "d", "ImageId": %q, "ComputeType": {"Name": "VALUE"}, "UserStorage": {"Capacity": "50"}}`,
			fresh, a.image())
	case 15:
		a.do("DeleteWorkspaceImage", `{"ImageId": %q}`, a.image())
	case 16:
		a.do("AssociateWorkspaceApplication", `{"WorkspaceId": %q, "ApplicationId": "wsa-carrelnotes"}`, id)
		a.do("DeployWorkspaceApplications", `{"WorkspaceId": %q}`, id)
	case 17:
		a.do("CreateWorkspacesPool", `{"PoolName": %q, "Description": "d", "BundleId": %q, "DirectoryId": %q, "RunningMode": %q,
			"Capacity": {"DesiredUserSessions": %d}, "ApplicationSettings": {"Status": "ENABLED", "SettingsGroup": "g"}}`,
			fresh, value, a.pools, []string{"ALWAYS_ON", "AUTO_STOP"}[n%2], 1+dice.IntN(3))
	case 18:
		a.do("StartWorkspacesPool", `{"PoolId": %q}`, a.pool())
	case 19:
		a.do("StopWorkspacesPool", `{"PoolId": %q}`, a.pool())
	case 20:
		a.do("UpdateWorkspacesPool", `{"PoolId": %q, "Capacity": {"DesiredUserSessions": %d}}`, a.pool(), 1+dice.IntN(4))
	case 21:
		if dice.IntN(2) == 0 {
			a.do("TerminateWorkspacesPool", `{"PoolId": %q}`, a.pool())
		}
	case 22, 23, 24:
		connected := dice.IntN(3) > 0
		a.control(http.MethodPut, "connections/"+a.pool(), `{"connected": %v, "user": %q, "signed_out": %v}`, connected, a.user(), !connected && n%2 == 0)
	case 25, 26:
		a.control(http.MethodPut, "connections/"+id, `{"connected": %v}`, dice.IntN(3) > 0)
	case 27:
		a.do("CreateConnectionAlias", `{"ConnectionString": "%s.example.com"}`, fresh)
		a.do("AssociateConnectionAlias", `{"AliasId": %q, "ResourceId": %q}`, a.alias(), a.directory)
	case 28:
		a.standBy(id)
	case 29:
		_, _ = a.call(ds.Service, "ResetUserPassword", fmt.Sprintf(`{"DirectoryId": %q, "UserName": "ted", "NewPassword": %q}`,
			a.directory, []string{"weak", "Xted-2026-Xx", "G00d-enough-" + fresh}[dice.IntN(3)]))
	case 30:
		a.control(http.MethodPost, "faults", `{"name": "error-after-n", "probability": 0.5, "seed": %d, "count": 2, "account": %q}`, n, a.scope.Account)
	default:
		a.control(http.MethodPost, "clock", `{"advance": "%dm"}`, []int{1, 7, 45, 130}[dice.IntN(4)])
	}
}

// standBy makes a standby WorkSpace in the account's other region, or of one there.
func (a *actor) standBy(id string) {
	far := *a
	if far.scope.Region = region; a.scope.Region == region {
		far.scope.Region = farRegion
	}
	directories := far.all("DescribeWorkspaceDirectories", "{}", "Directories")
	if len(directories) > 0 {
		far.do("CreateStandbyWorkspaces", `{"PrimaryRegion": %q, "StandbyWorkspaces": [{"PrimaryWorkspaceId": %q, "DirectoryId": %q, "DataReplication": "PRIMARY_AS_SOURCE"}]}`,
			a.scope.Region, id, directories[0]["DirectoryId"])
	}
}

// actors are clients in three accounts and regions, of which one has two.
func (r *recorded) actors(t *testing.T, seed uint64) (all []*actor) {
	for i, who := range []struct{ account, region, name, directory string }{
		{account, region, "one", "d-0123456789"},
		{account, region, "two", "d-0123456789"},
		{account, farRegion, "far", "d-1111111111"},
		{stranger, farRegion, "else", "d-9876543210"},
	} {
		all = append(all, &actor{
			recorded: r, t: t, scope: workspaces.Scope{Account: who.account, Region: who.region}, name: who.name, directory: who.directory,
			dice: rand.New(rand.NewPCG(seed, uint64(i))), // has to repeat itself
		})
	}
	return all
}

// settleIn registers the directories that the actors use.
func (a *actor) settleIn() {
	a.t.Helper()
	subnets := map[string]string{region: `["` + subnetA + `", "` + subnetB + `"]`, farRegion: `["` + farA + `", "` + farB + `"]`}[a.scope.Region]
	a.do("RegisterWorkspaceDirectory", `{"DirectoryId": %q}`, a.directory)
	a.do("RegisterWorkspaceDirectory", `{"WorkspaceType": "POOLS", "UserIdentityType": "CUSTOMER_MANAGED", "SubnetIds": %s,
		"WorkspaceDirectoryName": "Pools", "WorkspaceDirectoryDescription": "For pools"}`, subnets)
	for _, d := range a.all("DescribeWorkspaceDirectories", "{}", "Directories") {
		if d["WorkspaceType"] == "POOLS" {
			a.pools, _ = d["DirectoryId"].(string)
		}
	}
}

// seen is everything that the API shows the actors' accounts, by how it was asked for.
func seen(actors []*actor) map[string]string {
	all := make(map[string]string)
	for _, a := range actors {
		note := func(service *api.Service, op, input string) {
			out, err := a.call(service, op, input)
			text, _ := json.MarshalIndent(out, "", " ") // of what was JSON
			all[fmt.Sprintf("%s %s %s %s", a.scope.Account, a.scope.Region, op, input)] = fmt.Sprintf("%s %v", text, err)
		}
		note(ds.Service, "DescribeDirectories", "{}")
		note(taggingapi.Service, "GetResources", "{}")
		note(monitoringapi.Service, "ListMetrics", "{}")
		for _, l := range []struct {
			op, list, id string
			about        []string // what can be asked about each, with the name of the member for the id and what else
		}{
			{"DescribeWorkspaces", "Workspaces", "WorkspaceId", []string{
				"DescribeTags ResourceId", "DescribeWorkspaceSnapshots WorkspaceId",
				`DescribeWorkspaceAssociations WorkspaceId "AssociatedResourceTypes": ["APPLICATION"]`,
			}},
			{"DescribeWorkspacesConnectionStatus", "", "", nil},
			{"DescribeWorkspaceDirectories", "Directories", "DirectoryId", []string{"DescribeTags ResourceId"}},
			{"DescribeWorkspaceBundles", "Bundles", "BundleId", []string{`DescribeBundleAssociations BundleId "AssociatedResourceTypes": ["APPLICATION"]`}},
			{"DescribeWorkspaceImages", "Images", "ImageId", []string{
				"DescribeTags ResourceId", "DescribeWorkspaceImagePermissions ImageId",
				`DescribeImageAssociations ImageId "AssociatedResourceTypes": ["APPLICATION"]`,
			}},
			{"DescribeWorkspacesPools", "WorkspacesPools", "PoolId", []string{"DescribeWorkspacesPoolSessions PoolId", "DescribeTags ResourceId"}},
			{"DescribeConnectionAliases", "ConnectionAliases", "AliasId", []string{"DescribeConnectionAliasPermissions AliasId"}},
			{"DescribeApplications", "Applications", "ApplicationId", []string{
				`DescribeApplicationAssociations ApplicationId "AssociatedResourceTypes": ["WORKSPACE"]`,
			}},
			{"DescribeIpGroups", "", "", nil},
			{"DescribeAccount", "", "", nil},
			{"ListAccountLinks", "", "", nil},
		} {
			note(wsapi.Service, l.op, "{}")
			if l.list == "" {
				continue
			}
			for _, thing := range a.all(l.op, "{}", l.list) {
				for _, about := range l.about {
					op, rest, _ := strings.Cut(about, " ")
					member, more, has := strings.Cut(rest, " ")
					if has {
						more = ", " + more
					}
					note(wsapi.Service, op, fmt.Sprintf("{%q: %q%s}", member, thing[l.id], more))
				}
				if l.id == "WorkspaceId" {
					a.noteMetrics(note, thing[l.id])
				}
			}
		}
	}
	return all
}

// noteMetrics asks what CloudWatch tells of a WorkSpace.
func (a *actor) noteMetrics(note func(*api.Service, string, string), id any) {
	for _, metric := range workspaces.Metrics() {
		note(monitoringapi.Service, "GetMetricStatistics", fmt.Sprintf(`{"Namespace": %q, "MetricName": %q, "Period": 300, "Statistics": ["Sum", "SampleCount"],
			"Dimensions": [{"Name": "WorkspaceId", "Value": %q}], "StartTime": %d, "EndTime": %d}`,
			workspaces.MetricsNamespace, metric, id, a.clock.Now().Add(-24*time.Hour).Unix(), a.clock.Now().Unix()))
	}
}

// same compares what is seen of two servers.
func same(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for ask, was := range want {
		if got[ask] != was {
			t.Errorf("%s: %s answers\n%s\nnot\n%s", what, ask, got[ask], was)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d things can be asked, not %d", what, len(got), len(want))
	}
}

// TestReplayOfEverything has several clients do anything at once, at random, and replays the journal: everything that the
// API shows is the same, down to the times.
func TestReplayOfEverything(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			takes := []time.Duration{0, time.Minute}[seed%2]
			path := filepath.Join(t.TempDir(), "journal")
			first := recordWith(t, nil, takes)
			if err := first.journal.Open(path, first.begun(t)); err != nil {
				t.Fatal(err)
			}
			actors := first.actors(t, seed)
			for _, a := range actors {
				a.settleIn()
			}
			first.ask(t, "clock", `{"advance": "2m"}`)
			var at sync.WaitGroup
			for _, a := range actors {
				at.Go(func() {
					for n := range 45 {
						a.step(n)
					}
				})
			}
			at.Wait()
			first.ask(t, "clock", `{"advance": "1s"}`)
			want := seen(actors)
			if made := strings.Join(slices.Sorted(maps.Values(want)), ""); strings.Count(made, `"WorkspaceId"`) < 9 || !strings.Contains(made, `"PoolId"`) {
				t.Errorf("there is little to compare: %s", made)
			}
			second := recordWith(t, nil, takes)
			replay(t, second, path, false)
			same(t, "the replay", seen(second.actors(t, seed)), want)
		})
	}
}

// TestReplayOfUsers has users come and go as the portal has them, in a pool and on a WorkSpace, and a test suite say so.
func TestReplayOfUsers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	first := recordWith(t, nil, 0)
	if err := first.journal.Open(path, first.begun(t)); err != nil {
		t.Fatal(err)
	}
	actors := first.actors(t, 0)[:1]
	a := actors[0]
	a.settleIn()
	a.do("CreateWorkspaces", `{"Workspaces": [{"DirectoryId": %q, "UserName": "jane", "BundleId": %q}, {"DirectoryId": %[1]q, "UserName": "john", "BundleId": %[2]q}]}`,
		a.directory, value)
	a.do("CreateWorkspacesPool", `{"PoolName": "lab", "Description": "d", "BundleId": %q, "DirectoryId": %q, "RunningMode": "ALWAYS_ON", "Capacity": {"DesiredUserSessions": 2}}`,
		value, a.pools)
	found := a.all("DescribeWorkspaces", "{}", "Workspaces")
	jane, _ := found[0]["WorkspaceId"].(string)
	john, _ := found[1]["WorkspaceId"].(string)
	pool := a.pool()
	first.rest(t)
	a.act(store.Act{Kind: store.ActConnect}, jane, "tab")
	a.control(http.MethodPut, "connections/"+john, `{"connected": true}`)
	a.control(http.MethodPut, "connections/"+pool, `{"connected": true, "user": "ann"}`)
	a.act(store.Act{Kind: store.ActJoin, Pool: pool, User: "bob"}, "", "")
	a.act(store.Act{Kind: store.ActJoin, Pool: pool, User: "eve"}, "", "") // for whom none is left
	first.ask(t, "clock", `{"advance": "7m"}`)
	a.act(store.Act{Kind: store.ActHappen, Happenings: []workspaces.Happening{{
		Traits: workspaces.Traits{Scope: a.scope, WorkSpaceID: jane}, Metric: workspaces.MetricAttempt, At: workspaces.SampledAt(first.clock.Now()),
		Summary: workspaces.Summary{N: 1, Sum: 1, Min: 1, Max: 1},
	}}}, "", "")
	a.act(store.Act{Kind: store.ActDisconnect, At: first.clock.Now()}, jane, "tab")
	a.act(store.Act{Kind: store.ActLeave, Pool: pool, User: "bob"}, "", "")
	a.do("StopWorkspaces", `{"StopWorkspaceRequests": [{"WorkspaceId": %q}]}`, john)
	first.ask(t, "clock", `{"advance": "1h"}`)
	want := seen(actors)
	for _, has := range []string{"DISCONNECTED", "ann", "ConnectionAttempt"} {
		if !strings.Contains(fmt.Sprint(want), has) {
			t.Errorf("%v has no %s", want, has)
		}
	}
	second := recordWith(t, nil, 0)
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if played, err := second.player.Play(t.Context(), file); err != nil || len(played.Differences) > 0 {
		t.Fatalf("%+v, %v", played, err)
	}
	same(t, "the replay", seen(second.actors(t, 0)[:1]), want)
}

// act does what a user does beside the API, to a WorkSpace where the act needs one.
func (a *actor) act(act store.Act, workSpace, tab string) {
	a.t.Helper()
	act.Scope = a.scope
	if workSpace != "" {
		act.Stream = &store.Stream{Scope: a.scope, WorkSpaceID: workSpace, ID: tab, OpenedAt: a.clock.Now()}
	}
	ctx := api.WithCaller(a.t.Context(), api.Caller{Account: a.scope.Account, Region: a.scope.Region})
	err := a.journal.Act(ctx, &act, func(ctx context.Context) (err error) {
		switch act.Kind {
		case store.ActJoin:
			_, err = a.api.JoinPool(ctx, act.Pool, act.User)
		case store.ActLeave:
			err = a.api.LeavePool(ctx, act.Pool, act.User)
		default:
			err = a.store.Update(ctx, func(tx *store.Tx) error { return tx.Repeat(ctx, &act) })
		}
		return err
	})
	if _, refused := errors.AsType[*workspaces.Error](err); err != nil && !refused {
		a.t.Error(err)
	}
}
