package operation_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	wsapi "carrel/internal/api/workspaces"
	"carrel/internal/operation"
	"carrel/internal/operation/effect"
	"carrel/internal/workspaces"
)

// answer is what a raw request is answered with.
type answer struct {
	status  int
	code    string // "" for a success
	message string
	body    string
}

// post sends a request as no SDK would, unchecked.
func (s *server) post(t *testing.T, name string, body []byte) answer {
	t.Helper()
	return s.postTo(t, s.client().scope, "workspaces", wsapi.Service.TargetPrefix+"."+name, body)
}

// postTo is post to any service, for an account in a region.
func (s *server) postTo(t *testing.T, as workspaces.Scope, service, target string, body []byte) answer {
	t.Helper()
	return s.send(t, as, service, "/", map[string]string{"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"}, body)
}

// send sends a request to a service, for an account in a region.
func (s *server) send(t *testing.T, as workspaces.Scope, service, path string, header map[string]string, body []byte) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.http.URL+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+as.Account+"/20260101/"+as.Region+
		"/"+service+"/aws4_request, SignedHeaders=host, Signature=00")
	reply, err := s.http.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(reply.Body); err != nil {
		t.Fatal(err)
	}
	var exception struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}
	if err := json.Unmarshal(text.Bytes(), &exception); err != nil && !strings.HasSuffix(reply.Header.Get("Content-Type"), "xml") {
		t.Fatalf("%s %v: %v in %s", path, header, err, &text)
	}
	return answer{reply.StatusCode, cmp.Or(exception.Type, reply.Header.Get("X-Amzn-Errortype")), exception.Message, text.String()}
}

func (s *server) postJSON(t *testing.T, name string, request any) answer {
	t.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	return s.post(t, name, body)
}

// operations are the names of all 91.
func operations(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, op := range wsapi.Service.Operations {
		names = append(names, op.Spec().Name)
	}
	if len(names) != 91 {
		t.Fatalf("%d operations", len(names))
	}
	return names
}

