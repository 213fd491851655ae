// Package rfb speaks the Remote Framebuffer protocol, version 3.8 (RFC 6143), which
// carries a desktop's screen, keyboard, pointer and clipboard: as a client as far as
// a health check and a screenshot need it, and as a small server, which simulated
// desktops stand on. Between a server and a client that are strangers to each other
// stands a relay, which follows what they say without keeping it.
//
// It imports only the standard library and knows nothing of desktops. Start at
// [Greeting], [Screenshot], [Server] and [Relay]; the messages are in clientmessage.go
// and servermessage.go, what follows rectangles in relay_server.go and tight.go.
//
// Neither side trusts the other: lengths and sizes are bounded before anything is
// allocated, and both sides are fuzzed.
package rfb
