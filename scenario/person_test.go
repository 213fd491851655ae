package scenario_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"
	"github.com/chromedp/chromedp"
)

// person is somebody at work in their desktop, in a browser, on real Incus, and their administrator.
type person struct {
	*browser
	server *server

	name, password string
	quick          struct {
		DirectoryID      string `json:"directory_id"`
		RegistrationCode string `json:"registration_code"`
		BundleID         string `json:"bundle_id"`
	}
	desktop string // the id of their WorkSpace
}

// TestPerson is the main job, seen from the chair: sign in, work, come back after the desktop was
// stopped, find everything, see it rebuilt and restored, and be kept out from the wrong place.
func TestPerson(t *testing.T) {
	if os.Getenv("CARREL_TEST_INCUS") != "1" {
		t.Skip("CARREL_TEST_INCUS is not 1: make test sets it, where it has started Incus")
	}
	t.Parallel()
	defer alone.Unlock()
	alone.Lock()
	p := &person{
		browser: openBrowser(t), name: "jane", password: "Str0ng-enough",
		server: &server{engine: "incus", dir: filepath.Join(t.TempDir(), "data"), project: "carrel-person-" + fmt.Sprint(os.Getpid())},
	}
	t.Cleanup(func() {
		if err := p.server.end(); err != nil {
			t.Errorf("cleaning up: %v", err)
		}
		if t.Failed() {
			t.Log("the server's log:\n" + p.server.log.String())
		}
	})
	p.administrator()
	p.signsIn()
	p.works()
	p.copiesAndPastes()
	p.goesAndComesBack()
	p.isRebuilt()
	p.isRestored()
	p.isKeptOut()
	if err := p.server.signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
}

// must fails the test where something went wrong.
func (p *person) must(what string, err error) {
	p.t.Helper()
	if err != nil {
		p.shot("failed")
		p.t.Fatalf("%s: %v; the page says: %s", what, err, p.text())
	}
}

// administrator makes what there has to be: a directory that lets browsers in, a user, a WorkSpace.
func (p *person) administrator() {
	p.t.Helper()
	p.must("start", p.server.start("--control"))
	quickstart := exec.CommandContext(p.t.Context(), program, "directory", "quickstart", "--user", p.name, "--password", p.password, "--output", "json")
	quickstart.Env = append(clean(os.Environ()), "CARREL_DATA="+p.server.dir)
	out, err := quickstart.Output()
	p.must("quickstart", err)
	p.must("quickstart", json.Unmarshal(out, &p.quick))
	made, err := p.server.client.CreateWorkspaces(p.t.Context(), &workspaces.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{{
		DirectoryId: &p.quick.DirectoryID, UserName: &p.name, BundleId: &p.quick.BundleID,
		WorkspaceProperties: &types.WorkspaceProperties{RunningMode: types.RunningModeAutoStop, RunningModeAutoStopTimeoutInMinutes: aws.Int32(60)},
	}}})
	p.must("create", err)
	if len(made.PendingRequests) != 1 {
		p.t.Fatalf("nothing is made: %s", aws.ToString(made.FailedRequests[0].ErrorMessage))
	}
	p.desktop = *made.PendingRequests[0].WorkspaceId
}

// awaitState waits until the WorkSpace is in a state.
func (p *person) awaitState(want types.WorkspaceState) {
	p.t.Helper()
	p.must("await "+string(want), eventually(func() error {
		out, err := p.server.client.DescribeWorkspaces(context.Background(), &workspaces.DescribeWorkspacesInput{WorkspaceIds: []string{p.desktop}})
		if err != nil || len(out.Workspaces) == 0 {
			return errors.Join(err, errors.New("it is not there"))
		}
		if is := out.Workspaces[0]; is.State != want {
			err = fmt.Errorf("it is %s %s", is.State, aws.ToString(is.ErrorMessage))
		}
		return err
	}))
}

// connection waits until DescribeWorkspacesConnectionStatus says so.
func (p *person) connection(want types.ConnectionState) {
	p.t.Helper()
	p.must("connection status", eventually(func() error { return p.server.connection(p.desktop, want) }))
}

