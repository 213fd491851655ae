package api_test

import (
	"strings"
	"testing"

	"carrel/internal/api"
	dsapi "carrel/internal/api/ds"
	dsdataapi "carrel/internal/api/dsdata"
	stsapi "carrel/internal/api/sts"
	wsapi "carrel/internal/api/workspaces"
)

func TestDecodeRefusesWhatIsDoubtful(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		`null`:                                "The request must be a JSON object.",
		`[]`:                                  "The request must be a JSON object.",
		`"{}"`:                                "The request must be a JSON object.",
		` `:                                   "The request is no valid JSON (at byte 1).",
		`{} {}`:                               "The request is no valid JSON (at byte 3).",
		`{}x`:                                 "The request must be a JSON object.",
		`{`:                                   "The request is no valid JSON (at byte 1).",
		`}`:                                   "The request is no valid JSON (at byte 0).",
		`{"Limit":1,"Limit":2}`:               "The member at /Limit is given twice.",
		`{"Limit":"1"}`:                       "The value at /Limit cannot be read from a JSON string.",
		`{"Limit":1.5}`:                       "The value at /Limit cannot be read from a JSON number.",
		`{"Limit":99999999999}`:               "The value at /Limit cannot be read from a JSON number.",
		`{"DirectoryId":7}`:                   "The value at /DirectoryId cannot be read from a JSON number.",
		`{"DirectoryId":true}`:                "The value at /DirectoryId cannot be read from a JSON boolean.",
		`{"DirectoryId":{}}`:                  "The value at /DirectoryId cannot be read from a JSON object.",
		`{"WorkspaceIds":{}}`:                 "The value at /WorkspaceIds cannot be read from a JSON object.",
		`{"DirectoryId":[]}`:                  "The value at /DirectoryId cannot be read from a JSON list.",
		`{"WorkspaceIds":[null]}`:             "A list must not contain null.",
		"{\"DirectoryId\":\"\xff\"}":          "The request is no valid JSON (at byte 16).",
		`{"DirectoryId":"\ud800"}`:            "The request is no valid JSON (at byte 16).",
		`{"DirectoryId":"`:                    "The request is no valid JSON (at byte 16).",
		`{"DirectoryId":"\`:                   "The request is no valid JSON (at byte 16).",
		`{"A":` + strings.Repeat("[", 64):     "The request nests deeper than 64 levels.",
		`{"A":` + strings.Repeat(`{"a":`, 64): "The request nests deeper than 64 levels.",
	}
	for body, want := range tests {
		exception := decode(t, wsapi.DescribeWorkspaces, body)
		if exception == nil || exception.Name != api.SerializationException || exception.Message != want {
			t.Errorf("%.40q: got %v, want %s", body, exception, want)
		}
	}
}

func TestDecodeAcceptsWhatIsHarmless(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `{}`, " \r\n\t{ } ", `{"directoryid":7,"LIMIT":"x"}`, `{"Newer":{"a":[1,{"b":[]}],"null":null}}`, `{"Limit":null}`,
		`{"WorkspaceIds":null,"Newer":"[null]"}`, `{"A":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`,
		`{"Newer":"\"]}\\"}`,
	} {
		if exception := decode(t, wsapi.DescribeWorkspaces, body); exception != nil {
			t.Errorf("%.40q: %v", body, exception)
		}
	}
}

// FuzzDecode throws bodies at every operation of every service. Whatever they hold, the answer is an input or one of two
// exceptions, and it is short.
func FuzzDecode(f *testing.F) {
	var handlers []api.Handler
	for _, service := range []*api.Service{wsapi.Service, dsapi.Service, dsdataapi.Service, stsapi.Service} {
		for _, op := range service.Operations {
			handlers = append(handlers, op.Refuse(nil))
		}
	}
	for i, body := range []string{
		`{}`, `{"Workspaces":[{"DirectoryId":"d-926722edaf","UserName":"jo","BundleId":"wsb-123456789","Tags":[{"Key":"k"}]}]}`,
		`{"WorkspaceIds":["ws-123456789"],"Limit":25,"NextToken":"x"}`, `{"A":[null]}`, `{"a":[{"b":[[[]]]}]}`,
		`{"Name":"corp.example.com","Password":"Sw0rdfish!","Size":"Small","VpcSettings":{"VpcId":"vpc-12345678","SubnetIds":["x"]}}`,
		`{"SAMAccountName":"jo","OtherAttributes":{"department":{"S":"R&D"},"x":{"SS":["a"],"N":1}}}`,
		`{"ResourceId":"d-926722edaf","DeviceTypeIos":{"Logo":"AAAA","LoginMessage":{"de_DE":"Hallo"}}}`,
	} {
		f.Add(uint8(i*31), body)
	}
	f.Fuzz(func(t *testing.T, which uint8, body string) {
		handler := handlers[int(which)%len(handlers)]
		input, err := handler.Decode(api.Payload{Body: []byte(body)})
		if err == nil {
			if input == nil {
				t.Error("neither input nor error")
			}
			return
		}
		exception, ok := err.(*api.Exception) //nolint:errorlint // exactly this type is promised
		if !ok || (exception.Name != api.SerializationException && exception.Name != api.ValidationException) {
			t.Errorf("%s: %v", handler.Spec().Name, err)
		}
		if len(exception.Message) > 32<<10 || len(exception.Message) == 0 {
			t.Errorf("%s: a message of %d bytes", handler.Spec().Name, len(exception.Message))
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for name, body := range map[string]string{
		"DescribeWorkspaces": `{"DirectoryId":"d-926722edaf","Limit":25}`,
		"CreateWorkspaces_25": `{"Workspaces":[` + strings.Repeat(`{"DirectoryId":"d-926722edaf","UserName":"jo.doe",`+
			`"BundleId":"wsb-gm4d5tx2v","WorkspaceProperties":{"RunningMode":"AUTO_STOP"},"Tags":[{"Key":"team","Value":"a"}]},`, 24) +
			`{"DirectoryId":"d-926722edaf","UserName":"jo.doe","BundleId":"wsb-gm4d5tx2v"}]}`,
	} {
		b.Run(name, func(b *testing.B) {
			op, ok := wsapi.Service.Operation(strings.TrimSuffix(name, "_25"))
			if !ok {
				b.Fatal(name)
			}
			handler := op.Refuse(nil)
			payload := api.Payload{Body: []byte(body)}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := handler.Decode(payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
