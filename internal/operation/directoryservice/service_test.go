package directoryservice_test

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
	ds "carrel/internal/operation/directoryservice"
	"carrel/internal/operation/directoryservice/dstest"
)

var update = flag.Bool("update", false, "write the golden list of refused operations")

// anything is a good request for each operation that Carrel does not carry out: members that
// an operation does not have are ignored.
const anything = `{
	"DirectoryId": "d-0123456789", "Alias": "corp", "Name": "corp.example.com", "Password": "Password4TEST", "Size": "Small",
	"ConnectSettings": {"VpcId": "vpc-12345678", "SubnetIds": ["subnet-12345678"], "CustomerUserName": "admin"},
	"VpcSettings": {"VpcId": "vpc-12345678", "SubnetIds": ["subnet-12345678"]}, "LogGroupName": "logs",
	"RemoteDomainName": "far.example.com", "TrustPassword": "secret", "TrustDirection": "Two-Way", "TrustId": "t-0123456789",
	"Type": "Client", "Settings": [{"Name": "a", "Value": "b"}]
}`

// TestRefusedOperations holds the operations that Carrel does not carry out against the golden
// list, which may only shrink, and has each of them refuse a good request.
func TestRefusedOperations(t *testing.T) {
	t.Parallel()
	service := ds.New(&operation.Core{}, nil)
	var refused []string
	for _, h := range service.Handlers() {
		name := h.Spec().Name
		if _, carriedOut := reflect.TypeOf(service).MethodByName(name); carriedOut {
			continue
		}
		refused = append(refused, name)
		in, err := h.Decode(api.Payload{Body: []byte(anything)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, err = h.Invoke(dstest.Context(t), in)
		var exception *api.Exception
		if !errors.As(err, &exception) || !h.Spec().Declares(exception.Name) || exception.Members["RequestId"] != "request" {
			t.Errorf("%s refuses with %v", name, err)
		}
	}
	wantGolden(t, strings.Join(refused, "\n")+"\n")
}

func wantGolden(t *testing.T, got string) {
	t.Helper()
	path := filepath.Join("testdata", "refused.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s should hold:\n%s", path, got)
	}
}
