// Package api is what the generated wire types, the code behind the operations and the wire itself share: the shape of an
// operation, the input checks that its model asks for, modelled exceptions, and who is calling.
//
// The packages below it (workspaces, ds, dsdata, sts, tagging, monitoring) are generated from the pinned public API models by apigen and are
// never edited. Generated names keep the model's spelling (WorkspaceId, CreateWorkspacesRequest); a reader can tell by the
// spelling on which side of the wire a value belongs.
//
// Package api imports the standard library, a JSON and a CBOR library, nothing of Carrel: it knows no HTTP, no signatures and
// no WorkSpaces. Start reading at Operation and Bind.
package api

//go:generate go run ./apigen
