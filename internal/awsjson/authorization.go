package awsjson

import (
	"strings"

	"carrel/internal/api"
)

const algorithm = "AWS4-HMAC-SHA256"

// authorization is a SigV4 Authorization header taken apart.
type authorization struct {
	keyID         string
	date          string // YYYYMMDD, of the credential scope
	region        string
	service       string
	signedHeaders []string // lower case
	signature     string   // hex
}

// Bounds on what an Authorization header may hold; real ones stay far below.
const (
	maxAuthorization = 4 << 10
	maxSignedHeaders = 64
)

// parseAuthorization reads the header. Its exceptions never repeat the header: part of it is a credential.
//
//	AWS4-HMAC-SHA256 Credential=KEY/20240102/us-east-1/workspaces/aws4_request, SignedHeaders=host;x-amz-date, Signature=…
func parseAuthorization(header string) (authorization, *api.Exception) {
	if header == "" {
		return authorization{}, refuse(missingToken, "Missing Authentication Token")
	}
	scheme, rest, _ := strings.Cut(strings.TrimSpace(header), " ")
	if scheme != algorithm || len(header) > maxAuthorization {
		return authorization{}, refuse(incompleteSignature, "The Authorization header must use the algorithm "+algorithm+".")
	}
	parameters := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if _, twice := parameters[name]; !ok || twice {
			return authorization{}, refuse(incompleteSignature,
				"The Authorization header must be a list of name=value pairs, each name once.")
		}
		parameters[name] = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if parameters[name] == "" {
			return authorization{}, refuse(incompleteSignature, "Authorization header requires '"+name+"' parameter.")
		}
	}
	a := authorization{
		signedHeaders: strings.Split(parameters["SignedHeaders"], ";"),
		signature:     parameters["Signature"],
	}
	if len(a.signedHeaders) > maxSignedHeaders {
		return authorization{}, refuse(incompleteSignature, "The Authorization header signs too many headers.")
	}
	exception := a.setCredential(parameters["Credential"])
	return a, exception
}

func (a *authorization) setCredential(credential string) *api.Exception {
	parts := strings.Split(credential, "/")
	if len(parts) != 5 || parts[0] == "" {
		return refuse(incompleteSignature,
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.")
	}
	if parts[4] != "aws4_request" {
		return refuse(invalidSignature, "Credential should be scoped with a valid terminator: 'aws4_request'.")
	}
	if !isDate(parts[1]) || !isRegion(parts[2]) {
		return refuse(invalidSignature, "Credential should be scoped to a date (YYYYMMDD) and a region.")
	}
	a.keyID, a.date, a.region, a.service = parts[0], parts[1], parts[2], parts[3]
	return nil
}

func isDate(s string) bool {
	return len(s) == len("20060102") && strings.Trim(s, "0123456789") == ""
}

// isRegion accepts what the WorkSpaces model calls a Region: it becomes part of ARNs and of every key in the store.
func isRegion(s string) bool {
	return s != "" && len(s) <= 31 && strings.Trim(s, "-0123456789abcdefghijklmnopqrstuvwxyz") == ""
}
