package api_test

import (
	"errors"
	"strings"
	"testing"

	"carrel/internal/api"
	dsapi "carrel/internal/api/ds"
	dsdataapi "carrel/internal/api/dsdata"
	wsapi "carrel/internal/api/workspaces"
)

// decode runs the decoding and checks of an operation and returns the exception, nil for none.
func decode(t *testing.T, op api.AnyOperation, body string) *api.Exception {
	t.Helper()
	_, err := op.Refuse(nil).Decode(api.Payload{Body: []byte(body)})
	if err == nil {
		return nil
	}
	exception, ok := errors.AsType[*api.Exception](err)
	if !ok {
		t.Fatalf("%s: got %T, want an exception", body, err)
	}
	return exception
}

func TestWordingOfViolations(t *testing.T) {
	t.Parallel()
	const one = "1 validation error detected: "
	const failed = " failed to satisfy constraint: "
	tests := []struct {
		op         api.AnyOperation
		body, want string
	}{
		{wsapi.CreateWorkspaces, `{}`, one + "Value null at 'workspaces'" + failed + "Member must not be null"},
		{wsapi.CreateWorkspaces, ``, one + "Value null at 'workspaces'" + failed + "Member must not be null"},
		{wsapi.CreateWorkspaces, `{"Workspaces":null}`, one + "Value null at 'workspaces'" + failed + "Member must not be null"},
		{
			wsapi.CreateWorkspaces, `{"Workspaces":[]}`,
			one + "Value '[]' at 'workspaces'" + failed + "Member must have length greater than or equal to 1",
		},
		{
			wsapi.CreateWorkspaces, `{"Workspaces":[` + strings.Repeat("{},", 25) + `{}]}`,
			one + "Value '[…]' at 'workspaces'" + failed + "Member must have length less than or equal to 25",
		},
		{
			wsapi.CreateWorkspaces, `{"Workspaces":[{"DirectoryId":"d-926722edaf","UserName":"","BundleId":"wsb-123456789"}]}`,
			one + "Value '' at 'workspaces.1.member.userName'" + failed + "Member must have length greater than or equal to 1",
		},
		{
			wsapi.CreateWorkspaces, `{"Workspaces":[{"DirectoryId":"d-926722edaf","BundleId":"wsb-1"}]}`,
			"2 validation errors detected: Value null at 'workspaces.1.member.userName'" + failed + "Member must not be null; " +
				"Value 'wsb-1' at 'workspaces.1.member.bundleId'" + failed +
				"Member must satisfy regular expression pattern: ^wsb-[0-9a-z]{8,63}$",
		},
		{
			wsapi.DescribeWorkspaces, `{"Limit":0}`,
			one + "Value '0' at 'limit'" + failed + "Member must have value greater than or equal to 1",
		},
		{wsapi.DescribeWorkspaces, `{"WorkspaceIds":["ws-123456789","x"]}`, one + "Value 'x' at 'workspaceIds.2.member'" + failed +
			"Member must satisfy regular expression pattern: ^ws-[0-9a-z]{8,63}$"},
		{
			wsapi.ModifyWorkspaceState, `{"WorkspaceId":"ws-123456789","WorkspaceState":"GONE"}`,
			one + "Value 'GONE' at 'workspaceState'" + failed + "Member must satisfy enum value set: [AVAILABLE, ADMIN_MAINTENANCE]",
		},
		{
			wsapi.ImportClientBranding, `{"ResourceId":"d-926722edaf","DeviceTypeOsx":{"LoginMessage":{"de-DE":"Hallo"}}}`,
			one + "Value 'de-DE' at 'deviceTypeOsx.loginMessage'" + failed + "Map keys must satisfy constraint: " +
				"[Member must satisfy regular expression pattern: ^[a-z]{2}_[A-Z]{2}$]",
		},
		{
			wsapi.ImportClientBranding, `{"ResourceId":"d-926722edaf","DeviceTypeOsx":{"LoginMessage":{"de_DE":"a\nb"}}}`,
			one + "Value 'a\nb' at 'deviceTypeOsx.loginMessage.de_DE.member'" + failed +
				"Member must satisfy regular expression pattern: ^.*$",
		},
		{
			wsapi.ImportClientBranding, `{"ResourceId":"d-926722edaf","DeviceTypeOsx":{"Logo":""}}`,
			one + "Value '[]' at 'deviceTypeOsx.logo'" + failed + "Member must have length greater than or equal to 1",
		},
		{
			wsapi.ImportCustomWorkspaceImage, `{"ImageName":"n","ImageDescription":"d","ComputeType":"BASE","Protocol":"DCV",` +
				`"ImageSource":{},"Platform":"WINDOWS","OsVersion":"Windows_10","InfrastructureConfigurationArn":` +
				`"arn:aws:imagebuilder:r:123456789012:infrastructure-configuration/c"}`,
			one + "Value at 'imageSource'" + failed + "Member must have exactly one member set",
		},
		{
			dsdataapi.SearchUsers, `{"SearchString":"` + strings.Repeat("s", 65) + `","SearchAttributes":["a"],"MaxResults":251}`,
			"3 validation errors detected: Value null at 'directoryId'" + failed + "Member must not be null; " +
				"Value '251' at 'maxResults'" + failed + "Member must have value less than or equal to 250; " +
				"Value at 'searchString'" + failed + "Member must have length less than or equal to 64",
		},
	}
	for _, test := range tests {
		exception := decode(t, test.op, test.body)
		if exception == nil || exception.Name != api.ValidationException || exception.Message != test.want {
			t.Errorf("%s %s:\n got %v\nwant %s", test.op.Spec().Name, test.body, exception, test.want)
		}
	}
}

