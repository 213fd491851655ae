package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// model is the part of a botocore service model that is pinned: everything that changes bytes on the wire, and no prose.
// Members that these types do not name are dropped when a model is pinned.
type model struct {
	Metadata   metadata           `json:"metadata"`
	Operations ordered[operation] `json:"operations"`
	Shapes     ordered[shape]     `json:"shapes"`
}

type metadata struct {
	APIVersion     string `json:"apiVersion"`
	EndpointPrefix string `json:"endpointPrefix"`
	JSONVersion    string `json:"jsonVersion,omitzero"`
	Protocol       string `json:"protocol"`
	ServiceID      string `json:"serviceId"`
	SigningName    string `json:"signingName,omitzero"`
	TargetPrefix   string `json:"targetPrefix,omitzero"`
	XMLNamespace   string `json:"xmlNamespace,omitzero"`
}

type operation struct {
	HTTP struct {
		Method       string `json:"method"`
		RequestURI   string `json:"requestUri"`
		ResponseCode int    `json:"responseCode,omitzero"`
	} `json:"http"`
	Input  *ref  `json:"input,omitzero"`
	Output *ref  `json:"output,omitzero"`
	Errors []ref `json:"errors,omitzero"`
}

// ref is a use of a shape: by an operation, as a member, or inside a list or map.
type ref struct {
	Shape            string `json:"shape"`
	ResultWrapper    string `json:"resultWrapper,omitzero"`
	Location         string `json:"location,omitzero"`
	LocationName     string `json:"locationName,omitzero"`
	JSONValue        bool   `json:"jsonvalue,omitzero"`
	IdempotencyToken bool   `json:"idempotencyToken,omitzero"`
	TimestampFormat  string `json:"timestampFormat,omitzero"`
}

type shape struct {
	Type            string       `json:"type"`
	Required        []string     `json:"required,omitzero"`
	Members         ordered[ref] `json:"members,omitzero"`
	Payload         string       `json:"payload,omitzero"`
	Member          *ref         `json:"member,omitzero"`
	Key             *ref         `json:"key,omitzero"`
	Value           *ref         `json:"value,omitzero"`
	Enum            []string     `json:"enum,omitzero"`
	Min             *int64       `json:"min,omitzero"`
	Max             *int64       `json:"max,omitzero"`
	Pattern         string       `json:"pattern,omitzero"`
	TimestampFormat string       `json:"timestampFormat,omitzero"`
	Sensitive       bool         `json:"sensitive,omitzero"`
	Union           bool         `json:"union,omitzero"`
	Document        bool         `json:"document,omitzero"`
	Exception       bool         `json:"exception,omitzero"`
	Fault           bool         `json:"fault,omitzero"`
	Error           *struct {
		Code           string `json:"code,omitzero"`
		HTTPStatusCode int    `json:"httpStatusCode,omitzero"`
		SenderFault    bool   `json:"senderFault,omitzero"`
	} `json:"error,omitzero"`
}

func (s shape) requires(member string) bool { return slices.Contains(s.Required, member) }

// loadModel reads a pinned model.
func loadModel(folder, name string) (*model, error) {
	content, err := os.ReadFile(filepath.Join(folder, name+".json")) //nolint:gosec // a name of targets
	if err != nil {
		return nil, err
	}
	var m model
	if err := json.Unmarshal(content, &m); err != nil {
		return nil, fmt.Errorf("pinned model %s: %w", name, err)
	}
	return &m, nil
}

// ordered is a JSON object that remembers the order of its members: the order of the model is the order of fields,
// checks and messages.
type ordered[T any] struct {
	names  []string
	values map[string]T
}

func (o ordered[T]) IsZero() bool { return o.values == nil }

func (o *ordered[T]) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, name := range o.names {
		if err := enc.WriteToken(jsontext.String(name)); err != nil {
			return err
		}
		if err := json.MarshalEncode(enc, o.values[name]); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndObject)
}

func (o *ordered[T]) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if token, err := dec.ReadToken(); err != nil || token.Kind() != '{' {
		return fmt.Errorf("expected an object: %w", err)
	}
	o.values = map[string]T{}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		key := name.String()
		var value T
		if err := json.UnmarshalDecode(dec, &value); err != nil {
			return err
		}
		o.names = append(o.names, key)
		o.values[key] = value
	}
	_, err := dec.ReadToken()
	return err
}