// advance moves the server's clock.
func (p *person) advance(by string) {
	p.t.Helper()
	_, err := send(http.MethodPost, p.server.about.Endpoint+"/_carrel/clock", `{"advance": "`+by+`"}`, nil)
	p.must("advance the clock", err)
}

// finds waits until a file in the user's home holds the text.
func (p *person) finds(file, text string) {
	p.t.Helper()
	p.must("the file "+file, eventually(func() error {
		out, err := p.server.inside(p.desktop, "cat", "/home/"+p.name+"/"+file)
		if err == nil && strings.TrimSpace(out) != text {
			err = fmt.Errorf("it holds %q, not %q", out, text)
		}
		return err
	}))
}

// signsIn goes from the address to the desktop, by a wrong password first.
func (p *person) signsIn() {
	p.t.Helper()
	p.do("open the address", chromedp.Navigate(p.server.about.Endpoint), chromedp.WaitVisible("form.signin"))
	p.shot("sign-in")
	p.signIn(p.server.about.Endpoint, p.quick.RegistrationCode, p.name, "Wr0ng-password")
	p.do("a wrong password", chromedp.WaitVisible(".problem"))
	p.shot("wrong-password")
	p.signIn(p.server.about.Endpoint, p.quick.RegistrationCode, p.name, p.password)
	p.do("the list", chromedp.WaitVisible(".card"))
	p.awaitState(types.WorkspaceStateAvailable)
	p.await("the picture of the screen", `document.querySelector(".card .screen img")?.naturalWidth > 0`)
	p.shot("list")
	undo := p.phone()
	p.shot("list-phone-dark")
	undo()
	p.connects()
	p.shot("desktop")
}

// connects follows the link to the desktop and waits until it is on the screen.
func (p *person) connects() {
	p.t.Helper()
	p.do("connect", chromedp.WaitVisible(`a[id$="-connect"]`), chromedp.Click(`a[id$="-connect"]`))
	p.connected()
	p.connection(types.ConnectionStateConnected)
}

// works opens a terminal with the keyboard and writes a file.
func (p *person) works() {
	p.t.Helper()
	p.terminal()
	p.types("echo I was here > note.txt\r")
	p.finds("note.txt", "I was here")
	p.shot("terminal")
}

// terminal has a terminal with the keyboard's focus.
func (p *person) terminal() {
	p.t.Helper()
	p.must("the session", eventually(func() error {
		_, err := p.server.inside(p.desktop, "pgrep", "-x", "xfdesktop")
		return err
	}))
	p.chord("t", "KeyT", 84, chromedp.ModifierCtrl|chromedp.ModifierAlt)
	var marks int
	p.must("a terminal", eventually(func() error { // its shell answers once it has the keyboard
		marks++
		mark := fmt.Sprintf("/tmp/mark%d", marks)
		if _, err := p.server.inside(p.desktop, "pgrep", "-u", "10001", "-x", "bash"); err != nil {
			return err
		}
		p.types("touch " + mark + "\r")
		time.Sleep(300 * time.Millisecond)
		_, err := p.server.inside(p.desktop, "test", "-e", mark)
		return err
	}))
}

// copiesAndPastes takes a text each way.
func (p *person) copiesAndPastes() {
	p.t.Helper()
	p.allowClipboard(p.server.about.Endpoint)
	const to, from = "from the device: äöü €", "from-the-desktop-4711"
	p.script("copy on the device", `navigator.clipboard.writeText("`+to+`").then(() => "done")`)
	p.types("cat > pasted.txt\r")
	p.must("cat", eventually(func() error { // else it is the shell that is pasted to
		_, err := p.server.inside(p.desktop, "pgrep", "-x", "cat")
		return err
	}))
	p.chord("V", "KeyV", 86, chromedp.ModifierCtrl|chromedp.ModifierShift, "paste")
	time.Sleep(300 * time.Millisecond) // the terminal has asked the X server for the text by then
	p.types("\r")
	p.chord("d", "KeyD", 68, chromedp.ModifierCtrl)
	p.finds("pasted.txt", to)

	p.types("clear; echo " + from + "\r")
	time.Sleep(300 * time.Millisecond)
	p.chord("A", "KeyA", 65, chromedp.ModifierCtrl|chromedp.ModifierShift)
	p.chord("C", "KeyC", 67, chromedp.ModifierCtrl|chromedp.ModifierShift)
	p.must("paste on the device", eventually(func() error {
		if text := p.script("read the clipboard", `navigator.clipboard.readText()`); !strings.Contains(text, from) {
			return fmt.Errorf("the device's clipboard holds %q", text)
		}
		return nil
	}))
}

