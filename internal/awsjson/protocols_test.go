package awsjson_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"carrel/internal/api"
	"carrel/internal/api/monitoring"
	"carrel/internal/awsjson"
)

// stopped answers GetMetricStatistics with what it was asked, as an output with a member of each type.
func stopped() api.Handler {
	return api.Bind(monitoring.GetMetricStatistics,
		func(_ context.Context, in *monitoring.GetMetricStatisticsInput) (*monitoring.GetMetricStatisticsOutput, error) {
			label := fmt.Sprintf("%s %s=%s %v %d %v", *in.MetricName, *in.Dimensions[0].Name, *in.Dimensions[0].Value, in.StartTime.Time().Format(time.RFC3339),
				*in.Period, in.Statistics)
			return &monitoring.GetMetricStatisticsOutput{Label: &label, Datapoints: []monitoring.Datapoint{{
				Timestamp: in.EndTime, Sum: new(1.5), Minimum: new(0.), ExtendedStatistics: map[string]float64{"p99": 2, "p50": 1},
			}}}, nil
		})
}

const asked = "Stopped WorkspaceId=ws-123456789 2026-01-02T02:04:05Z 300 [Minimum Sum]"

// TestProtocols answers what botocore asks in each of the protocols of a service that has three.
func TestProtocols(t *testing.T) {
	t.Parallel()
	h := newHandler(t, nil, stopped())
	ask := func(name, contentType string) (string, http.Header) {
		w := serve(h, recorded(t, "cloudwatch-"+name))
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != contentType {
			t.Fatalf("%s: %d, %v: %s", name, w.Code, w.Header(), w.Body)
		}
		return w.Body.String(), w.Header()
	}
	body, _ := ask("json", "application/x-amz-json-1.0")
	if want := `{"Label":"` + asked + `","Datapoints":[{"Timestamp":1767323045,"Sum":1.5,"Minimum":0,"ExtendedStatistics":{"p50":1,"p99":2}}]}`; !sameJSON(body, want) {
		t.Errorf("%s", body)
	}
	body, _ = ask("query", "text/xml")
	for _, want := range []string{
		`<GetMetricStatisticsResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><GetMetricStatisticsResult><Label>` + asked + `</Label>`,
		`<Datapoints><member><Timestamp>2026-01-02T03:04:05Z</Timestamp><Sum>1.5</Sum><Minimum>0</Minimum>`,
		`<ExtendedStatistics><entry><key>p50</key><value>1</value></entry><entry><key>p99</key><value>2</value></entry></ExtendedStatistics></member></Datapoints>`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("%s lacks %s", body, want)
		}
	}
	body, header := ask("smithy-rpc-v2-cbor", "application/cbor")
	var out struct {
		Label      string
		Datapoints []struct {
			Timestamp cbor.Tag
			Sum       float64
			Minimum   *float64
		}
	}
	if err := cbor.Unmarshal([]byte(body), &out); err != nil || out.Label != asked || header.Get("Smithy-Protocol") != "rpc-v2-cbor" {
		t.Fatalf("%+v, %v, %v", out, err, header)
	}
	if p := out.Datapoints[0]; p.Timestamp.Number != 1 || p.Timestamp.Content != uint64(1767323045) || p.Sum != 1.5 || p.Minimum == nil {
		t.Errorf("%+v", p)
	}
}

func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return false
	}
	return fmt.Sprint(x) == fmt.Sprint(y)
}

// TestEmptyLists: a list without elements is there, in each protocol: clients look into it.
func TestEmptyLists(t *testing.T) {
	t.Parallel()
	h := newHandler(t, nil, api.Bind(monitoring.GetMetricStatistics,
		func(context.Context, *monitoring.GetMetricStatisticsInput) (*monitoring.GetMetricStatisticsOutput, error) {
			return &monitoring.GetMetricStatisticsOutput{Datapoints: []monitoring.Datapoint{}}, nil
		}))
	for name, want := range map[string]string{
		"json": `{"Datapoints":[]}`, "query": "<GetMetricStatisticsResult><Datapoints></Datapoints></GetMetricStatisticsResult>",
		"smithy-rpc-v2-cbor": "\xa1\x6aDatapoints\x80",
	} {
		if w := serve(h, recorded(t, "cloudwatch-"+name)); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %q", name, w.Body)
		}
	}
}

