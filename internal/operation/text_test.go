package operation_test

import (
	"strings"
	"testing"
)

// TestAnyText has text that one database or the other cannot keep, in every member that takes any text.
func TestAnyText(t *testing.T) {
	t.Parallel()
	for name, database := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, anybody, database)
			d := s.home(t)
			w := s.create(t, s.client(), order(d, "jane"))[0]
			for _, text := range []string{"a\x00b", "\x00", "a\xffb", "\xed\xa0\x80", "\u2028", "🂡", "a'b\"c%_\\", `not \u0000`} {
				type object = map[string]any
				for operation, bodies := range map[string][]object{
					"CreateTags": {
						{"ResourceId": text, "Tags": []object{}},
						{"ResourceId": w, "Tags": []object{{"Key": text, "Value": "v"}}},
						{"ResourceId": w, "Tags": []object{{"Key": "k", "Value": text}}},
					},
					"DeleteTags":               {{"ResourceId": text, "TagKeys": []string{"k"}}, {"ResourceId": w, "TagKeys": []string{text}}},
					"DescribeTags":             {{"ResourceId": text}, {"ResourceId": w}},
					"DescribeWorkspaceBundles": {{"Owner": text}, {"NextToken": text}},
					"DescribeWorkspaces":       {{"DirectoryId": d, "UserName": text}, {"NextToken": text}, {}},
					"CreateWorkspaces": {
						{"Workspaces": []object{{"DirectoryId": d, "BundleId": standard, "UserName": text}}},
						{"Workspaces": []object{{
							"DirectoryId": d, "BundleId": standard, "UserName": "john " + text, "VolumeEncryptionKey": text, "RootVolumeEncryptionEnabled": true,
						}}},
						{"Workspaces": []object{{
							"DirectoryId": d, "BundleId": standard, "UserName": "joe " + text, "Tags": []object{{"Key": text, "Value": text}},
						}}},
					},
				} {
					for _, body := range bodies {
						a := s.postJSON(t, operation, body)
						if zero := strings.Contains(text, "\x00") && strings.Contains(show(body), `\u0000`); a.status >= 500 || zero && a.code != validation {
							t.Errorf("%s of %q: %+v", operation, text, a)
						}
					}
				}
			}
		})
	}
}