// goesAndComesBack leaves; the desktop stops after its hour; signing in starts it, with the file in it.
func (p *person) goesAndComesBack() {
	p.t.Helper()
	p.advance("59m") // somebody is connected: nothing stops
	p.do("leave", chromedp.Navigate(p.server.about.Endpoint+"/desktops"))
	p.connection(types.ConnectionStateDisconnected)
	p.advance("59m")
	time.Sleep(time.Second) // a stop that came too early would have begun
	p.awaitState(types.WorkspaceStateAvailable)
	p.advance("2m")
	p.awaitState(types.WorkspaceStateStopped)
	p.do("the list", chromedp.Navigate(p.server.about.Endpoint))
	p.shot("stopped")
	began := time.Now()
	p.comesBack()
	p.t.Logf("from the list to a desktop that was stopped: %v, to its session's first picture: %v", p.since(began), time.Since(began).Round(10*time.Millisecond))
	p.awaitState(types.WorkspaceStateAvailable)
	p.finds("note.txt", "I was here")
	p.timesStart()
	p.shot("back")
}

// timesStart says how long a start takes without the portal, to be held against what it takes with
// it, and how long it is from signing in to the picture of a desktop that runs.
func (p *person) timesStart() {
	p.t.Helper()
	ctx := p.t.Context()
	p.do("leave", chromedp.Navigate(p.server.about.Endpoint+"/desktops"))
	_, err := p.server.client.StopWorkspaces(ctx, &workspaces.StopWorkspacesInput{StopWorkspaceRequests: []types.StopRequest{{WorkspaceId: &p.desktop}}})
	p.must("stop", err)
	p.awaitState(types.WorkspaceStateStopped)
	began := time.Now()
	_, err = p.server.client.StartWorkspaces(ctx, &workspaces.StartWorkspacesInput{StartWorkspaceRequests: []types.StartRequest{{WorkspaceId: &p.desktop}}})
	p.must("start", err)
	p.awaitState(types.WorkspaceStateAvailable)
	p.t.Logf("a start by the API: %v", time.Since(began).Round(10*time.Millisecond))
	p.do("sign out", chromedp.Click(`form[action="/sign-out"] button`), chromedp.WaitVisible("form.signin"))
	p.must("the session", eventually(func() error {
		_, err := p.server.inside(p.desktop, "pgrep", "-x", "xfdesktop")
		return err
	}))
	began = time.Now()
	p.signIn(p.server.about.Endpoint, p.quick.RegistrationCode, p.name, p.password)
	p.connects()
	p.t.Logf("from the sign-in page to a desktop that runs: %v, to its session's picture: %v", p.since(began), time.Since(began).Round(10*time.Millisecond))
}

// since is how long it took until the page showed the desktop.
func (p *person) since(began time.Time) time.Duration {
	return p.shown.Sub(began).Round(10 * time.Millisecond)
}

// snapshot waits until both kinds of snapshots are younger than now, at the clock's pace.
func (p *person) snapshot() {
	p.t.Helper()
	var before time.Time
	look := func() (time.Time, error) {
		out, err := p.server.client.DescribeWorkspaceSnapshots(context.Background(), &workspaces.DescribeWorkspaceSnapshotsInput{WorkspaceId: &p.desktop})
		if err != nil || len(out.RestoreSnapshots) == 0 || len(out.RebuildSnapshots) == 0 {
			return time.Time{}, errors.Join(err, errors.New("there are none"))
		}
		return *out.RestoreSnapshots[0].SnapshotTime, nil
	}
	before, _ = look() // there may be none yet
	p.advance("12h1m")
	p.must("snapshots", eventually(func() error {
		at, err := look()
		if err == nil && !at.After(before) {
			err = errors.New("there is no new one")
		}
		return err
	}))
}

