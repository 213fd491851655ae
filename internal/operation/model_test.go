package operation_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// model is the pinned API model as a maker of requests sees it: the second reading of it in
// this repository, beside the generator's.
type model struct {
	Operations map[string]struct {
		Input struct {
			Shape string `json:"shape"`
		} `json:"input"`
	} `json:"operations"`
	Shapes map[string]shape `json:"shapes"`

	own map[string]string // in place of samples: what a maker of requests has, by the kind of name
}

// shape is a shape of the model.
type shape struct {
	Type     string            `json:"type"`
	Members  map[string]member `json:"members"`
	Required []string          `json:"required"`
	Member   member            `json:"member"`
	Key      member            `json:"key"`
	Value    member            `json:"value"`
	Enum     []string          `json:"enum"`
	Pattern  string            `json:"pattern"`
	Min      *int              `json:"min"`
	Max      *int              `json:"max"`
	Union    bool              `json:"union"`
}

type member struct {
	Shape string `json:"shape"`
}

func readModel(t *testing.T) *model {
	t.Helper()
	return readModelOf(t, "workspaces")
}

func readModelOf(t *testing.T, service string) *model {
	t.Helper()
	text, err := os.ReadFile("../api/apigen/models/" + service + ".json")
	if err != nil {
		t.Fatal(err)
	}
	m := new(model)
	if err := json.Unmarshal(text, m); err != nil {
		t.Fatal(err)
	}
	return m
}

// samples are values of the shapes that have a pattern.
func samples() map[string]string {
	const arn = "arn:aws:"
	return map[string]string{
		"ARN": arn + "kms:us-east-1:111111111111:key/1", "AddInName": "a", "AddInUrl": "https://a.example",
		"AlphanumericDashUnderscoreNonEmptyString": "vpce-1", "AmazonUuid": "01234567-89ab-cdef-0123-456789abcdef", "AwsAccount": "123456789012",
		"BundleId": "wsb-012345678", "CertificateAuthorityArn": arn + "acm-pca:us-east-1:111111111111:certificate-authority/1",
		"ClientEmail": "a@example.com", "ClientLocale": "en_US", "ClientLoginMessage": "hello", "ClientToken": "t", "ClientUrl": "https://a.example",
		"ConnectionAliasId": "wsca-012345678", "ConnectionString": "a.example", "DedicatedTenancyManagementCidrRange": "10.1.0.0/16",
		"DescribeWorkspaceDirectoriesFilterValue": "POOLS", "DescribeWorkspacesPoolsFilterValue": "pool", "DirectoryId": "d-0123456789",
		"DomainName": "corp.example.com", "Ec2ImageId": "ami-01234567", "Ec2ImportTaskId": "import-ami-01234567",
		"ImageBuildVersionArn":           arn + "imagebuilder:us-east-1:111111111111:image/a/1.0.0/1",
		"InfrastructureConfigurationArn": arn + "imagebuilder:us-east-1:111111111111:infrastructure-configuration/a",
		"IpGroupId":                      "wsipg-012345678", "Ipv6Address": "1:2:3:4:5:6:7:8", "LinkId": "link-0123456789", "ManagementCidrRangeConstraint": "10.0.0.0/8",
		"MicrosoftEntraConfigTenantId": "t", "Region": "us-east-1", "SamlUserAccessUrl": "https://a.example",
		"SecretsManagerArn": arn + "secretsmanager:us-east-1:111111111111:secret:0123456789", "SecurityGroupId": "sg-01234567", "SettingsGroup": "g",
		"SubnetId": "subnet-01234567", "UpdateDescription": "d", "WorkSpaceApplicationId": "wsa-012345678", "WorkSpaceApplicationOwner": "AMAZON",
		"WorkspaceBundleDescription": "d", "WorkspaceBundleName": "n", "WorkspaceDirectoryDescription": "description", "WorkspaceDirectoryName": "name",
		"WorkspaceId": "ws-012345678", "WorkspaceImageDescription": "d", "WorkspaceImageId": "wsi-0123456789", "WorkspaceImageName": "n",
		"WorkspaceName": "name", "WorkspacesPoolId": "wspool-012345678", "WorkspacesPoolName": "pool",
	}
}

// request makes the input of an operation: what is required, or all that there is.
func (m *model) request(operation string, whole bool) map[string]any {
	made := m.make(m.Operations[operation].Input.Shape, whole)
	if made == nil {
		return map[string]any{}
	}
	return made.(map[string]any) //nolint:errcheck,forcetypeassert // inputs are structures
}

