package awsjson

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"net/http"
	"reflect"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/go-json-experiment/json"

	"carrel/internal/api"
)

const contentTypeCBOR = "application/cbor"

// cborDialect writes Smithy's RPC v2 with CBOR.
type cborDialect struct{ service *api.Service }

func (cborDialect) output(body *bytes.Buffer, header http.Header, reply reply) error {
	setCBOR(header)
	return cbor.MarshalToBuffer(reply.output, body)
}

func (d cborDialect) exception(body *bytes.Buffer, header http.Header, reply reply) int {
	setCBOR(header)
	exception := reply.exception
	members := map[string]any{"__type": exception.Name}
	if exception.Message != "" {
		members[d.service.MessageOf(exception.Name)] = exception.Message
	}
	maps.Copy(members, exception.Members)
	if err := cbor.MarshalToBuffer(members, body); err != nil { // a member that CBOR cannot hold: an exception has to arrive
		body.Reset()
		_ = cbor.MarshalToBuffer(map[string]string{"__type": exception.Name}, body)
	}
	return exception.HTTPStatus()
}

func setCBOR(header http.Header) {
	header.Set("Content-Type", contentTypeCBOR)
	header.Set(protocolHeader, string(api.RPCCBOR))
}

// reader reads CBOR as strictly as JSON is read. Keys of maps are texts.
var reader = func() cbor.DecMode { //nolint:gochecknoglobals // never changed
	mode, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		MaxNestedLevels:  64,
		MaxArrayElements: MaxBody,
		MaxMapPairs:      MaxBody,
		DefaultMapType:   reflect.TypeFor[map[string]any](),
		UTF8:             cbor.UTF8RejectInvalid,
		TimeTag:          cbor.DecTagIgnored,
	}.DecMode()
	if err != nil {
		panic(err) // a mistake in the lines above
	}
	return mode
}()

// jsonOf turns a body of CBOR into the JSON that says the same, so that there is one reader of inputs, and one set of
// rules for what is doubtful: times become epoch seconds, bytes base64.
func jsonOf(body []byte) ([]byte, error) {
	if len(body) == 0 {
		return nil, nil
	}
	var value any
	if err := reader.Unmarshal(body, &value); err != nil {
		return nil, refuse(api.SerializationException, "The request is no valid CBOR.")
	}
	value, err := plain(value)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(value)
	if err != nil {
		return nil, refuse(api.SerializationException, "The request holds what no input does.")
	}
	return text, nil
}

// plain makes a decoded value one that JSON can hold.
func plain(value any) (_ any, err error) {
	switch v := value.(type) {
	case nil, bool, string, int64, uint64:
		return v, nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, refuse(api.SerializationException, "The request holds a number that is none.")
		}
		return v, nil
	case []byte:
		return base64.StdEncoding.EncodeToString(v), nil
	case time.Time:
		return float64(v.UnixMilli()) / 1000, nil
	case cbor.Tag:
		return plain(v.Content)
	case []any:
		for i := range v {
			if v[i], err = plain(v[i]); err != nil {
				return nil, err
			}
		}
		return v, nil
	case map[string]any:
		for key := range v {
			if v[key], err = plain(v[key]); err != nil {
				return nil, err
			}
		}
		return v, nil
	default: // numbers beyond 64 bits, simple values
		return nil, refuse(api.SerializationException, fmt.Sprintf("The request holds a %T, which no input does.", v))
	}
}