// isRebuilt gets a new root volume, and the user volume of the last snapshot.
func (p *person) isRebuilt() {
	p.t.Helper()
	p.snapshot()
	_, err := p.server.inside(p.desktop, "touch", "/opt/of-the-old-root")
	p.must("mark the root volume", err)
	out, err := p.server.client.RebuildWorkspaces(p.t.Context(), &workspaces.RebuildWorkspacesInput{
		RebuildWorkspaceRequests: []types.RebuildRequest{{WorkspaceId: &p.desktop}},
	})
	p.must("rebuild", err)
	if len(out.FailedRequests) > 0 {
		p.t.Fatal(aws.ToString(out.FailedRequests[0].ErrorMessage))
	}
	p.awaitState(types.WorkspaceStateAvailable)
	p.finds("note.txt", "I was here")
	if _, err := p.server.inside(p.desktop, "test", "-e", "/opt/of-the-old-root"); err == nil {
		p.t.Error("a rebuilt desktop has the old root volume")
	}
	p.comesBack()
	p.shot("rebuilt")
}

// comesBack connects anew, whatever page there is, signing in where that is asked for.
func (p *person) comesBack() {
	p.t.Helper()
	p.do("the list", chromedp.Navigate(p.server.about.Endpoint))
	if strings.Contains(p.text(), "Sign in to your desktop") {
		p.signIn(p.server.about.Endpoint, p.quick.RegistrationCode, p.name, p.password)
	}
	p.connects()
}

// isRestored goes back to the state of the last snapshots, both volumes of it.
func (p *person) isRestored() {
	p.t.Helper()
	_, err := p.server.inside(p.desktop, "touch", "/opt/kept")
	p.must("mark the root volume", err)
	p.snapshot()
	p.comesBack() // half a day later they are signed out
	p.terminal()
	p.types("echo I changed my mind > note.txt\r")
	p.finds("note.txt", "I changed my mind")
	_, err = p.server.inside(p.desktop, "touch", "/opt/lost")
	p.must("mark the root volume", err)
	_, err = p.server.client.RestoreWorkspace(p.t.Context(), &workspaces.RestoreWorkspaceInput{WorkspaceId: &p.desktop})
	p.must("restore", err)
	p.awaitState(types.WorkspaceStateAvailable)
	p.finds("note.txt", "I was here")
	if _, err := p.server.inside(p.desktop, "test", "-e", "/opt/kept"); err != nil {
		p.t.Error("the restored root volume lacks what was there at the snapshot: ", err)
	}
	if _, err := p.server.inside(p.desktop, "test", "-e", "/opt/lost"); err == nil {
		p.t.Error("the restored root volume has what came after the snapshot")
	}
	p.comesBack()
	p.shot("restored")
}

// isKeptOut loses the stream when an IP group leaves the address out, and cannot sign in.
func (p *person) isKeptOut() {
	p.t.Helper()
	group, err := p.server.client.CreateIpGroup(p.t.Context(), &workspaces.CreateIpGroupInput{
		GroupName: aws.String("elsewhere"), UserRules: []types.IpRuleItem{{IpRule: aws.String("192.0.2.0/24")}},
	})
	p.must("make an IP group", err)
	_, err = p.server.client.AssociateIpGroups(p.t.Context(), &workspaces.AssociateIpGroupsInput{
		DirectoryId: &p.quick.DirectoryID, GroupIds: []string{*group.GroupId},
	})
	p.must("associate it", err)
	p.await("the stream is cut", `document.body.dataset.phase === "over" || !document.querySelector("#screen")`)
	p.shot("cut")
	p.connection(types.ConnectionStateDisconnected)
	p.do("come back", chromedp.Navigate(p.server.about.Endpoint))
	p.await("kept out", `document.body.innerText.includes("127.0.0.1")`)
	p.shot("kept-out")
	_, err = p.server.client.DisassociateIpGroups(p.t.Context(), &workspaces.DisassociateIpGroupsInput{
		DirectoryId: &p.quick.DirectoryID, GroupIds: []string{*group.GroupId},
	})
	p.must("disassociate it", err)
	p.do("the list", chromedp.Navigate(p.server.about.Endpoint), chromedp.WaitVisible(".card"))
}