// rpcRequest is a request of Smithy's RPC with a body of CBOR.
func rpcRequest(t *testing.T, operation string, body []byte) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost,
		"http://carrel.test:8383/service/GraniteServiceVersion20100801/operation/"+operation, bytes.NewReader(body))
	r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
	r.Header.Set("Content-Type", "application/cbor")
	sign(t, r, string(body), signedAs{service: "monitoring"})
	return r
}

// formRequest is a request of the Query protocol to CloudWatch.
func formRequest(t *testing.T, form string) *http.Request {
	t.Helper()
	form = "Version=2010-08-01&" + form
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://carrel.test:8383/", strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	sign(t, r, form, signedAs{service: "monitoring"})
	return r
}

func inCBOR(t *testing.T, value any) []byte {
	t.Helper()
	body, err := cbor.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// TestRefusedInCBOR: whatever is in a body of CBOR, what cannot be read is told, in CBOR, by both of its names.
func TestRefusedInCBOR(t *testing.T) {
	t.Parallel()
	h := newHandler(t, nil, stopped())
	good := func() map[string]any {
		return map[string]any{
			"Namespace": "n", "MetricName": "m", "StartTime": cbor.Tag{Number: 1, Content: 1.5}, "EndTime": cbor.Tag{Number: 1, Content: 2}, "Period": 60,
			"Dimensions": []any{map[string]any{"Name": "n", "Value": "v"}},
		}
	}
	with := func(member string, value any) []byte {
		in := good()
		if in[member] = value; value == nil {
			delete(in, member)
		}
		return inCBOR(t, in)
	}
	deep := any("x")
	for range 100 {
		deep = []any{deep}
	}
	for name, c := range map[string]struct {
		operation string
		body      []byte
		code      string // of Query
		named     string
	}{
		"good":                 {"GetMetricStatistics", inCBOR(t, good()), "", ""},
		"something newer":      {"GetMetricStatistics", with("Newer", []any{map[string]any{"a": []byte("b")}}), "", ""},
		"no such operation":    {"Nap", nil, "InvalidAction", "UnknownOperationException"},
		"not carried out":      {"PutMetricData", inCBOR(t, good()), "NotYetException", "NotYetException"},
		"no CBOR":              {"GetMetricStatistics", []byte("{}"), "SerializationException", "SerializationException"},
		"half of it":           {"GetMetricStatistics", inCBOR(t, good())[:20], "SerializationException", "SerializationException"},
		"two":                  {"GetMetricStatistics", append(inCBOR(t, good()), 0), "SerializationException", "SerializationException"},
		"no map":               {"GetMetricStatistics", inCBOR(t, []int{1}), "SerializationException", "SerializationException"},
		"numbers for names":    {"GetMetricStatistics", inCBOR(t, map[int]int{1: 1}), "SerializationException", "SerializationException"},
		"a name twice":         {"GetMetricStatistics", []byte("\xa2\x61a\x01\x61a\x02"), "SerializationException", "SerializationException"},
		"broken text":          {"GetMetricStatistics", []byte("\xa1\x61a\x61\xff"), "SerializationException", "SerializationException"},
		"a long list promised": {"GetMetricStatistics", []byte("\xa1\x61a\x9b\xff\xff\xff\xff\xff\xff\xff\xff"), "SerializationException", "SerializationException"},
		"deep":                 {"GetMetricStatistics", with("Newer", deep), "SerializationException", "SerializationException"},
		"text for a number":    {"GetMetricStatistics", with("Period", "60"), "SerializationException", "SerializationException"},
		"half a number":        {"GetMetricStatistics", with("Period", 60.5), "SerializationException", "SerializationException"},
		"a large number":       {"GetMetricStatistics", with("Period", uint64(1<<63)), "SerializationException", "SerializationException"},
		"no number":            {"GetMetricStatistics", []byte("\xa1\x66Period\xf9\x7e\x00"), "SerializationException", "SerializationException"},
		"null in a list":       {"GetMetricStatistics", with("Statistics", []any{nil}), "SerializationException", "SerializationException"},
		"a late time":          {"GetMetricStatistics", with("EndTime", cbor.Tag{Number: 1, Content: 1e18}), "SerializationException", "SerializationException"},
		"a missing member":     {"GetMetricStatistics", with("MetricName", nil), "MissingParameter", "MissingRequiredParameterException"},
		"a constraint":         {"GetMetricStatistics", with("Period", 0), "ValidationError", "ValidationException"},
		"nothing":              {"GetMetricStatistics", nil, "MissingParameter", "MissingRequiredParameterException"},
	} {
		w := serve(h, rpcRequest(t, c.operation, c.body))
		var e struct {
			Type    string `cbor:"__type"`
			Message string `cbor:"message"`
		}
		if err := cbor.Unmarshal(w.Body.Bytes(), &e); err != nil || (w.Code == 200) != (c.code == "") || w.Code >= 500 {
			t.Errorf("%s: %d %v %q", name, w.Code, err, w.Body)
		}
		code, blame, _ := strings.Cut(w.Header().Get("X-Amzn-Query-Error"), ";")
		if e.Type != c.named || code != c.code || c.code != "" && (blame != "Sender" || e.Message == "") {
			t.Errorf("%s: %+v, %s", name, e, w.Header().Get("X-Amzn-Query-Error"))
		}
		if w.Header().Get("Smithy-Protocol") == "" || w.Header().Get("Content-Type") != "application/cbor" {
			t.Errorf("%s: %v", name, w.Header())
		}
	}
}

// TestForms reads inputs of the Query protocol, good and bad.
func TestForms(t *testing.T) {
	t.Parallel()
	const good = "Action=GetMetricStatistics&Namespace=n&MetricName=m&StartTime=2026-01-02T03%3A04%3A05%2B01%3A00&EndTime=1767323045.5&Period=60" +
		"&Dimensions.member.1.Name=a&Dimensions.member.1.Value=b"
	h := newHandler(t, nil, stopped(), api.Bind(monitoring.ListMetrics, func(_ context.Context, in *monitoring.ListMetricsInput) (*monitoring.ListMetricsOutput, error) {
		token := fmt.Sprintf("%v %d", *in.IncludeLinkedAccounts, len(in.Dimensions))
		return &monitoring.ListMetricsOutput{NextToken: &token}, nil
	}))
	for name, c := range map[string]struct{ form, want string }{
		"good":              {good, "<Label>m a=b 2026-01-02T02:04:05Z 60 []</Label>"},
		"something newer":   {good + "&Newer.member.1.A=2&Newer=1", "<Label>"},
		"a date":            {strings.Replace(good, "StartTime=2026-01-02T03%3A04%3A05%2B01%3A00", "StartTime=2026-01-02", 1), "2026-01-02T00:00:00Z"},
		"a switch":          {"Action=ListMetrics&IncludeLinkedAccounts=true&Dimensions=", "<NextToken>true 0</NextToken>"},
		"ten of a list":     {"Action=ListMetrics&IncludeLinkedAccounts=false" + tenFilters(), "<NextToken>false 10</NextToken>"},
		"eleven of a list":  {"Action=ListMetrics&IncludeLinkedAccounts=false" + tenFilters() + "&Dimensions.member.11.Name=x", "<Code>ValidationError</Code>"},
		"no switch":         {"Action=ListMetrics&IncludeLinkedAccounts=maybe", "<Code>SerializationException</Code>"},
		"a gap":             {good + "&Statistics.member.2=Sum", "<Code>SerializationException</Code>"},
		"a long gap":        {good + "&Statistics.member.99999999999=Sum", "<Code>SerializationException</Code>"},
		"twice":             {good + "&Period=60", "<Code>SerializationException</Code>"},
		"no number":         {strings.Replace(good, "Period=60", "Period=x", 1), "<Code>SerializationException</Code>"},
		"a large number":    {strings.Replace(good, "Period=60", "Period=99999999999", 1), "<Code>SerializationException</Code>"},
		"no time":           {strings.Replace(good, "EndTime=1767323045.5", "EndTime=soon", 1), "<Code>SerializationException</Code>"},
		"a late time":       {strings.Replace(good, "EndTime=1767323045.5", "EndTime=1e300", 1), "<Code>SerializationException</Code>"},
		"no time at all":    {strings.Replace(good, "EndTime=1767323045.5", "EndTime=NaN", 1), "<Code>SerializationException</Code>"},
		"a structure":       {strings.Replace(good, "Period=60", "Period.member.1=60", 1), "<Code>SerializationException</Code>"},
		"missing":           {strings.Replace(good, "&Period=60", "", 1), "<Code>MissingParameter</Code><Message>The parameter Period is required.</Message>"},
		"deep":              {good + "&Newer" + strings.Repeat(".a", 100) + "=1", "<Code>SerializationException</Code>"},
		"unknown operation": {"Action=Nap", "<Code>InvalidAction</Code>"},
	} {
		w := serve(h, formRequest(t, c.form))
		if !strings.Contains(w.Body.String(), c.want) || w.Code >= 500 || (w.Code == 200) == strings.Contains(c.want, "<Code>") {
			t.Errorf("%s: %d %s; want %s", name, w.Code, w.Body, c.want)
		}
	}
}

func tenFilters() (form string) {
	for i := range 10 {
		form += fmt.Sprintf("&Dimensions.member.%d.Name=n%d", i+1, i)
	}
	return form
}

// TestPassOn: what a service leaves to others goes on whole, where there is somebody; else it is refused.
func TestPassOn(t *testing.T) {
	t.Parallel()
	elsewhere := api.Bind(monitoring.ListMetrics, func(context.Context, *monitoring.ListMetricsInput) (*monitoring.ListMetricsOutput, error) {
		return nil, api.ErrElsewhere
	})
	body := inCBOR(t, map[string]any{"Namespace": "Mine"})
	for _, operation := range []string{"PutMetricData", "ListMetrics", "GetMetricStatistics"} {
		var got string
		h := newHandler(t, func(c *awsjson.Config) {
			c.Services = []awsjson.ServiceHandlers{{Service: monitoring.Service, Handlers: []api.Handler{elsewhere, stopped()}, PassOn: true}}
			c.Unknown = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				var all bytes.Buffer
				_, _ = all.ReadFrom(r.Body)
				got = all.String()
			})
		})
		w := serve(h, rpcRequest(t, operation, body))
		if passed := got == string(body); passed != (operation != "GetMetricStatistics") {
			t.Errorf("%s: passed on: %v; %d %q", operation, passed, w.Code, w.Body)
		}
	}
	// A stranger's is not passed on by its namespace: who it is has been looked at first.
	h := newHandler(t, func(c *awsjson.Config) {
		c.Services = []awsjson.ServiceHandlers{{Service: monitoring.Service, Handlers: []api.Handler{elsewhere}, PassOn: true}}
		c.Unknown = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("passed on") })
	})
	r := rpcRequest(t, "ListMetrics", body)
	sign(t, r, string(body), signedAs{service: "monitoring", secret: "wrong"})
	if w := serve(h, r); w.Code != http.StatusForbidden && w.Header().Get("X-Amzn-Query-Error") != "SignatureDoesNotMatch;Sender" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}
