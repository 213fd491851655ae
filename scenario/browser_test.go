package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	permission "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// browser is a headless Chromium with one tab, as a person uses it.
type browser struct {
	t     *testing.T
	tab   context.Context
	shots string // where its screenshots are kept
	count int
	shown time.Time // when the page last began to show a desktop, whose session may still be starting
}

// openBrowser starts a browser that ends with the test. Where there is none the test is skipped,
// unless CARREL_TEST_REQUIRE=1 says that there has to be.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CARREL_TEST_REQUIRE") == "1" {
			t.Fatal("there is no chromium, and make test installs it: ", err)
		}
		t.Skip("there is no chromium: ", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.WindowSize(1280, 800),
		// Nothing of the browser's own goes out.
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-quic", true), chromedp.UserDataDir(t.TempDir()),
	)
	allocated, end := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(end)
	tab, closeTab := chromedp.NewContext(allocated, chromedp.WithErrorf(t.Logf))
	t.Cleanup(closeTab)
	b := &browser{t: t, tab: tab, shots: filepath.Join(os.Getenv("CARREL_TEST_SCREENSHOTS"), t.Name())}
	if os.Getenv("CARREL_TEST_SCREENSHOTS") == "" {
		b.shots = t.TempDir()
	}
	if err := os.MkdirAll(b.shots, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(tab); err != nil { // not under a deadline: the browser would end with it
		t.Fatal("the browser does not start: ", err)
	}
	return b
}

// do takes the actions, and fails the test with a picture of the page where they do not end.
func (b *browser) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.tab, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.shot("failed")
		b.t.Fatalf("%s: %v; the page says: %s", what, err, b.text())
	}
}

// text is what the page says, for a failed test.
func (b *browser) text() string {
	ctx, cancel := context.WithTimeout(b.tab, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.pathname + ": " + document.body.innerText`))
	if err != nil {
		return err.Error()
	}
	return text
}

// await waits until a JavaScript expression is true, on whatever page the browser is by then.
func (b *browser) await(what, expression string) {
	b.t.Helper()
	err := eventually(func() error {
		ctx, cancel := context.WithTimeout(b.tab, patience)
		defer cancel()
		is, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		if err == nil && !is {
			err = errors.New("it is not so: " + expression)
		}
		return err
	})
	if err != nil {
		b.shot("failed")
		b.t.Fatalf("%s: %v; the page says: %s", what, err, b.text())
	}
}

// shot keeps a picture of the page.
func (b *browser) shot(name string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.tab, 20*time.Second)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Errorf("no screenshot of %s: %v", name, err)
		return
	}
	b.count++
	path := filepath.Join(b.shots, fmt.Sprintf("%02d-%s.png", b.count, name))
	if err := os.WriteFile(path, picture, 0o600); err != nil {
		b.t.Error(err)
	}
}

// phone makes the page as small as a phone's, in its dark colours; the returned function undoes it.
func (b *browser) phone() (undo func()) {
	b.t.Helper()
	b.do("a phone", chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateScale(2)),
		colours("dark"))
	return func() {
		b.do("a large screen", chromedp.EmulateViewport(1280, 800), colours("light"))
	}
}

// colours is which colours the person likes.
func colours(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}

// signIn fills the form in and sends it.
func (b *browser) signIn(address, code, name, password string) {
	b.t.Helper()
	b.do("sign in",
		chromedp.Navigate(address),
		chromedp.WaitVisible("#password"),
		chromedp.SetValue("#code", code), chromedp.SetValue("#name", name), chromedp.SetValue("#password", password),
		chromedp.Click("form.signin button[type=submit]"),
	)
}

// connected waits until the page shows the desktop, and more of it than one colour.
func (b *browser) connected() {
	b.t.Helper()
	b.await("the desktop's page", `document.body.dataset.phase === "connected"`)
	b.shown = time.Now()
	b.await("a picture of the desktop", `(() => {
		const canvas = document.querySelector("#screen canvas");
		if (!canvas || !canvas.width) return false;
		const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
		const colours = new Set();
		for (let i = 0; i < pixels.length && colours.size < 8; i += 4 * 97) colours.add(pixels[i] << 16 | pixels[i+1] << 8 | pixels[i+2]);
		return colours.size >= 8;
	})()`)
	b.do("focus", chromedp.Evaluate[chromedp.Void](`document.querySelector("#screen canvas").focus()`))
}

// types presses the keys for a text, as fast as a quick typist.
func (b *browser) types(text string) {
	b.t.Helper()
	for _, r := range text {
		b.do("type", chromedp.KeyEvent(string(r)), chromedp.Sleep(15*time.Millisecond))
	}
}

// chord presses a key together with others, and gives the page the browser's own command with it.
func (b *browser) chord(key, code string, number int64, modifiers chromedp.Modifier, commands ...string) {
	b.t.Helper()
	press := input.DispatchKeyEventParams{
		Key: key, Code: code, WindowsVirtualKeyCode: number, Modifiers: int64(modifiers), Commands: commands,
	}
	keys := []input.DispatchKeyEventParams{press}
	for _, held := range []struct {
		modifier chromedp.Modifier
		press    input.DispatchKeyEventParams
	}{
		{chromedp.ModifierCtrl, input.DispatchKeyEventParams{Key: "Control", Code: "ControlLeft", WindowsVirtualKeyCode: 17}},
		{chromedp.ModifierAlt, input.DispatchKeyEventParams{Key: "Alt", Code: "AltLeft", WindowsVirtualKeyCode: 18}},
		{chromedp.ModifierShift, input.DispatchKeyEventParams{Key: "Shift", Code: "ShiftLeft", WindowsVirtualKeyCode: 16}},
	} {
		if modifiers&held.modifier != 0 {
			keys = append([]input.DispatchKeyEventParams{held.press}, keys...)
		}
	}
	b.do("press "+key, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for _, k := range keys {
			k.Type = input.DispatchKeyEventTypeRawKeyDown
			if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, k); err != nil {
				return err
			}
		}
		for _, k := range slices.Backward(keys) {
			k.Type, k.Commands = input.DispatchKeyEventTypeKeyUp, nil
			if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, k); err != nil {
				return err
			}
		}
		return nil
	}))
}

// allowClipboard lets pages of the address use the clipboard, as a person does who is asked.
func (b *browser) allowClipboard(address string) {
	b.t.Helper()
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		_, err := chromedp.CallBrowser(b.tab, permission.SetPermission, permission.SetPermissionParams{
			Permission: &permission.PermissionDescriptor{Name: name}, Setting: permission.PermissionSettingGranted, Origin: address,
		})
		if err != nil {
			b.t.Fatal("allow the clipboard: ", err)
		}
	}
}

// script runs a piece of JavaScript, waits for what it promises and returns the text that it comes to.
func (b *browser) script(what, expression string) string {
	b.t.Helper()
	var text string
	b.do(what, func(ctx context.Context, t *chromedp.Target) (_ chromedp.Void, err error) {
		text, err = chromedp.Evaluate[string](expression, chromedp.EvalAwaitPromise)(ctx, t)
		return chromedp.Void{}, err
	})
	return text
}

// inside runs a command in a desktop, as root, through Incus.
func (s *server) inside(id string, command ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "incus", append([]string{"exec", "--project", s.project, id, "--"}, command...)...)
	cmd.Stdin = strings.NewReader("")
	out, err := cmd.Output()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w: %s", err, e.Stderr)
	}
	return string(out), err
}
