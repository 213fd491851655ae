package workspaces_test

import (
	"slices"
	"strings"
	"testing"

	"carrel/internal/workspaces"
)

func TestCheckDefaultOU(t *testing.T) {
	t.Parallel()
	for dn, good := range map[string]bool{
		"OU=WorkSpaces,DC=corp,DC=example,DC=com": true, "ou=a,dc=b,dc=c": true, "OU=Desks,OU=Berlin,DC=corp,DC=com": true,
		"OU=a, DC=b, DC=c": true, "OU=Größe und Maß,DC=b,DC=c": true, `OU=a\,b,DC=c,DC=d`: true, `OU=a\2Cb,DC=c,DC=d`: true, `OU=a\\,DC=c,DC=d`: true,
		"": false, "OU=a": false, "OU=a,DC=b": false, "DC=b,DC=c": false, "OU=,DC=b,DC=c": false, "OU=a,DC=b,DC=": false, "CN=a,DC=b,DC=c": false,
		"OU=a,DC=b,OU=c,DC=d": false, "DC=b,DC=c,OU=a": false, `OU=a\,DC=b,DC=c`: false, "OU=a,b,DC=c,DC=d": false, "OU=a=b,DC=c,DC=d": false,
		"OU=a;DC=b;DC=c": false, "OU=a\n,DC=b,DC=c": false, "OU=a,DC=b,DC=c,": false, " OU=a,DC=b,DC=c": false, "a": false,
		"OU=" + strings.Repeat("a", 2000) + ",DC=b,DC=c": false,
	} {
		if err := workspaces.CheckDefaultOU(dn); (err == nil) != good {
			t.Errorf("CheckDefaultOU(%q) = %v", dn, err)
		}
	}
}

func TestSetEndpoints(t *testing.T) {
	t.Parallel()
	one := workspaces.AccessEndpoint{Type: "STREAMING_WSP", ID: "vpce-1"}
	for name, c := range map[string]struct {
		endpoints []workspaces.AccessEndpoint
		fallback  []string
		want      workspaces.Code
	}{
		"one":                {[]workspaces.AccessEndpoint{one}, nil, ""},
		"with a way around":  {[]workspaces.AccessEndpoint{one}, []string{"PCOIP", "PCOIP"}, ""},
		"none":               {nil, nil, ""},
		"two":                {[]workspaces.AccessEndpoint{one, one}, nil, workspaces.CodeInvalidCombination},
		"only a way around":  {nil, []string{"PCOIP"}, workspaces.CodeInvalidCombination},
		"without an id":      {[]workspaces.AccessEndpoint{{Type: "STREAMING_WSP"}}, nil, workspaces.CodeInvalidParameter},
		"of no type":         {[]workspaces.AccessEndpoint{{ID: "vpce-1"}}, nil, workspaces.CodeInvalidParameter},
		"the second is none": {[]workspaces.AccessEndpoint{one, {}}, nil, workspaces.CodeInvalidParameter},
	} {
		p := workspaces.AccessProperties{EndpointID: "before", Fallback: []string{"before"}}
		err := p.SetEndpoints(c.endpoints, c.fallback)
		id := "before"
		if c.want == "" {
			id = ""
			for _, e := range c.endpoints {
				id = e.ID
			}
		}
		if workspaces.CodeOf(err) != c.want || p.EndpointID != id {
			t.Errorf("%s: %v, %+v", name, err, p)
		}
		if name == "with a way around" && !slices.Equal(p.Fallback, []string{"PCOIP"}) {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestStreamingPermissions(t *testing.T) {
	t.Parallel()
	const all = workspaces.MaxCopied
	in, out := workspaces.CopyFromDevice, workspaces.CopyToDevice
	for name, c := range map[string]struct {
		permissions       []workspaces.StreamPermission
		homeFolder        string
		in, out           int
		filesIn, filesOut bool
	}{
		"never set":             {nil, "", all, all, true, true},
		"others only":           {[]workspaces.StreamPermission{{workspaces.SmartCard, workspaces.Disabled, 0}}, workspaces.Enabled, all, all, true, true},
		"not in":                {[]workspaces.StreamPermission{{in, workspaces.Disabled, 0}}, "", 0, all, false, true},
		"not out":               {[]workspaces.StreamPermission{{out, workspaces.Disabled, 0}, {in, workspaces.Enabled, 0}}, "", all, 0, true, false},
		"some":                  {[]workspaces.StreamPermission{{out, workspaces.Enabled, 5}, {in, workspaces.Enabled, 7}}, "", 7, 5, true, true},
		"without a home folder": {[]workspaces.StreamPermission{{out, workspaces.Enabled, 0}}, workspaces.Disabled, all, all, false, false},
	} {
		p := workspaces.StreamingProperties{HomeFolder: c.homeFolder}
		if err := p.SetPermissions(c.permissions); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if p.ClipboardIn() != c.in || p.ClipboardOut() != c.out || p.FilesIn() != c.filesIn || p.FilesOut() != c.filesOut {
			t.Errorf("%s: %d %d %v %v", name, p.ClipboardIn(), p.ClipboardOut(), p.FilesIn(), p.FilesOut())
		}
	}
	var p workspaces.StreamingProperties
	if err := p.SetPermissions([]workspaces.StreamPermission{{in, workspaces.Enabled, 7}, {out, workspaces.Disabled, 0}}); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]workspaces.StreamPermission{
		"twice":             {{in, workspaces.Enabled, 0}, {in, workspaces.Disabled, 0}},
		"a length of none":  {{in, workspaces.Disabled, 7}},
		"a length of cards": {{workspaces.SmartCard, workspaces.Enabled, 7}},
		"too long":          {{in, workspaces.Enabled, all + 1}},
		"less than nothing": {{in, workspaces.Enabled, -1}},
	} {
		if err := p.SetPermissions(bad); workspaces.CodeOf(err) != workspaces.CodeInvalidParameter {
			t.Errorf("%s: %v", name, err)
		}
	}
	if p.ClipboardIn() != 7 || p.ClipboardOut() != 0 {
		t.Error("what was refused has changed something")
	}
	before := p
	if err := p.SetPermissions([]workspaces.StreamPermission{{out, workspaces.Enabled, 9}}); err != nil {
		t.Fatal(err)
	}
	if p.ClipboardIn() != 7 || p.ClipboardOut() != 9 || before.ClipboardOut() != 0 {
		t.Errorf("%+v after %+v", p, before)
	}
}

func TestNewDirectorySettings(t *testing.T) {
	t.Parallel()
	s := workspaces.NewDirectorySettings()
	if s.AllowsWeb() || !s.KeepsSignedIn() {
		t.Errorf("a fresh registration: %+v", s)
	}
	s.Access.Web, s.Client.Reconnect = workspaces.Allow, workspaces.Disabled
	if !s.AllowsWeb() || s.KeepsSignedIn() {
		t.Errorf("the other way round: %+v", s)
	}
}
