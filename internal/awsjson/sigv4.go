package awsjson

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"carrel/internal/api"
)

// MaxSkew is how far a request's date may lie from the clock, either way: 5 minutes, as with AWS.
const MaxSkew = 5 * time.Minute

// SigV4 authenticates requests by their AWS Signature Version 4. It signs a copy of the request with the AWS SDK's own
// signer and compares, so nothing of the algorithm is written here.
//
// Accepted are signatures in the Authorization header made with AWS4-HMAC-SHA256 and long-term keys, over at least host,
// X-Amz-Date and every other X-Amz- header. Refused by name are presigned URLs, session tokens, unsigned and streamed
// payloads, and requests dated by Date alone, which the SDK's signer cannot repeat and no SDK sends.
type SigV4 struct {
	keys KeySource
	now  func() time.Time

	mu     sync.Mutex
	signer *v4.Signer
	uses   int
}

// NewSigV4 returns an authenticator for the keys. The clock is the wall clock that clients sign by, not one that tests
// move.
func NewSigV4(keys KeySource, now func() time.Time) *SigV4 { return &SigV4{keys: keys, now: now} }

// signerUses is how many signatures one signer makes. A signer keeps a derived key for every region it has seen, and the
// region is the sender's to choose, before the signature is known to be good: starting afresh bounds that memory.
const signerUses = 1 << 14

func (s *SigV4) currentSigner() *v4.Signer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.signer == nil || s.uses == signerUses {
		s.signer, s.uses = v4.NewSigner(), 0
	}
	s.uses++
	return s.signer
}

// Authenticate implements Authenticator.
func (s *SigV4) Authenticate(r *http.Request, body []byte, service string) (api.Caller, error) {
	signed, signedAt, exception := s.examine(r, service)
	if exception != nil {
		return api.Caller{}, exception
	}
	key, err := s.keys.Key(r.Context(), signed.keyID)
	switch {
	case errors.Is(err, ErrUnknownKey):
		return api.Caller{}, refuse(unrecognizedClient, "The security token included in the request is invalid.")
	case err != nil:
		return api.Caller{}, fmt.Errorf("look up access key: %w", err)
	}
	sum := sha256.Sum256(body)
	payloadHash := hex.EncodeToString(sum[:])
	if exception := checkPayload(r.Header.Get("X-Amz-Content-Sha256"), payloadHash); exception != nil {
		return api.Caller{}, exception
	}
	want, err := s.sign(r, signed, key, payloadHash, signedAt) //nolint:contextcheck // its context is the debug log's only
	if err != nil {
		return api.Caller{}, err
	}
	if subtle.ConstantTimeCompare([]byte(want), []byte(signed.signature)) != 1 {
		return api.Caller{}, refuse(invalidSignature, "The request signature we calculated does not match the signature "+
			"you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return api.Caller{
		Account: key.Account, Region: signed.region, AccessKeyID: signed.keyID, UserARN: key.UserARN, UserID: key.UserID,
	}, nil
}

// examine checks everything about a signature that needs no key.
func (s *SigV4) examine(r *http.Request, service string) (authorization, time.Time, *api.Exception) {
	if len(r.Header.Values("Authorization")) == 0 && strings.Contains(r.URL.RawQuery, "X-Amz-Signature=") {
		return authorization{}, time.Time{}, refuse(incompleteSignature,
			"A signature in the query string is not accepted here; sign the Authorization header.")
	}
	if len(r.Header.Values("Authorization")) > 1 {
		return authorization{}, time.Time{}, refuse(incompleteSignature, "The request has two Authorization headers.")
	}
	signed, exception := parseAuthorization(r.Header.Get("Authorization"))
	if exception != nil {
		return authorization{}, time.Time{}, exception
	}
	signedAt, exception := s.checkDate(r, signed)
	if exception != nil {
		return authorization{}, time.Time{}, exception
	}
	if exception := signed.checkService(service); exception != nil {
		return authorization{}, time.Time{}, exception
	}
	if exception := checkSignedHeaders(r, signed.signedHeaders); exception != nil {
		return authorization{}, time.Time{}, exception
	}
	if r.Header.Get("X-Amz-Security-Token") != "" {
		return authorization{}, time.Time{}, refuse(unrecognizedClient,
			"The security token included in the request is invalid. Session tokens are not issued here; sign with the access key alone.")
	}
	return signed, signedAt, nil
}

const amzDateLayout = "20060102T150405Z"

// checkDate reads X-Amz-Date and holds it against the clock and the credential scope.
func (s *SigV4) checkDate(r *http.Request, signed authorization) (time.Time, *api.Exception) {
	text := r.Header.Get("X-Amz-Date")
	signedAt, err := time.Parse(amzDateLayout, text)
	if err != nil {
		return time.Time{}, refuse(incompleteSignature,
			"The request needs an 'X-Amz-Date' header in the form YYYYMMDD'T'HHMMSS'Z', and it must be signed.")
	}
	if signed.date != text[:len(signed.date)] {
		return time.Time{}, refuse(invalidSignature,
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.")
	}
	now := s.now().UTC()
	if earliest := now.Add(-MaxSkew); signedAt.Before(earliest) {
		return time.Time{}, refuse(invalidSignature, fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 5 min.)",
			text, earliest.Format(amzDateLayout), now.Format(amzDateLayout)))
	}
	if latest := now.Add(MaxSkew); signedAt.After(latest) {
		return time.Time{}, refuse(invalidSignature, fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 5 min.)",
			text, latest.Format(amzDateLayout), now.Format(amzDateLayout)))
	}
	return signedAt, nil
}