// TestEveryOperationIsCarriedOut holds the table against the API's model: whatever the model has is
// carried out, once, by the method of that name.
func TestEveryOperationIsCarriedOut(t *testing.T) {
	t.Parallel()
	var bound []string
	for _, h := range (operation.WorkSpaces{Core: new(operation.Core)}).Handlers() {
		bound = append(bound, h.Spec().Name)
	}
	if want := operations(t); !slices.Equal(bound, want) {
		t.Errorf("the table has\n%s\n\nthe model has\n%s", strings.Join(bound, "\n"), strings.Join(want, "\n"))
	}
	effects, err := effect.Read(".", "WorkSpaces", operations(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range operations(t) {
		if _, found := effects[name]; !found {
			t.Errorf("no method of WorkSpaces is called %s", name)
		}
	}
}

// TestEveryOperationAnswers sends each operation the least and the most that its model allows.
func TestEveryOperationAnswers(t *testing.T) {
	t.Parallel()
	// What those that are carried out answer, where the least and the most are of no use.
	least := map[string]string{
		"DescribeWorkspaceSnapshots": notFound, "MigrateWorkspace": notFound, "ModifyWorkspaceProperties": notFound,
		"ModifyWorkspaceState": notFound, "RestoreWorkspace": notFound,
		"CreateTags": notFound, "DeleteTags": notFound, "DescribeTags": notFound, "DeregisterWorkspaceDirectory": notFound,
		"RegisterWorkspaceDirectory": validation, "AuthorizeIpRules": notFound, "RevokeIpRules": notFound, "UpdateRulesOfIpGroup": notFound,
		"DeleteIpGroup": notFound, "AssociateIpGroups": notFound, "DisassociateIpGroups": notFound,
		"ModifyAccount": invalid, "GetAccountLink": validation, "AcceptAccountLinkInvitation": notFound, "DeleteAccountLinkInvitation": notFound,
		"RejectAccountLinkInvitation": notFound,
		"AssociateConnectionAlias":    invalid, "DeleteConnectionAlias": notFound, "DescribeConnectionAliasPermissions": notFound,
		"DisassociateConnectionAlias": notFound, "UpdateConnectionAliasPermission": notFound,
		"CreateWorkspaceBundle": invalid, "UpdateWorkspaceBundle": invalid, "DeleteWorkspaceBundle": invalid,
		"CopyWorkspaceImage": notFound, "CreateUpdatedWorkspaceImage": notFound, "CreateWorkspaceImage": notFound,
		"DeleteWorkspaceImage": validation, "DescribeCustomWorkspaceImageImport": notFound, "DescribeWorkspaceImagePermissions": notFound,
		"ImportCustomWorkspaceImage": notFound, "ImportWorkspaceImage": notFound, "UpdateWorkspaceImagePermission": notFound,
	}
	for _, name := range []string{
		"ModifyWorkspaceAccessProperties", "ModifySelfservicePermissions", "ModifyWorkspaceCreationProperties", "ModifyClientProperties",
		"DescribeClientProperties", "ModifyStreamingProperties", "ModifySamlProperties", "ModifyCertificateBasedAuthProperties", "ModifyEndpointEncryptionMode",
		"DescribeClientBranding", "DeleteClientBranding",
		"CreateWorkspacesPool", "StartWorkspacesPool", "StopWorkspacesPool", "TerminateWorkspacesPool", "UpdateWorkspacesPool",
		"DescribeWorkspacesPoolSessions", "TerminateWorkspacesPoolSession",
		"CreateConnectClientAddIn", "DescribeConnectClientAddIns", "UpdateConnectClientAddIn", "DeleteConnectClientAddIn",
		"AssociateWorkspaceApplication", "DeployWorkspaceApplications", "DisassociateWorkspaceApplication",
		"DescribeApplicationAssociations", "DescribeBundleAssociations", "DescribeImageAssociations", "DescribeWorkspaceAssociations",
	} {
		least[name] = notFound
	}
	least["ImportClientBranding"] = invalid
	most := map[string]string{
		"CreateTags": notFound, "DeleteTags": notFound, "DescribeTags": notFound, "DeregisterWorkspaceDirectory": notFound,
		"RegisterWorkspaceDirectory": invalid, "DescribeWorkspaces": invalid, "DescribeWorkspaceBundles": invalid,
		"DescribeWorkspaceDirectories": invalid, "CreateIpGroup": invalid, "DescribeIpGroups": invalid, "AuthorizeIpRules": notFound,
		"RevokeIpRules": notFound, "UpdateRulesOfIpGroup": notFound, "DeleteIpGroup": notFound, "AssociateIpGroups": notFound,
		"DisassociateIpGroups": notFound, "DescribeWorkspacesConnectionStatus": invalid,
		"AssociateConnectionAlias": invalid, "CreateConnectionAlias": exists, "DeleteConnectionAlias": notFound,
		"DescribeConnectionAliases": invalid, "DescribeConnectionAliasPermissions": invalid, "DisassociateConnectionAlias": notFound,
		"UpdateConnectionAliasPermission": notFound,
		"CreateWorkspaceBundle":           invalid, "UpdateWorkspaceBundle": notFound, "DeleteWorkspaceBundle": notFound,
		"ModifySamlProperties": invalid, "ModifyCertificateBasedAuthProperties": invalid,
		"ModifyAccount": unavailable, "DescribeAccountModifications": validation, "ListAvailableManagementCidrRanges": invalid,
		"CreateAccountLinkInvitation": conflict, "GetAccountLink": validation, "AcceptAccountLinkInvitation": notFound,
		"DeleteAccountLinkInvitation": notFound, "RejectAccountLinkInvitation": notFound, "ListAccountLinks": validation,
		"DescribeWorkspaceImagePermissions": invalid, "DescribeWorkspaceImages": validation, "ImportWorkspaceImage": notSupported,
		"ImportClientBranding": invalid, "DescribeConnectClientAddIns": invalid,
		"DescribeApplications": invalid, "DescribeApplicationAssociations": invalid,
		"DescribeWorkspacesPools": invalid, "DescribeWorkspacesPoolSessions": invalid,
	}
	for name, code := range least {
		if _, known := most[name]; !known {
			most[name] = code
		}
	}
	s, m := start(t), readModel(t)
	for _, name := range operations(t) {
		for _, whole := range []bool{false, true} { // the second may find what the first has made
			code := least[name]
			if whole {
				code = most[name]
			}
			if a := s.postJSON(t, name, m.request(name, whole)); a.code != code || (a.status == http.StatusOK) != (code == "") {
				t.Errorf("%s (whole: %v): %+v, want %q", name, whole, a, code)
			}
		}
	}
}

// TestEveryOperationChecksItsInput breaks each constraint of each member of each input.
func TestEveryOperationChecksItsInput(t *testing.T) {
	t.Parallel()
	s, m := start(t), readModel(t)
	n := 0
	for _, name := range operations(t) {
		for _, b := range m.breakages(name) {
			n++
			if a := s.postJSON(t, name, b.request); a.code != validation || a.status != http.StatusBadRequest || a.message == "" {
				t.Errorf("%s: %+v", b.how, a)
			}
		}
		for _, body := range []string{"[]", `"text"`, "{", "\xff"} {
			if a := s.post(t, name, []byte(body)); a.code != "SerializationException" || a.status != http.StatusBadRequest {
				t.Errorf("%s of %q: %+v", name, body, a)
			}
		}
	}
	if n < 500 {
		t.Errorf("only %d constraints were broken", n)
	}
}

// TestUnknownMembersAreIgnored lets older and newer clients call.
func TestUnknownMembersAreIgnored(t *testing.T) {
	t.Parallel()
	s := start(t)
	id := s.directory(t, s.client().scope)
	body := map[string]any{"DirectoryId": id, "EnableWorkDocs": true}
	if a := s.postJSON(t, "RegisterWorkspaceDirectory", body); a.code != "" {
		t.Errorf("%+v", a)
	}
}
