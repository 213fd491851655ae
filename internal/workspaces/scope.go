package workspaces

import "fmt"

// Scope is the partition that everything lives in: an account and a region.
// Nothing in one scope can see or name anything in another.
type Scope struct {
	Account string // 12 digits
	Region  string // e.g. us-east-1
}

// ARN returns the Amazon resource name of a resource of this scope, for example
// arn:aws:workspaces:us-east-1:123456789012:workspace/ws-0123abcde.
func (s Scope) ARN(kind, id string) string {
	return fmt.Sprintf("arn:aws:workspaces:%s:%s:%s/%s", s.Region, s.Account, kind, id)
}

// Kind names a sort of thing that background work is done on.
type Kind string

// The kinds of things that have states which pass by themselves.
const (
	KindWorkSpace           Kind = "workspace"
	KindDirectory           Kind = "directory"
	KindWorkspaceDirectory  Kind = "workspace_directory"
	KindConnectionAlias     Kind = "connection_alias"
	KindTrust               Kind = "trust"
	KindAccountModification Kind = "account_modification"
	KindImage               Kind = "image"
	KindDeployment          Kind = "deployment"
	KindPool                Kind = "pool"
	KindPoolDesktop         Kind = "pool_desktop"
	KindPoolSession         Kind = "pool_session"
)

// Kinds returns all kinds.
func Kinds() []Kind {
	return []Kind{
		KindWorkSpace,
		KindDirectory,
		KindWorkspaceDirectory,
		KindConnectionAlias,
		KindAccountModification,
		KindImage,
		KindPool,
		KindPoolDesktop,
		KindPoolSession,
		KindTrust,
		KindDeployment,
	}
}

// Ref names one turn of work on one thing. The generation is the one that the
// thing had when the work was asked for: if it has moved on, the work is stale
// and must not touch it.
type Ref struct {
	Scope
	ID         string
	Generation int64
}
