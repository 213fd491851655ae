package journal

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"carrel/internal/api"
)

// Redacted is what stands in a journal in place of every password and shared secret, and what they
// are after a replay. It is a good password by the rules of every kind of directory.
const Redacted = "Redacted-by-the-journal-1"

// redacted is an input or an output as JSON, without secrets; nil where it cannot be written.
func redacted(v any) json.RawMessage {
	var text bytes.Buffer
	if err := api.EncodeTo(&text, v); err != nil {
		return nil
	}
	if !bytes.Contains(text.Bytes(), []byte("Password")) && !bytes.Contains(text.Bytes(), []byte("Secret")) {
		return text.Bytes()
	}
	decoder := json.NewDecoder(&text)
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil
	}
	redact(tree)
	out, err := json.Marshal(tree)
	if err != nil {
		return nil
	}
	return out
}

func redact(tree any) {
	switch v := tree.(type) {
	case map[string]any:
		for key, value := range v {
			if _, text := value.(string); text && isSecret(key) {
				v[key] = Redacted
				continue
			}
			redact(value)
		}
	case []any:
		for _, value := range v {
			redact(value)
		}
	}
}

// isSecret tells whether a member of the API holds a secret.
func isSecret(member string) bool {
	return strings.HasSuffix(member, "Password") || member == "SharedSecret"
}

// queryOf returns the members of an input that travel in a URL's query, and so not in its JSON.
func queryOf(input any) map[string]string {
	v := reflect.Indirect(reflect.ValueOf(input))
	if v.Kind() != reflect.Struct {
		return nil
	}
	var query map[string]string
	for field, value := range v.Fields() {
		if text, ok := reflect.TypeAssert[*string](value); ok && text != nil && field.Tag.Get("json") == "-" {
			if query == nil {
				query = make(map[string]string)
			}
			query[field.Name] = *text
		}
	}
	return query
}
