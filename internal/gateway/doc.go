// Package gateway is the browser's side of Carrel: a user signs in to the portal with a
// registration code, sees their WorkSpaces, and works on one in a tab. What the
// administrator has set through the API decides who is let in and what they may do.
//
// It imports the domain, the store, the directories, the clock and the pages of package
// web. What it needs of engines and operations it asks for in the interfaces of seam.go,
// which main fills in. Start at [Portal.Register], the table of routes; admission.go has the
// rules of who is let in, session.go what a browser holds, ticket.go what opens a desktop.
package gateway
