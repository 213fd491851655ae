package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"carrel/internal/control"
)

// soonEnded is how long before a certificate ends it is warned of: long enough to have another issued and told to both sides.
const soonEnded = 30 * 24 * time.Hour

// federation looks at the certificates by which directories and their identity providers believe each other.
func (*doctor) federation(ctx context.Context, r *remote) (findings []finding) {
	body, err := r.get(ctx, "/_carrel/federation")
	var f control.Federation
	if err == nil {
		err = json.Unmarshal(body, &f)
	}
	if err != nil {
		return []finding{{statusWarn, "SAML", err.Error(), "see the server's log"}}
	}
	for _, d := range f.Directories {
		findings = append(findings, providerFinding(d, f.Now), ownFinding(d, f.Now))
	}
	return findings
}

// providerFinding is what the identity provider's certificates come to. It may have an old one beside a new one.
func providerFinding(d control.Federated, now time.Time) finding {
	last := d.Provider[0]
	for _, c := range d.Provider {
		if c.Expires.After(last.Expires) {
			last = c
		}
	}
	found := finding{statusOK, "SAML", fmt.Sprintf("%s in %s: %s signs as %q, %s", d.DirectoryID, d.Region, d.Issuer, last.Subject, goodUntil(last, now)), ""}
	if now.Add(soonEnded).Before(last.Expires) {
		return found
	}
	found.Status, found.Advice = statusWarn, "have it publish its next certificate, then: carrel saml set --directory "+d.DirectoryID+" --metadata FILE"
	if !now.Before(last.Expires) && d.Used {
		found.Status, found.Found = statusMissing, found.Found+", so that nobody signs in by it"
	}
	return found
}

// ownFinding is what Carrel's certificates come to for a directory.
func ownFinding(d control.Federated, now time.Time) finding {
	const what = "SAML"
	place := fmt.Sprintf("%s in %s: Carrel", d.DirectoryID, d.Region)
	if len(d.Own) == 0 {
		return finding{statusWarn, what, place + " has no certificate, and so tells and is told of no sign-out", "start the server again, which makes it"}
	}
	found := finding{statusOK, what, fmt.Sprintf("%s signs as %q, %s", place, d.Own[0].Subject, goodUntil(d.Own[0], now)), ""}
	if len(d.Own) > 1 {
		found.Found += "; the next is published"
	}
	switch {
	case now.Add(soonEnded).Before(d.Own[0].Expires):
	case len(d.Own) > 1:
		found.Status, found.Advice = statusWarn, "once the identity provider has read Carrel's metadata again: carrel saml renew --directory "+d.DirectoryID+" --finish"
	default:
		found.Status, found.Advice = statusWarn, "carrel saml renew --directory "+d.DirectoryID
	}
	return found
}

// goodUntil says until when a certificate is good.
func goodUntil(c control.Certificate, now time.Time) string {
	until := c.Expires.Format(time.DateOnly)
	days := int(c.Expires.Sub(now) / (24 * time.Hour))
	switch {
	case !now.Before(c.Expires):
		return "which ended on " + until
	case now.Before(c.Begins):
		return "from " + c.Begins.Format(time.DateOnly) + " until " + until
	case days < int(soonEnded/(24*time.Hour)):
		return fmt.Sprintf("until %s: %d days from now", until, days)
	default:
		return "until " + until
	}
}
