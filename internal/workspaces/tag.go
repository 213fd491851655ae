package workspaces

import "strings"

// Tag is a label on a resource.
type Tag struct {
	Key   string
	Value string
}

// MaxTags is how many tags a resource can have. Source: CreateTags.
const MaxTags = 50

// CheckTags refuses keys that are reserved or given twice.
func CheckTags(tags []Tag) error {
	seen := make(map[string]bool, len(tags))
	for _, t := range tags {
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return Errorf(CodeInvalidParameter, "The tag key %s begins with aws:, which is reserved.", t.Key)
		}
		if seen[t.Key] {
			return Errorf(CodeInvalidParameter, "The tag key %s is given twice.", t.Key)
		}
		seen[t.Key] = true
	}
	if len(tags) > MaxTags {
		return Errorf(CodeLimitExceeded, "Tag limit exceeded: a resource can have at most %d tags.", MaxTags)
	}
	return nil
}
