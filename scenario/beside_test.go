package scenario_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/rogpeppe/go-internal/testscript"
)

// The commands for what goes beside the screen, through the portal as a browser uses it.

// signIn signs a user in to the portal for the commands after it.
func signIn(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 3 {
		return errors.New("usage: sign-in CODE USER PASSWORD")
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	s.browser = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	form := url.Values{"code": args[:1], "name": args[1:2], "password": args[2:]}
	status, text, err := s.browse(http.MethodPost, "/sign-in", "application/x-www-form-urlencoded", form.Encode())
	if err == nil && status != http.StatusSeeOther {
		err = fmt.Errorf("signing in: %d: %s", status, text)
	}
	return err
}

// ask makes a request to the portal and says what was answered.
func ask(ts *testscript.TestScript, s *server, args []string) error {
	if len(args) != 2 && len(args) != 3 {
		return errors.New("usage: ask METHOD PATH [BODY]")
	}
	status, text, err := s.browse(args[0], args[1], "application/octet-stream", strings.Join(args[2:], ""))
	if err == nil {
		_, err = fmt.Fprintln(ts.Stdout(), status, text)
	}
	return err
}

func (s *server) browse(method, path, kind, body string) (status int, text string, err error) {
	if s.browser == nil {
		return 0, "", errors.New("nobody is signed in")
	}
	request, err := http.NewRequestWithContext(context.Background(), method, s.about.Endpoint+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	request.Host = s.host
	request.Header = http.Header{"Content-Type": {kind}, "Sec-Fetch-Site": {"same-origin"}, "Accept": {"application/json"}}
	reply, err := s.browser.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer reply.Body.Close()
	content, err := io.ReadAll(reply.Body)
	return reply.StatusCode, string(content), err
}

// hear listens to a desktop, in which a real one has to be made to play something, until
// something is to be heard.
func hear(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: hear ID USER")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	socket, _, err := websocket.Dial(ctx, s.about.Endpoint+"/desktop/"+args[0]+"/sound", &websocket.DialOptions{
		HTTPClient: s.browser, HTTPHeader: http.Header{"Origin": {s.about.Endpoint}},
	})
	if err != nil {
		return err
	}
	defer func() { _ = socket.CloseNow() }()
	if s.engine == "incus" {
		time.AfterFunc(time.Second, func() {
			_, _ = s.inDesktop(args[0], "", "head -c 400000 /dev/urandom | XDG_RUNTIME_DIR=/run/user/10001 su "+args[1]+
				" -c 'paplay --raw --rate=48000 --channels=2 --format=s16le'") // unheard, it fails the scenario
		})
	}
	for received := 0; ; {
		_, pcm, err := socket.Read(ctx)
		if err != nil {
			return fmt.Errorf("heard nothing: %w", err)
		}
		if len(bytes.Trim(pcm, "\x00")) > 0 {
			return nil
		}
		received += len(pcm)
		if err := socket.Write(ctx, websocket.MessageText, []byte(strconv.Itoa(received))); err != nil {
			return err
		}
	}
}
