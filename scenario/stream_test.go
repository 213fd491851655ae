package scenario_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"
	"github.com/coder/websocket"
	"github.com/rogpeppe/go-internal/testscript"
)

// The commands for a desktop's screen, through the portal as a browser uses it.

// connect opens the stream of a desktop, which goes on until something ends it. Its ticket is then
// tried once more, which has to be refused.
func connect(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 1 && (len(args) != 2 || args[1] != "share") {
		return errors.New("usage: connect ID [share]")
	}
	form := "start=yes"
	if len(args) == 2 {
		form += "&share=yes"
	}
	var said struct{ Ticket, Text string }
	err := eventually(func() error { // a desktop that starts takes more than one reply
		status, text, err := s.browse(http.MethodPost, "/desktop/"+args[0]+"/ticket", "application/x-www-form-urlencoded", form)
		if err == nil && status >= http.StatusBadRequest {
			return final{fmt.Errorf("%d: %s", status, text)}
		}
		if err == nil {
			err = json.Unmarshal([]byte(text), &said)
		}
		if err == nil && said.Ticket == "" {
			err = errors.New(said.Text)
		}
		return err
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	socket, err := s.dialStream(ctx, args[0], said.Ticket)
	if err != nil {
		return err
	}
	s.streams = append(s.streams, socket)
	kind, greeting, err := socket.Read(ctx)
	if err != nil || kind != websocket.MessageBinary || string(greeting) != "RFB 003.008\n" {
		return fmt.Errorf("the desktop greets with %v %q: %w", kind, greeting, err)
	}
	if again, err := s.dialStream(ctx, args[0], said.Ticket); err == nil {
		_ = again.CloseNow()
		return errors.New("a ticket was good for two streams")
	}
	return s.handshake(ctx, socket)
}

func (s *server) dialStream(ctx context.Context, id, ticket string) (*websocket.Conn, error) {
	socket, _, err := websocket.Dial(ctx, s.about.Endpoint+"/desktop/"+id+"/stream?ticket="+ticket, &websocket.DialOptions{
		HTTPClient: s.browser, HTTPHeader: http.Header{"Origin": {s.about.Endpoint}},
	})
	return socket, err
}

// handshake goes with a stream as far as the size of the screen (RFC 6143, section 7).
func (*server) handshake(ctx context.Context, socket *websocket.Conn) error {
	for _, message := range []string{"RFB 003.008\n", "\x01", "\x01"} { // the version, no password, shared
		if err := socket.Write(ctx, websocket.MessageBinary, []byte(message)); err != nil {
			return err
		}
	}
	const before, screen = 2 + 4, 24 // the kinds of security and the result; what tells of the screen, at the least
	for got := 0; got < before+screen; {
		kind, part, err := socket.Read(ctx)
		if err != nil {
			return fmt.Errorf("in the handshake: %w", err)
		}
		if kind == websocket.MessageBinary {
			got += len(part)
		}
	}
	return nil
}

// cutOff waits until the oldest stream that is open has been ended with one of the codes.
func cutOff(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) == 0 || len(s.streams) == 0 {
		return errors.New("usage: cut-off CODE…, after connect")
	}
	socket := s.streams[0]
	s.streams = s.streams[1:]
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var err error
	for err == nil {
		_, _, err = socket.Read(ctx)
	}
	if is := websocket.CloseStatus(err); !slices.Contains(args, strconv.Itoa(int(is))) {
		return fmt.Errorf("the stream ended with %d, not %v: %w", is, args, err)
	}
	return nil
}

// leave ends the oldest stream that is open, as a tab does that is closed.
func leave(_ *testscript.TestScript, s *server, _ []string) error {
	if len(s.streams) == 0 {
		return errors.New("nobody is connected")
	}
	socket := s.streams[0]
	s.streams = s.streams[1:]
	return socket.Close(websocket.StatusGoingAway, "")
}

// connection waits until DescribeWorkspacesConnectionStatus says so of a WorkSpace.
func connection(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: connection ID STATE")
	}
	return eventually(func() error { return s.connection(args[0], types.ConnectionState(args[1])) })
}

func (s *server) connection(id string, want types.ConnectionState) error {
	out, err := s.client.DescribeWorkspacesConnectionStatus(context.Background(),
		&workspaces.DescribeWorkspacesConnectionStatusInput{WorkspaceIds: []string{id}})
	if err != nil || len(out.WorkspacesConnectionStatus) == 0 {
		return errors.Join(err, errors.New("there is none"))
	}
	if is := out.WorkspacesConnectionStatus[0]; is.ConnectionState != want || is.LastKnownUserConnectionTimestamp == nil {
		return fmt.Errorf("it is %s, last connected %v", is.ConnectionState, is.LastKnownUserConnectionTimestamp)
	}
	return nil
}

// remains fails if a desktop leaves its state within a second: what must not happen has no other sign.
func remains(ts *testscript.TestScript, s *server, args []string) error {
	time.Sleep(time.Second)
	return await(ts, s, args)
}
