// Package workspaces is the domain: the nouns of Amazon WorkSpaces and the rules
// about them that hold whatever stores them, answers for them or runs them.
//
// It imports only the standard library and knows no JSON, SQL, HTTP or logging.
// Start reading at lifecycle.go: the one table that says what may happen to a
// WorkSpace in which state. The same noun names a file here, in package store
// and in package operation.
package workspaces
