package moto

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"carrel/internal/api"
	"carrel/internal/api/ds"
	wsapi "carrel/internal/api/workspaces"
)

// argument is a member that moto checks, and in whose place of the model it stands.
type argument struct {
	name   string // as messages call it
	path   string // in the input, as the model's messages have it
	values []string
	shown  string // the value in a message
	rule   *api.StringRule
}

// holds is what moto holds members to. Source: moto/ds/validations.py, moto 5.2.1.
var holds = struct { //nolint:gochecknoglobals // never changed
	directoryID, upTo128, editions, sizes, names, shortNames, userNames, subnetIDs, addresses, passwords, directions api.StringRule
}{
	directoryID: api.StringRule{Pattern: pattern(`^d-[0-9a-f]{10}$`)},
	upTo128:     api.StringRule{Max: 128},
	editions:    api.StringRule{Enum: []string{ds.DirectoryEditionEnterprise, ds.DirectoryEditionStandard}},
	sizes:       api.StringRule{Enum: []string{ds.DirectorySizeSmall, ds.DirectorySizeLarge}},
	names:       api.StringRule{Pattern: pattern(`^([a-zA-Z0-9]+[\.-])+([a-zA-Z0-9])+$`)},
	shortNames:  api.StringRule{Pattern: pattern(`^[^\/:*?"<>|.]+[^\/:*?"<>|]*$`)},
	userNames:   api.StringRule{Pattern: pattern(`^[a-zA-Z0-9._-]+$`)},
	subnetIDs:   api.StringRule{Pattern: pattern(`^(subnet-[0-9a-f]{8}|subnet-[0-9a-f]{17})$`)},
	addresses: api.StringRule{Pattern: pattern(
		`^(?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.){3}(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)$`)},
	passwords: api.StringRule{Sensitive: true, Pattern: api.NewPatternFunc(
		`^(?=^.{8,64}$)((?=.*\d)(?=.*[A-Z])(?=.*[a-z])|(?=.*\d)(?=.*[^A-Za-z0-9\s])(?=.*[a-z])|`+
			`(?=.*[^A-Za-z0-9\s])(?=.*[A-Z])(?=.*[a-z])|(?=.*\d)(?=.*[A-Z])(?=.*[^A-Za-z0-9\s]))^.*$`, ds.IsPassword)},
	directions: api.StringRule{Enum: []string{
		ds.TrustDirectionOneWayOutgoing, ds.TrustDirectionOneWayIncoming, ds.TrustDirectionTwoWay,
	}},
}

// pattern is one that Go can say as it is.
func pattern(source string) *api.Pattern { return api.NewPattern(source, source) }

// judge is moto's word on an input: it refuses it, or excuses what moto takes. See [api.Judge].
func judge(input any) (excused func(path string) bool, refusal *api.Exception) {
	var taken []string
	for _, group := range arguments(input) {
		if refusal := refuse(group); refusal != nil {
			return nil, refusal
		}
		for _, a := range group {
			taken = append(taken, a.path)
		}
	}
	switch input.(type) {
	case *ds.CreateDirectoryRequest, *ds.CreateMicrosoftADRequest:
		taken = append(taken, "vpcSettings.vpcId")
	case *ds.ConnectDirectoryRequest:
		taken = append(taken, "connectSettings.vpcId")
	case *wsapi.RegisterWorkspaceDirectoryRequest:
		taken = append(taken, "subnetIds")
	}
	return func(path string) bool {
		return slices.ContainsFunc(taken, func(of string) bool { return path == of || strings.HasPrefix(path, of+".") })
	}, nil
}

// refuse words what moto finds among arguments, in its order; nil where it finds nothing.
func refuse(arguments []argument) *api.Exception {
	var found []string
	for _, a := range arguments {
		for _, value := range a.values {
			constraint := a.rule.Broken(value)
			if constraint == "" {
				continue
			}
			at := "'" + api.Clip(a.shown) + "' at"
			if strings.Contains(a.name, "assword") {
				at = "at"
			}
			found = append(found, fmt.Sprintf("Value %s '%s' failed to satisfy constraint: %s", at, a.name, constraint))
			break // one for each argument
		}
	}
	if len(found) == 0 {
		return nil
	}
	noun := "errors"
	if len(found) == 1 {
		noun = "error"
	}
	return &api.Exception{
		Name: api.ValidationException, Status: http.StatusBadRequest,
		Message: fmt.Sprintf("%d validation %s detected: %s", len(found), noun, strings.Join(found, "; ")),
	}
}

