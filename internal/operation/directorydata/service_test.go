package directorydata_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"carrel/internal/api"
	"carrel/internal/operation"
	"carrel/internal/operation/directorydata"
	"carrel/internal/operation/directoryservice/dstest"
)

var update = flag.Bool("update", false, "write the golden list of refused operations")

// anything is a good request for each operation on groups: members that an operation does not
// have are ignored.
const anything = `{
	"SAMAccountName": "staff", "GroupName": "staff", "MemberName": "alice", "SearchString": "s", "SearchAttributes": ["sAMAccountName"]
}`

// TestRefusedOperations holds the operations that Carrel does not carry out against the golden
// list, which may only shrink, and has each of them refuse a good request.
func TestRefusedOperations(t *testing.T) {
	t.Parallel()
	service := directorydata.New(&operation.Core{})
	var refused []string
	for _, h := range service.Handlers() {
		name := h.Spec().Name
		if _, carriedOut := reflect.TypeOf(service).MethodByName(name); carriedOut {
			continue
		}
		refused = append(refused, name)
		in, err := h.Decode(api.Payload{Body: []byte(anything), Query: map[string][]string{"DirectoryId": {"d-0123456789"}}})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, err = h.Invoke(dstest.Context(t), in)
		var exception *api.Exception
		if !errors.As(err, &exception) || !h.Spec().Declares(exception.Name) ||
			exception.Members["Reason"] != "LDAP_UNSUPPORTED_OPERATION" {
			t.Errorf("%s refuses with %v", name, err)
		}
	}
	path, got := filepath.Join("testdata", "refused.txt"), strings.Join(refused, "\n")+"\n"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || string(want) != got {
		t.Errorf("%s should hold (%v):\n%s", path, err, got)
	}
}

// FuzzRequests sends the operations what anybody might: none may fail for a reason of ours.
func FuzzRequests(f *testing.F) {
	s := dstest.Start(f)
	id := s.CreateActive(f)
	handlers := directorydata.New(s.Core).Handlers()
	for _, body := range []string{
		"", "{}", anything, `{"SAMAccountName":"alice"}`, `{"SAMAccountName":"Alice","ClientToken":"t","Surname":"x"}`,
		`{"SAMAccountName":"bob","OtherAttributes":{"title":{"S":"x"},"url":{"SS":["a","b"]},"uidNumber":{"N":1}},"UpdateType":"ADD"}`,
		`{"SAMAccountName":"bob","OtherAttributes":{"msNPAllowDialin":{"BOOL":true}},"UpdateType":"REMOVE","Surname":"\u0000"}`,
		`{"SAMAccountName":"bob","OtherAttributes":["title","url"],"Realm":"corp.example.com"}`,
		`{"MaxResults":1,"NextToken":"YWJj","Realm":"a.b"}`,
		`{"SearchString":"b","SearchAttributes":["sAMAccountName","url"],"MaxResults":2}`,
	} {
		for i := range handlers {
			f.Add(i, body)
		}
	}
	f.Fuzz(func(t *testing.T, which int, body string) {
		if which < 0 {
			which = -(which + 1)
		}
		h := handlers[which%len(handlers)]
		in, err := h.Decode(api.Payload{Body: []byte(body), Query: map[string][]string{"DirectoryId": {id}}})
		if err == nil {
			_, err = h.Invoke(dstest.Context(t), in)
		}
		var exception *api.Exception
		if err != nil && (!errors.As(err, &exception) || exception.HTTPStatus() >= 500) {
			t.Errorf("%s: %v", h.Spec().Name, err)
		}
	})
}
