// Package side is the desktop's end of the side channel: it takes files into the user's home, gives them out, and hands on
// what the sound server plays. It runs as the user, in a process of its own that the agent starts when somebody connects
// and that ends when nobody has for a while; so it can do what the user can, and whatever tricks lie in the home are the
// user's own. Start at [Serve]; the protocol is package sidechannel's.
//
// Like the agent it imports the standard library, golang.org/x/sys and golang.org/x/text only.
package side