// arguments are what moto checks of an input of Directory Service, in its order; a group is looked at once those
// before it are good. Where the model's words are moto's too, there are none. Source: moto/ds/models.py, moto 5.2.1.
func arguments(input any) [][]argument {
	switch in := input.(type) {
	case *ds.CreateDirectoryRequest:
		group := beginning(in.Password, one("size", "size", in.Size, &holds.sizes), in.Name, in.Description, in.ShortName)
		return [][]argument{append(group, networks(in.VpcSettings)...)}
	case *ds.CreateMicrosoftADRequest:
		group := beginning(in.Password, one("edition", "edition", in.Edition, &holds.editions), in.Name, in.Description, in.ShortName)
		return [][]argument{append(group, networks(in.VpcSettings)...)}
	case *ds.ConnectDirectoryRequest:
		group := beginning(in.Password, one("size", "size", in.Size, &holds.sizes), in.Name, in.Description, in.ShortName)
		if to := in.ConnectSettings; to != nil {
			group = append(group,
				many("connectSettings.vpcSettings.subnetIds", "connectSettings.subnetIds", to.SubnetIds, &holds.subnetIDs),
				one("connectSettings.customerUserName", "connectSettings.customerUserName", to.CustomerUserName, &holds.userNames),
				many("connectSettings.customerDnsIps", "connectSettings.customerDnsIps", to.CustomerDnsIps, &holds.addresses))
		}
		return [][]argument{group}
	case *ds.EnableSsoRequest:
		return signOn(in.DirectoryId, in.Password, in.UserName)
	case *ds.DisableSsoRequest:
		return signOn(in.DirectoryId, in.Password, in.UserName)
	case *ds.CreateTrustRequest:
		return [][]argument{{directory(in.DirectoryId)}, {
			one("ssoPassword", "trustPassword", in.TrustPassword, &holds.upTo128),
			one("trustDirection", "trustDirection", in.TrustDirection, &holds.directions),
		}}
	case *ds.DescribeDirectoriesRequest:
		groups := make([][]argument, 0, len(in.DirectoryIds))
		for i := range in.DirectoryIds {
			groups = append(groups, []argument{one("directoryId", "directoryIds", &in.DirectoryIds[i], &holds.directoryID)})
		}
		return groups
	case *ds.AddTagsToResourceRequest:
		return resource(in.ResourceId)
	case *ds.RemoveTagsFromResourceRequest:
		return resource(in.ResourceId)
	case *ds.ListTagsForResourceRequest:
		return resource(in.ResourceId)
	}
	return nil
}

// beginning are the arguments that a new directory of each type begins with.
func beginning(password *string, kind argument, name, description, shortName *string) []argument {
	return []argument{
		one("password", "password", password, &holds.passwords), kind, one("name", "name", name, &holds.names),
		one("description", "description", description, &holds.upTo128), one("shortName", "shortName", shortName, &holds.shortNames),
	}
}

func networks(in *ds.DirectoryVpcSettings) []argument {
	if in == nil {
		return nil
	}
	return []argument{many("vpcSettings.subnetIds", "vpcSettings.subnetIds", in.SubnetIds, &holds.subnetIDs)}
}

func signOn(id, password, user *string) [][]argument {
	return [][]argument{{directory(id)}, {
		one("ssoPassword", "password", password, &holds.upTo128), one("userName", "userName", user, &holds.userNames),
	}}
}

func directory(id *string) argument { return one("directoryId", "directoryId", id, &holds.directoryID) }

func resource(id *string) [][]argument {
	return [][]argument{{one("directoryId", "resourceId", id, &holds.directoryID)}}
}

// one is an argument that is a text. One that is absent has no value; the model says whether it may be.
func one(name, path string, value *string, rule *api.StringRule) argument {
	a := argument{name: name, path: path, rule: rule}
	if value != nil {
		a.values, a.shown = []string{*value}, *value
	}
	return a
}

// many is an argument that is a list, shown as Python shows one.
func many(name, path string, values []string, rule *api.StringRule) argument {
	shown := "[]"
	if len(values) > 0 {
		shown = "['" + strings.Join(values, "', '") + "']"
	}
	return argument{name: name, path: path, values: values, shown: shown, rule: rule}
}
