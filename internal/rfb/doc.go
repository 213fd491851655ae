// Package rfb speaks the Remote Framebuffer protocol, version 3.8 (RFC 6143), which
// carries a desktop's screen, keyboard, pointer and clipboard: as a client as far as
// a health check and a screenshot need it, and as a small server, which simulated
// desktops stand on. Its messages are values that can be read and appended on their
// own, for whoever has to look into a stream between two other programs.
//
// It imports only the standard library and knows nothing of desktops. Start at
// [Greeting], [Screenshot] and [Server]; the messages are in clientmessage.go and
// servermessage.go.
//
// Neither side trusts the other: lengths and sizes are bounded before anything is
// allocated, and both sides are fuzzed.
package rfb
