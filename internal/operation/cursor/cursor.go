// Package cursor makes and reads the NextToken of lists whose order is that of a text key,
// such as a user's name. It imports the domain.
package cursor

import (
	"encoding/base64"
	"hash/fnv"
	"strconv"
	"strings"
	"unicode/utf8"

	"carrel/internal/workspaces"
)

// Token makes the NextToken of a list that goes on behind a key. About is what the list is
// of: a token is good only for the same list.
func Token(key string, about ...string) *string {
	return new(base64.RawURLEncoding.EncodeToString([]byte(fingerprint(about) + "." + key)))
}

// Key reads a NextToken; nil, for the first page, gives "". Any other that Token did not
// make for this list is refused with CodeInvalidNextToken.
func Key(token *string, about ...string) (string, error) {
	if token == nil {
		return "", nil
	}
	text, err := base64.RawURLEncoding.DecodeString(*token)
	print, key, ok := strings.Cut(string(text), ".")
	if err != nil || !ok || !textual(key) || print != fingerprint(about) {
		return "", workspaces.Errorf(workspaces.CodeInvalidNextToken, "Invalid value passed for the NextToken parameter: it is not one that this request was given.")
	}
	return key, nil
}

// textual reports whether every database can compare the key with its own text.
func textual(key string) bool {
	return key != "" && utf8.ValidString(key) && !strings.ContainsRune(key, 0)
}

func fingerprint(about []string) string {
	h := fnv.New64a()
	for _, s := range about {
		_, _ = h.Write([]byte(s + "\x00")) // a hash takes everything
	}
	return strconv.FormatUint(h.Sum64(), 36)
}