// TestPatternsAreAnchored: messages say that the whole value is matched, also where the model leaves that out.
func TestPatternsAreAnchored(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		`[a-zA-Z0-9._-]+`:      `^[a-zA-Z0-9._-]+$`,
		`^d-[0-9a-f]{10}$`:     `^d-[0-9a-f]{10}$`,
		`wsi-[0-9a-z]{9,63}$`:  `^wsi-[0-9a-z]{9,63}$`,
		`^(http|https)\://\S+`: `^(http|https)\://\S+$`,
		`[|]\|`:                `^[|]\|$`,
		`^a$|b`:                `^a$|b`, // which cannot be said with two anchors
	} {
		rule := api.StringRule{Pattern: api.NewPatternFunc(source, func(string) bool { return false })}
		if got := rule.Broken("x"); got != "Member must satisfy regular expression pattern: "+want {
			t.Errorf("%s: %s", source, got)
		}
	}
}

func TestSecretsAreNotRepeated(t *testing.T) {
	t.Parallel()
	tests := map[string]api.AnyOperation{
		`{"Name":"corp.example.com","Password":"hunter2","Size":"Small"}`:                                      dsapi.CreateDirectory,
		`{"Name":"corp.example.com","Password":["hunter2"],"Size":"Small"}`:                                    dsapi.CreateDirectory,
		`{"Name":"corp.example.com","Password":"hunter2`:                                                       dsapi.CreateDirectory,
		`{"DirectoryId":"d-926722edaf","UserName":"jo","NewPassword":"` + strings.Repeat("hunter2", 40) + `"}`: dsapi.ResetUserPassword,
		`{"SAMAccountName":"jo","GivenName":"` + strings.Repeat("hunter2", 40) + `"}`:                          dsdataapi.CreateUser,
		`{"SAMAccountName":"jo","OtherAttributes":{"a":{"SS":["` + strings.Repeat("hunter2", 999) + `"]}}}`:    dsdataapi.CreateUser,
	}
	for body, op := range tests {
		if exception := decode(t, op, body); exception == nil || strings.Contains(exception.Message, "hunter2") {
			t.Errorf("%.60s: got %v", body, exception)
		}
	}
}

func TestRepliesStaySmall(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ë", 1<<20)
	for name, body := range map[string]string{
		"one value":    `{"WorkspaceIds":["` + long + `"]}`,
		"many values":  `{"WorkspaceIds":[` + strings.Repeat(`"x",`, 24) + `"x"]}`,
		"names":        `{"` + long + `":1,"` + long + `":2}`,
		"wrong member": `{"Limit":{"` + long + `":1}}`,
	} {
		exception := decode(t, wsapi.DescribeWorkspaces, body)
		if exception == nil || len(exception.Message) > 4096 {
			t.Errorf("%s: %d bytes", name, len(exception.Message))
		}
	}
	key := decode(t, wsapi.ImportClientBranding, `{"ResourceId":"d-926722edaf","DeviceTypeWeb":{"LoginMessage":{"`+long+`":"\n"}}}`)
	if key == nil || len(key.Message) > 4096 || !strings.HasPrefix(key.Message, "2 validation errors detected") {
		t.Errorf("got %.300s", key)
	}
	many := decode(t, wsapi.DescribeWorkspaces, `{"WorkspaceIds":[`+strings.Repeat(`"x",`, 24)+`"x"]}`)
	if !strings.HasPrefix(many.Message, "25 validation errors detected: ") || strings.Count(many.Message, "Value 'x'") != 10 {
		t.Errorf("got %s", many.Message)
	}
}