func (a authorization) checkService(service string) *api.Exception {
	if a.service != service {
		return refuse(invalidSignature, "Credential should be scoped to correct service: '"+service+"'.")
	}
	return nil
}

// checkSignedHeaders makes sure that what decides about a request is covered by its signature.
func checkSignedHeaders(r *http.Request, names []string) *api.Exception {
	if !slices.Contains(names, "host") {
		return refuse(invalidSignature, "'Host' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for name := range r.Header {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") && !slices.Contains(names, lower) {
			return refuse(invalidSignature, "Every X-Amz- header of the request must be a 'SignedHeader' in the AWS Authorization.")
		}
	}
	return nil
}

// checkPayload holds the payload hash that a client may send against the body's.
func checkPayload(sent, actual string) *api.Exception {
	switch {
	case sent == "" || sent == actual:
		return nil
	case sent == "UNSIGNED-PAYLOAD" || strings.HasPrefix(sent, "STREAMING-"):
		return refuse(invalidSignature, "The payload must be signed: UNSIGNED-PAYLOAD and streaming signatures are not accepted.")
	default:
		return refuse(invalidSignature, "The payload does not match X-Amz-Content-Sha256.")
	}
}

// sign returns the signature, in hex, that the request should carry.
func (s *SigV4) sign(r *http.Request, signed authorization, key Key, payloadHash string, at time.Time) (string, error) {
	url := *r.URL
	again := &http.Request{Method: r.Method, URL: &url, Host: r.Host, Header: make(http.Header, len(signed.signedHeaders)+1)}
	for _, name := range signed.signedHeaders {
		switch name {
		case "host":
		case "content-length":
			// Some clients sign it (the Go SDK) and some do not (botocore); the signer does when the request has one.
			again.ContentLength = r.ContentLength
		default:
			if values := r.Header.Values(name); len(values) > 0 {
				again.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
			}
		}
	}
	credentials := aws.Credentials{
		// The signer finds its derived keys by access key id. The id is no part of the signature, and a secret in its
		// place keeps a key that was replaced under the same id from being accepted until midnight.
		AccessKeyID:     key.Secret,
		SecretAccessKey: key.Secret,
	}
	// The signer wants a context for its debug log only, which is off.
	err := s.currentSigner().SignHTTP(context.Background(), credentials, again, payloadHash, signed.service, signed.region, at)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	made := again.Header.Get("Authorization")
	return made[strings.LastIndexByte(made, '=')+1:], nil
}
