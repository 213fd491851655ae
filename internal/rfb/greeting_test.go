package rfb_test

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"carrel/internal/rfb"
)

func TestGreeting(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		sent string
		want error
	}{
		{"RFB 003.008\n", nil},
		{"RFB 003.003\n", nil},
		{"RFB 003.889\nand more", nil},
		{"SSH-2.0-Open", rfb.ErrProtocol},
		{"RFB 003.008 ", rfb.ErrProtocol},
		{"RFB 0x3.008\n", rfb.ErrProtocol},
		{"RFB 003.00", io.ErrUnexpectedEOF},
		{"", io.EOF},
	} {
		conn := newScript([]byte(test.sent))
		if err := rfb.Greeting(t.Context(), conn); !errors.Is(err, test.want) {
			t.Errorf("Greeting of %q: %v, want %v", test.sent, err, test.want)
		}
		if test.want == nil && conn.left() != len(test.sent)-12 {
			t.Errorf("Greeting of %q left %d bytes", test.sent, conn.left())
		}
	}
}

func TestGreetingKeepsToItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		defer server.Close()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		if err := rfb.Greeting(ctx, client); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Greeting of a silent server: %v", err)
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}

func TestGreetingLeavesNoDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		go func() {
			defer server.Close()
			_, _ = io.WriteString(server, "RFB 003.008\n")
			time.Sleep(time.Hour)
			_, _ = io.WriteString(server, "late")
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := rfb.Greeting(ctx, client); err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(client); string(got) != "late" || err != nil {
			t.Errorf("afterwards: %q, %v", got, err)
		}
	})
}
