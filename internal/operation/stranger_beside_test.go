package operation_test

import (
	"encoding/json"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/internal/api"
	"carrel/internal/api/dsdata"
	"carrel/internal/api/monitoring"
	"carrel/internal/api/sts"
	"carrel/internal/workspaces"
)

// surfacesOf are all services that Carrel answers.
func surfacesOf(t *testing.T) []*surface {
	t.Helper()
	all := []*surface{workspacesSurface(t), directorySurface(t), directoryDataSurface(t), taggingSurface(t), tokenSurface(t), searchSurface(t)}
	for dimension, values := range map[string]func(*world) []string{
		workspaces.DimensionWorkSpace: func(w *world) []string { return []string{w.workspace, w.nobodys} },
		workspaces.DimensionDirectory: func(w *world) []string { return []string{w.directory} },
		"UserName":                    func(w *world) []string { return []string{"jane-" + w.word} },
		"BundleId":                    func(w *world) []string { return []string{w.bundle} },
	} {
		all = append(all, monitoringSurface(t, dimension, values))
	}
	pools := monitoringSurface(t, workspaces.DimensionPool, func(w *world) []string { return []string{w.pool} })
	pools.samples["Namespace"], pools.samples["MetricName"] = workspaces.PoolMetricsNamespace, string(workspaces.MetricPoolDesired)
	all = append(all, pools)
	models, err := os.ReadDir("../api/apigen/models")
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[*api.Service]bool)
	for _, s := range all {
		seen[s.api] = true
	}
	if len(seen) != len(models) {
		t.Errorf("%d services are seen by strangers, of the %d that there are", len(seen), len(models))
	}
	return all
}

// postIn is post to any service, in a protocol that it speaks. The members of a request in the Query protocol are not sent.
func (s *server) postIn(t *testing.T, as workspaces.Scope, service *api.Service, operation string, body []byte) answer {
	t.Helper()
	switch service.Protocol {
	case api.RESTJSON:
		var in struct {
			DirectoryID string `json:"DirectoryId"`
		}
		if err := json.Unmarshal(body, &in); err != nil {
			t.Fatal(err)
		}
		op, _ := service.Operation(operation)
		return s.send(t, as, service.Name, op.Spec().Path+"?DirectoryId="+url.QueryEscape(in.DirectoryID),
			map[string]string{"Content-Type": "application/json"}, body)
	case api.Query:
		form := url.Values{"Action": {operation}, "Version": {service.Version}}
		return s.send(t, as, service.Name, "/", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, []byte(form.Encode()))
	default:
		return s.postTo(t, as, service.Name, service.TargetPrefix+"."+operation, body)
	}
}

// directoryDataSurface is Directory Service Data. What it refuses whatever is asked is left out.
func directoryDataSurface(t *testing.T) *surface {
	t.Helper()
	refused, err := os.ReadFile("directorydata/testdata/refused.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := &surface{
		api: dsdata.Service, token: "NextToken", tokenAlone: true, model: readModelOf(t, "ds-data"),
		operations: slices.DeleteFunc(typed(dsdata.Service), func(name string) bool { return slices.Contains(strings.Fields(string(refused)), name) }),
		names: func(w *world) map[string][]string {
			user := []string{"jane-" + w.word}
			return map[string][]string{"DirectoryId": {w.directory, w.microsoft, w.unregistered}, "UserName": user, "SearchString": user}
		},
		samples: map[string]string{"UserName": "nobody", "LdapDisplayName": "SAMAccountName", "GivenName": "Jane"},
		unnamed: map[string]string{
			"EmailAddress": "it is a text", "GivenName": "it is a text", "Surname": "it is a text", "LdapDisplayName": "it is a text",
			"Realm": "a directory is named with it", "ClientToken": "a directory is named with it: TestClientToken",
			"NextToken": "TestStrangers uses the owner's",
		},
		fitting: nothingElse,
	}
	s.needs("UpdateUserRequest", "GivenName")
	return s
}

// monitoringSurface is CloudWatch for metrics by one dimension.
func monitoringSurface(t *testing.T, dimension string, values func(*world) []string) *surface {
	t.Helper()
	const chosen = "it says which of the caller's metrics"
	s := &surface{
		api: monitoring.Service, token: "NextToken", model: readModelOf(t, "cloudwatch"), operations: typed(monitoring.Service),
		names: func(w *world) map[string][]string {
			return map[string][]string{"DimensionValue": values(w), "AccountId": {w.scope.Account}}
		},
		samples: map[string]string{
			"Namespace": workspaces.MetricsNamespace, "MetricName": "Available", "DimensionName": dimension, "Stat": "Sum", "Statistic": "Sum", "MetricId": "a",
		},
		unnamed: map[string]string{
			"Namespace": chosen, "MetricName": chosen, "DimensionName": chosen, "Stat": chosen, "ExtendedStatistic": chosen,
			"MetricId": "it is a text", "MetricLabel": "it is a text", "GetMetricDataLabelTimezone": "it is a setting",
			"MetricExpression": "searchSurface names things in it", "NextToken": "TestStrangers uses the owner's",
		},
		fitting: func(p *prober, operation, _ string) map[string]any {
			if operation == monitoring.ListMetrics.Name {
				return nil
			}
			now := p.server.clock.Now()
			return map[string]any{"StartTime": now.Add(-time.Hour).Unix(), "EndTime": now.Add(time.Hour).Unix()}
		},
	}
	s.needs("MetricDataQuery", "MetricStat")
	s.needs("Metric", "Namespace", "MetricName", "Dimensions")
	s.needs("GetMetricStatisticsInput", "Statistics", "Dimensions")
	period := s.model.Shapes["Period"]
	period.Min = new(60)
	s.model.Shapes["Period"] = period
	return s
}

// searchSurface is CloudWatch where expressions search for metrics.
func searchSurface(t *testing.T) *surface {
	t.Helper()
	search := func(what string) string { return `SEARCH('` + what + ` MetricName="Available"', 'Sum', 300)` }
	s := monitoringSurface(t, workspaces.DimensionWorkSpace, nil)
	s.model, s.token, s.operations = readModelOf(t, "cloudwatch"), "", []string{monitoring.GetMetricData.Name}
	s.needs("MetricDataQuery", "Expression")
	s.names = func(w *world) map[string][]string {
		return map[string][]string{"MetricExpression": {w.workspace, w.directory, w.bundle}}
	}
	s.worded = map[string]func(string) string{"MetricExpression": func(name string) string { return search(`"` + name + `"`) }}
	s.samples["MetricExpression"] = search("{AWS/WorkSpaces,WorkspaceId}")
	delete(s.unnamed, "MetricExpression")
	for _, kind := range []string{"DimensionValue", "AccountId"} {
		s.unnamed[kind] = "monitoringSurface names it"
	}
	return s
}

// tokenSurface is Security Token Service.
func tokenSurface(t *testing.T) *surface {
	t.Helper()
	return &surface{
		api: sts.Service, model: readModelOf(t, "sts"), operations: typed(sts.Service),
		names:    func(*world) map[string][]string { return nil },
		nameless: map[string]string{"GetCallerIdentity": "it asks who the caller is"},
		fitting:  nothingElse,
	}
}

// needs has requests carry members that the model does not require of a shape, but the service does.
func (s *surface) needs(shape string, members ...string) {
	of := s.model.Shapes[shape]
	of.Required = slices.Concat(of.Required, members)
	s.model.Shapes[shape] = of
}
