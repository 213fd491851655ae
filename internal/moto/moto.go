// Package moto holds moto's ways: what Carrel does otherwise for suites that were written for moto, the
// emulator, and that want what moto does where that is not what the service does. Decision 26 says
// when they are kept: by --ci, from a reset by moto's own path until one by Carrel's. Nobody else meets them.
//
// What differs is one table, Differences. Operations ask Ways about one of its rules where they do otherwise;
// words.go has the texts of Directory Service's messages. It imports the API's words and nothing else.
package moto

import (
	"cmp"
	"sync/atomic"

	"carrel/internal/api"
	"carrel/internal/api/ds"
	wsapi "carrel/internal/api/workspaces"
)

// Rule names one thing that moto does otherwise than the service.
type Rule string

// The rules; Differences tells what each is.
const (
	SmallRootVolumes      Rule = "small root volumes"
	SecondWorkSpaces      Rule = "second WorkSpaces"
	WholeReplies          Rule = "whole replies"
	UnknownDirectories    Rule = "unknown directories"
	AnyNetworkID          Rule = "any network id"
	DirectoryLimits       Rule = "directory limits"
	OneDirectoryMore      Rule = "one directory more"
	NoDomainControllers   Rule = "no domain controllers"
	Words                 Rule = "words"
	HyphenedResourceTypes Rule = "hyphened resource types"
)

// Difference is a rule with what the service does and what moto does, as version 5.2.1 has it.
type Difference struct {
	Rule    Rule
	Service string
	Moto    string
}

// Differences are all rules. The page on automation shows them.
func Differences() []Difference {
	return []Difference{
		{SmallRootVolumes, "the volume pairs of the documentation", "a root volume of any size from 10 GiB on, and any user volume beside it"},
		{SecondWorkSpaces, "one WorkSpace for a user in a directory", "as many as are asked for"},
		{WholeReplies, "ids, user, state and bundle of a new WorkSpace in the reply of CreateWorkspaces", "its properties and encryption as well"},
		{UnknownDirectories, "ResourceNotFoundException from ModifyWorkspaceCreationProperties", "ValidationException"},
		{AnyNetworkID, "VPC ids of the model's form, such as `vpc-0a1b2c3d`; a directory's subnets in its VPC", "ids of any form, such as `vpc-466844`; subnets of any VPC"},
		{DirectoryLimits, "with open limits, 1,000 directories of each type", "10 Simple ADs, 20 Microsoft ADs and 10 AD Connectors, as GetDirectoryLimits says"},
		{OneDirectoryMore, "as many directories as the limit says", "one more than it says"},
		{NoDomainControllers, "two domain controllers in a new Microsoft AD", "none, until their number is set"},
		{Words, "the model's members, patterns and enums in the messages of ValidationException", "those of an older model, moto's names for members (`ssoPassword`), a list as Python shows it; their order; an AD Connector's password and user name held to a directory's rules"},
		{HyphenedResourceTypes, "resource types such as `workspaces:directory` in the tagging API", "`workspaces-directory` and `workspaces-image` as well, and `workspaces` is WorkSpaces alone"},
	}
}

// Ways says whether moto's ways are kept. A nil one never keeps them. It is safe for concurrent use.
type Ways struct{ kept atomic.Bool }

// Keep has moto's ways kept from now on, or no longer, and reports whether that changed anything.
func (w *Ways) Keep(kept bool) (changed bool) {
	return w != nil && w.kept.Swap(kept) != kept
}

// Follow reports whether moto's side of a rule is to be followed, and not the service's.
func (w *Ways) Follow(_ Rule) bool { return w != nil && w.kept.Load() }

// ResourceTypes returns resource types as the tagging API has them in the place of those that moto has for WorkSpaces.
func ResourceTypes(types []string) []string {
	theirs := map[string]string{
		"workspaces": "workspaces:workspace", "workspaces-directory": "workspaces:directory", "workspaces-image": "workspaces:workspaceimage",
	}
	out := make([]string, len(types))
	for i, t := range types {
		out[i] = cmp.Or(theirs[t], t)
	}
	return out
}

// Middleware has moto's words and its sense of well-formed ids where its ways are kept.
func (w *Ways) Middleware() api.Middleware {
	return func(h api.Handler) api.Handler {
		if s := h.Spec().Service; w == nil || s != ds.Service.Name && s != wsapi.Service.Name {
			return h
		}
		return judged{h, w}
	}
}

type judged struct {
	api.Handler
	ways *Ways
}

// Decode makes the input as moto takes it.
func (j judged) Decode(payload api.Payload) (any, error) {
	if j.ways.Follow(Words) {
		payload.Judge = judge
	}
	return j.Handler.Decode(payload)
}
