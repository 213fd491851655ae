// Package sidechannel is what goes between Carrel and a desktop beside the screen: files into the user's home and out of
// it, the desktop's sound, and that its user has signed out. It is HTTP/1.1 on a Unix socket of the desktop's, which nothing but the engine reaches.
//
//	GET  /files                   the files to take, as JSON ([Listing])
//	GET  /files/FOLDER/NAME       one of them, with its length
//	PUT  /files/FOLDER/NAME       puts one; 201 and where it is now, as JSON ([File])
//	GET  /sound                   raw PCM for as long as the caller listens, nothing while it is silent
//	GET  /session                 a line once the user has signed out since the desktop was started; until then nothing. A
//	                              connection that breaks before says nothing either: it is to be asked again
//
// protocol.go has the words of both ends, [Handler] is the desktop's end and [Client] Carrel's. Neither trusts the other: the
// user may be root in the desktop and answer whatever they like, so that the client bounds what it reads and waits for, and
// takes over no header.
//
// It imports the standard library and golang.org/x/text only, for it is in the agent of every desktop.
package sidechannel
