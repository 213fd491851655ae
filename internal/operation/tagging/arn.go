package tagging

import (
	"strings"

	"carrel/internal/store"
	"carrel/internal/workspaces"
)

// resource is what an ARN names.
type resource struct {
	kind store.Taggable
	id   string
}

// tagsID is what the resource's tags are kept under.
func (r resource) tagsID() string { return r.kind.TagsID(r.id) }

// arn is the name of a resource of the scope.
func (r resource) arn(s workspaces.Scope) string {
	return strings.Join([]string{"arn:aws", r.kind.Service, s.Region, s.Account, r.kind.Type + "/" + r.id}, ":")
}

// parse reads an ARN. ours is false for a resource that cannot be the scope's: of another
// account or region, or of a sort that Carrel does not keep. An error is for what is no ARN.
func parse(arn string, s workspaces.Scope) (r resource, ours bool, err error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] == "" || parts[5] == "" {
		return r, false, workspaces.Errorf(workspaces.CodeInvalidParameter, "%s is not an ARN, which has the form arn:aws:SERVICE:REGION:ACCOUNT:TYPE/ID.", arn)
	}
	if parts[1] != "aws" {
		return r, false, workspaces.Errorf(workspaces.CodeInvalidParameter, "The partition %s of %s is not that of this endpoint.", parts[1], arn)
	}
	kind, id, _ := strings.Cut(parts[5], "/")
	for _, g := range store.Taggables() {
		if g.Service == parts[2] && g.Type == kind && g.Holds(id) {
			return resource{g, id}, parts[3] == s.Region && parts[4] == s.Account, nil
		}
	}
	return r, false, nil
}