// make makes a value of a shape.
func (m *model) make(name string, whole bool) any {
	s := m.Shapes[name]
	switch s.Type {
	case "structure":
		out := map[string]any{}
		for _, member := range s.chosen(whole) {
			out[member] = m.member(s.Members[member].Shape, member, whole)
		}
		return out
	case "list":
		out := []any{}
		for range max(s.least(), 1) {
			out = append(out, m.make(s.Member.Shape, whole))
		}
		return out
	case "map":
		key := m.make(s.Key.Shape, whole).(string) //nolint:errcheck,forcetypeassert // keys are strings
		return map[string]any{key: m.make(s.Value.Shape, whole)}
	case "string":
		switch sample, known := samples()[name]; {
		case known:
			return sample
		case len(s.Enum) > 0:
			return s.Enum[0]
		default:
			return strings.Repeat("x", max(s.least(), 1))
		}
	case "integer", "long":
		return max(s.least(), 1)
	case "boolean":
		return true
	case "timestamp":
		return 1700000000
	case "blob":
		return "eHh4"
	default:
		return nil
	}
}

// member makes the value of a member of a structure.
func (m *model) member(shape, name string, whole bool) any {
	if of := m.Shapes[shape]; of.Type == "list" {
		if own, has := m.own[kindOf(of.Member.Shape, name)]; has {
			return []any{own}
		}
	}
	if own, has := m.own[kindOf(shape, name)]; has {
		return own
	}
	return m.make(shape, whole)
}

// chosen are the members that a structure is made with: of a union only one.
func (s *shape) chosen(whole bool) []string {
	names := slices.Sorted(maps.Keys(s.Members))
	switch {
	case s.Union:
		return names[:1]
	case whole:
		return names
	default:
		return s.Required
	}
}

func (s *shape) least() int {
	if s.Min == nil {
		return 0
	}
	return *s.Min
}

// broken is a request that breaks one constraint.
type broken struct {
	how     string
	request map[string]any
}

// breakages makes requests that break one constraint each, of every member of the input that the
// whole request has.
func (m *model) breakages(operation string) []broken {
	var out []broken
	root := m.request(operation, true)
	m.spoil(m.Operations[operation].Input.Shape, operation, root, func(how string, bad func() (restore func())) {
		restore := bad()
		text, err := json.Marshal(root)
		restore()
		copied := map[string]any{}
		if err == nil && json.Unmarshal(text, &copied) == nil {
			out = append(out, broken{how, copied})
		}
	})
	return out
}

// spoil goes through a structure and spoils one member at a time.
func (m *model) spoil(name, path string, at map[string]any, try func(how string, bad func() func())) {
	s := m.Shapes[name]
	for member, old := range at {
		put := func(v any) func() func() {
			return func() func() {
				if at[member] = v; v == nil {
					delete(at, member)
				}
				return func() { at[member] = old }
			}
		}
		here := path + "." + member
		if slices.Contains(s.Required, member) {
			try(here+" missing", put(nil))
		}
		of := m.Shapes[s.Members[member].Shape]
		for how, bad := range of.badValues(old) {
			try(here+" "+how, put(bad))
		}
		switch inner := old.(type) {
		case map[string]any:
			if of.Type == "structure" {
				m.spoil(s.Members[member].Shape, here, inner, try)
			}
		case []any:
			if first, ok := inner[0].(map[string]any); ok {
				m.spoil(of.Member.Shape, here+"[0]", first, try)
				continue
			}
			element := m.Shapes[of.Member.Shape]
			for how, bad := range element.badValues(inner[0]) {
				try(here+"[0] "+how, func() func() {
					good := inner[0]
					inner[0] = bad
					return func() { inner[0] = good }
				})
			}
		}
	}
}

// badValues are values that break a shape's constraints, by what is wrong with them.
func (s *shape) badValues(good any) map[string]any {
	bad := map[string]any{}
	switch s.Type {
	case "string":
		if len(s.Enum) > 0 {
			bad["not in the enum"] = "no such value"
		}
		if s.Min != nil && *s.Min > 0 {
			bad["too short"] = strings.Repeat("x", *s.Min-1)
		}
		if s.Max != nil {
			bad["too long"] = strings.Repeat("x", *s.Max+1)
		}
		if s.Pattern != "" && s.Pattern != "^.*$" && !strings.HasPrefix(s.Pattern, "^.{") {
			bad["against the pattern"] = "\u2603"
		}
	case "integer", "long":
		if s.Min != nil {
			bad["too small"] = *s.Min - 1
		}
		if s.Max != nil {
			bad["too large"] = *s.Max + 1
		}
	case "list":
		elements, _ := good.([]any)
		if s.Min != nil && *s.Min > 0 {
			bad["too few"] = []any{}
		}
		if s.Max != nil && *s.Max < 1000 {
			bad["too many"] = slices.Repeat(elements[:1], *s.Max+1)
		}
	}
	return bad
}
