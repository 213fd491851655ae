package scenario_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"
	"github.com/chromedp/chromedp"

	"carrel/web"
)

// TestPoolPerson sees a pool from the chair, on simulated desktops: connect, be warned, find that the session is
// over, begin another, and end it.
func TestPoolPerson(t *testing.T) {
	t.Parallel()
	if !web.HasClient() && os.Getenv("CARREL_TEST_REQUIRE") != "1" {
		t.Skip("the desktop's page is not built")
	}
	p := &person{
		browser: openBrowser(t), name: "jane", password: "Str0ng-enough",
		server: &server{engine: "simulated", dir: filepath.Join(t.TempDir(), "data")},
	}
	t.Cleanup(func() {
		if err := p.server.end(); err != nil {
			t.Errorf("cleaning up: %v", err)
		}
	})
	pool := p.pool()
	p.signIn(p.server.about.Endpoint, p.quick.RegistrationCode, p.name, p.password)
	p.await("the pool", `document.querySelector(".card h2")?.textContent === "lab" && document.querySelector(".card").dataset.label === "Ready"`)
	p.shot("pool")
	p.do("connect", chromedp.Click("#"+pool+"-connect"))
	p.await("the desktop", `document.body.dataset.phase === "connected"`)

	p.advance("7h56m")
	p.await("a warning", `!document.querySelector("#said").hidden && document.querySelector("#said").textContent.startsWith("Your session ends at")`)
	p.shot("warning")
	p.advance("5m")
	p.await("the end", `document.querySelector("#cover-title").textContent === "Your session has ended" && document.querySelector("#said").hidden && !document.querySelector("[data-choice=start]").hidden`)
	p.shot("over")
	p.do("another", chromedp.Click("[data-choice=start]"))
	p.await("the desktop", `document.body.dataset.phase === "connected"`)

	p.signsOutInside(pool)
	p.do("the list", chromedp.Navigate(p.server.about.Endpoint+"/desktops"), chromedp.WaitVisible("#"+pool+"-end"))
	p.shot("session")
	p.do("end it", chromedp.Click("#"+pool+"-end"), chromedp.WaitVisible("#confirm-yes"), chromedp.Click("#confirm-yes"))
	p.await("a desktop for the next", `document.querySelector(".card")?.dataset.label === "Ready" && !document.querySelector("#`+pool+`-end")`)
	if err := p.server.signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
}

// signsOutInside has the user sign out in the desktop, which ends the session at once, and begins another.
func (p *person) signsOutInside(pool string) {
	p.t.Helper()
	first := p.session(pool)
	_, err := send(http.MethodPost, p.server.about.Endpoint+"/_carrel/desktops/"+first+"/sign-out", "", nil)
	p.must("sign out inside", err)
	p.await("told so", `document.querySelector("#cover-title").textContent === "You have signed out" && !document.querySelector("[data-choice=anew]").hidden`)
	p.shot("signed-out")
	p.do("begin anew", chromedp.Click("[data-choice=anew]"))
	p.await("another desktop", `document.body.dataset.phase === "connected"`)
	if second := p.session(pool); second == first {
		p.t.Errorf("the session %s goes on", first)
	}
}

// session returns the id of the pool's only session that lasts.
func (p *person) session(pool string) string {
	p.t.Helper()
	out, err := p.server.client.DescribeWorkspacesPoolSessions(p.t.Context(), &workspaces.DescribeWorkspacesPoolSessionsInput{PoolId: &pool})
	p.must("sessions", err)
	if len(out.Sessions) != 1 {
		p.t.Fatalf("there are %d sessions", len(out.Sessions))
	}
	return *out.Sessions[0].SessionId
}

// pool makes what there has to be: a directory that lets browsers in, a user, and a pool of one desktop, which runs.
func (p *person) pool() (id string) {
	p.t.Helper()
	ctx := p.t.Context()
	p.must("start", p.server.start("--control", "--instant"))
	made, err := p.server.client.RegisterWorkspaceDirectory(ctx, &workspaces.RegisterWorkspaceDirectoryInput{
		WorkspaceType: types.WorkspaceTypePools, UserIdentityType: types.UserIdentityTypeCustomerManaged, SubnetIds: p.server.about.SubnetIDs,
		WorkspaceDirectoryName: new("Lab"), WorkspaceDirectoryDescription: new("Laboratory"),
	})
	p.must("register", err)
	_, err = p.server.client.ModifyWorkspaceAccessProperties(ctx, &workspaces.ModifyWorkspaceAccessPropertiesInput{
		ResourceId: made.DirectoryId, WorkspaceAccessProperties: &types.WorkspaceAccessProperties{DeviceTypeWeb: types.AccessPropertyValueAllow},
	})
	p.must("let browsers in", err)
	described, err := p.server.client.DescribeWorkspaceDirectories(ctx, &workspaces.DescribeWorkspaceDirectoriesInput{})
	p.must("describe", err)
	p.quick.RegistrationCode = *described.Directories[0].RegistrationCode
	add := exec.CommandContext(ctx, program, "user", "add", p.name, "--password", p.password)
	add.Env = append(clean(os.Environ()), "CARREL_DATA="+p.server.dir)
	out, err := add.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	p.must("add a user", err)
	pool, err := p.server.client.CreateWorkspacesPool(context.WithoutCancel(ctx), &workspaces.CreateWorkspacesPoolInput{
		PoolName: new("lab"), Description: new("For chemists"), BundleId: new("wsb-carrelval"), DirectoryId: made.DirectoryId,
		RunningMode: types.PoolsRunningModeAlwaysOn, Capacity: &types.Capacity{DesiredUserSessions: new(int32(1))},
		TimeoutSettings: &types.TimeoutSettings{MaxUserDurationInSeconds: new(int32(8 * 3600))},
	})
	p.must("make a pool", err)
	return *pool.WorkspacesPool.PoolId
}
