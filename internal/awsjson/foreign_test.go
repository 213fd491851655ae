package awsjson_test

import (
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"carrel/internal/awsjson"
)

// TestForeignServicesAreNamed: who asks for a service that is not ours is told which, so that its client can read it.
func TestForeignServicesAreNamed(t *testing.T) {
	t.Parallel()
	h := newHandler(t, func(*awsjson.Config) {})
	request := func(method, path, service, contentType, body string) *http.Request {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		sign(t, r, body, signedAs{service: service})
		return r
	}
	const form = "application/x-www-form-urlencoded; charset=utf-8"
	for name, c := range map[string]struct {
		request *http.Request
		status  int
		code    func(body string, header http.Header) string
		want    string
	}{
		"JSON":      {jsonRequest(t, "DynamoDB_20120810.ListTables", "{}", signedAs{service: "dynamodb"}), 404, jsonCode, "UnknownOperationException"},
		"REST-JSON": {request(http.MethodGet, "/2015-03-31/functions", "lambda", "", ""), 404, headerCode, "UnknownOperationException"},
		"Query":     {request(http.MethodPost, "/", "iam", form, "Action=GetUser&Version=2010-05-08"), 404, xmlCode("ErrorResponse", "Error"), "InvalidAction"},
		"EC2":       {request(http.MethodPost, "/", "ec2", form, "Action=DescribeVpcs&Version=2016-11-15"), 404, xmlCode("Response", "Errors>Error"), "InvalidAction"},
		"S3":        {request(http.MethodGet, "/bucket", "s3", "", ""), 501, xmlCode("Error", ""), "NotImplemented"},
		"Route 53":  {request(http.MethodGet, "/2013-04-01/hostedzone", "route53", "", ""), 404, xmlCode("ErrorResponse", "Error"), "InvalidAction"},
	} {
		w := serve(h, c.request)
		if got := c.code(w.Body.String(), w.Header()); w.Code != c.status || got != c.want {
			t.Errorf("%s: %d, %q: %s", name, w.Code, got, w.Body)
		}
		if service := awsjson.ServiceOf(c.request); !strings.Contains(w.Body.String(), "the service "+service) || !strings.Contains(w.Body.String(), "--forward") {
			t.Errorf("%s: %s", name, w.Body)
		}
	}
	// Nothing that a stranger wrote comes back as markup.
	w := serve(h, request(http.MethodPost, "/", "<b>\r\n"+strings.Repeat("x", 500), form, "Action=x&Version=y"))
	if strings.Contains(w.Body.String(), "<b>") || w.Body.Len() > 1000 {
		t.Errorf("%s", w.Body)
	}
}

func jsonCode(body string, _ http.Header) string {
	var e struct {
		Type string `json:"__type"`
	}
	if json.Unmarshal([]byte(body), &e) != nil {
		return body
	}
	return e.Type
}

func headerCode(_ string, header http.Header) string { return header.Get("X-Amzn-Errortype") }

// xmlCode reads the code of an error that lies at a path below the root.
func xmlCode(root, path string) func(string, http.Header) string {
	return func(body string, _ http.Header) string {
		decoder := xml.NewDecoder(strings.NewReader(body))
		want := strings.Trim(root+">"+path, ">") + ">Code"
		var at []string
		for {
			token, err := decoder.Token()
			if err != nil {
				return body
			}
			switch token := token.(type) {
			case xml.StartElement:
				at = append(at, token.Name.Local)
			case xml.EndElement:
				at = at[:len(at)-1]
			case xml.CharData:
				if strings.Join(at, ">") == want {
					return string(token)
				}
			}
		}
	}
}

// TestForeignRequestsAreNotRead: what is certainly for others is passed on as it comes, however large it is.
func TestForeignRequestsAreNotRead(t *testing.T) {
	t.Parallel()
	var got int64
	h := newHandler(t, func(c *awsjson.Config) {
		c.Unknown = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			if err != nil {
				t.Error(err)
			}
			got = n
		})
	})
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/bucket/key", strings.NewReader(strings.Repeat("x", awsjson.MaxBody+1)))
	sign(t, r, "", signedAs{service: "s3"})
	if w := serve(h, r); w.Code != http.StatusOK || got != awsjson.MaxBody+1 {
		t.Errorf("%d, %d bytes: %s", w.Code, got, w.Body)
	}
}

func TestServiceOf(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		authorization, target string
		query                 url.Values
	}{
		"s3":             {authorization: "AWS4-HMAC-SHA256 Credential=K/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"},
		"events":         {authorization: "AWS4-ECDSA-P256-SHA256 Credential=K/20260101/events/aws4_request,SignedHeaders=host,Signature=0"},
		"sqs":            {query: url.Values{"X-Amz-Credential": {"K/20260101/us-east-1/sqs/aws4_request"}}},
		"DynamoDB":       {target: "DynamoDB_20120810.ListTables"},
		"AWSCognito":     {target: "AWSCognito", authorization: "Bearer Credential=x"},
		"":               {authorization: "Basic Zm9v"},
		"TrentService":   {target: "TrentService.ListKeys", authorization: "AWS4-HMAC-SHA256 Credential=K/x/y"},
		"secretsmanager": {target: "other.Op", authorization: "AWS4-HMAC-SHA256 Credential=K/20260101/us-east-1/secretsmanager/aws4_request"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/?"+c.query.Encode(), nil)
		r.Header.Set("Authorization", c.authorization)
		r.Header.Set("X-Amz-Target", c.target)
		if got := awsjson.ServiceOf(r); got != want {
			t.Errorf("%+v: %q, want %q", c, got, want)
		}
	}
}
