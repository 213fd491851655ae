package journal

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"unicode"

	"carrel/internal/api"
	"carrel/internal/workspaces"
)

// Redacted is what stands in a journal in place of the passwords and shared secrets of requests that were carried
// out, and what they are after a replay. It is a good password by the rules of every kind of directory, unless the
// user's name is a part of it: then it is RedactedToo, which has no three letters in common with it.
const (
	Redacted    = "Redacted-by-the-journal-1"
	RedactedToo = "Zq9!Zq9!Zq9!"
)

// redacted is an input or an output as JSON, without secrets; nil where it cannot be written. Those of a request
// that was refused leave something of their like, which is refused too where they were what was refused.
func redacted(v any, refused bool) json.RawMessage {
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
	redact(tree, refused)
	out, err := json.Marshal(tree)
	if err != nil {
		return nil
	}
	return out
}

func redact(tree any, refused bool) {
	switch v := tree.(type) {
	case map[string]any:
		user, _ := v["UserName"].(string)
		for key, value := range v {
			secret, text := value.(string)
			switch {
			case !text || !isSecret(key):
				redact(value, refused)
			case refused:
				v[key] = like(secret, user)
			case holds(Redacted, user):
				v[key] = RedactedToo
			default:
				v[key] = Redacted
			}
		}
	case []any:
		for _, value := range v {
			redact(value, refused)
		}
	}
}

// holds tells whether a password has a user's name in it, however that is spelled.
func holds(password, user string) bool {
	return user != "" && strings.Contains(strings.ToLower(password), strings.ToLower(user))
}

// like is as long as a password, of the same kinds of characters in the same places, and has the user's name where
// the password has it, the administrators' names too. That is all that directories look at.
// Source: workspaces.CheckPassword.
func like(password, user string) string {
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return 'a'
		case r >= 'A' && r <= 'Z':
			return 'A'
		case r >= '0' && r <= '9':
			return '0'
		case r > unicode.MaxASCII:
			return 'é'
		default:
			return '-'
		}
	}, password)
	from, to := []rune(password), []rune(out)
	for _, name := range []string{workspaces.Administrator, workspaces.MicrosoftAdministrator, user} {
		letters := len([]rune(name))
		for i := 0; name != "" && i+letters <= len(from); i++ {
			if strings.EqualFold(string(from[i:i+letters]), name) {
				copy(to[i:], from[i:i+letters])
			}
		}
	}
	return string(to)
}

// withoutTokens is an input without what clients draw anew for each request, so that trying again is safe.
func withoutTokens(input json.RawMessage) json.RawMessage {
	if !bytes.Contains(input, []byte(clientToken)) {
		return input
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(input, &members); err != nil {
		return input
	}
	delete(members, clientToken)
	out, err := json.Marshal(members)
	if err != nil {
		return input
	}
	return out
}

const clientToken = "ClientToken"

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
