package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"carrel/internal/compute"
)

// lookTimeout is how long doctor waits for an answer.
const lookTimeout = 5 * time.Second

// database looks at whether the configured PostgreSQL answers.
func (d *doctor) database(ctx context.Context) []finding {
	const what = "database"
	url := d.config.Database
	if !strings.HasPrefix(url, "postgres://") && !strings.HasPrefix(url, "postgresql://") {
		return []finding{okf(what, "SQLite, %s", d.config.Folder().Database())}
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, url) // its errors do not show the password
	if err != nil {
		return []finding{{statusMissing, what, err.Error(), "see that PostgreSQL runs and that --database names it: postgres://USER:PASSWORD@HOST/DATABASE"}}
	}
	defer conn.Close(ctx)
	return []finding{okf(what, "PostgreSQL %s", conn.PgConn().ParameterStatus("server_version"))}
}

// server looks at whether the server answers, knows the key, and lives in the same time.
func (d *doctor) server(ctx context.Context) []finding {
	const what = "server"
	r, err := d.remote()
	if err != nil {
		return []finding{{statusWarn, what, err.Error(), ""}}
	}
	skew, err := r.greet(ctx)
	if err != nil {
		return []finding{{statusMissing, what, fmt.Sprintf("does not answer: %v", err), r.unanswered}}
	}
	findings := append([]finding{okf(what, "answers at %s", r.endpoint)}, skewFinding(skew))
	if _, err := r.networks(ctx); err != nil {
		return append(findings, finding{statusMissing, "access key", err.Error(), "carrel key create, beside the server, makes another"})
	}
	return append(findings, okf("access key", "%s is accepted", r.accessKey.AccessKeyID))
}

// localServer looks at the server of the data folder, and at which engine it chose.
func (d *doctor) localServer(ctx context.Context) []finding {
	findings := d.server(ctx)
	r, err := d.remote()
	if err != nil || verdict(findings) != nil {
		return findings
	}
	findings = append(append(findings, d.encryption(ctx, r)), d.federation(ctx, r)...)
	about, err := r.engine(ctx)
	if err != nil {
		return append(findings, finding{statusMissing, "desktops", err.Error(), "see the server's log"})
	}
	chosen := desktopsFinding(about)
	if about.Name == "simulated" && d.config.Engine == "incus" {
		chosen.Status, chosen.Advice = statusWarn, "stop the server, then: carrel serve --engine incus"
	}
	return append(findings, chosen)
}

// greet returns how far the server's clock is before this one.
func (r *remote) greet(ctx context.Context) (skew time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.endpoint+"/healthz", nil)
	if err != nil {
		return 0, err
	}
	response, err := r.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		return 0, refusal(response, nil)
	}
	date, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		return 0, err
	}
	return date.Sub(r.clock.Now()), nil
}

const (
	// smallSkew is what two clocks that are kept by NTP do not reach, with a second for the
	// header's own precision.
	smallSkew = 5 * time.Second
	// mostSkew is how far a signature's time may be from the server's. Source: awsjson.MaxSkew.
	mostSkew = 5 * time.Minute
)

func skewFinding(skew time.Duration) finding {
	const what, advice = "clocks", "have both machines keep their time by NTP: timedatectl set-ntp true"
	found := fmt.Sprintf("the server's is %s from this one's", skew.Abs().Round(time.Second))
	switch {
	case skew.Abs() >= mostSkew:
		return finding{statusMissing, what, found + ", so that it refuses every signature", advice}
	case skew.Abs() >= smallSkew:
		return finding{statusWarn, what, found, advice}
	default:
		return okf(what, "agree")
	}
}

// serverElsewhere looks at a server that is reached over the network only, and at its engine.
func (d *doctor) serverElsewhere(ctx context.Context) []finding {
	findings := d.server(ctx)
	if verdict(findings) != nil {
		return findings
	}
	r, err := d.remote()
	if err != nil {
		return findings
	}
	findings = append(append(findings, d.encryption(ctx, r)), d.federation(ctx, r)...)
	about, err := r.engine(ctx)
	if err != nil {
		return append(findings, finding{statusMissing, "engine", err.Error(), "see the server's log"})
	}
	findings = append(findings, engineFindings(about, d.config.Image)...)
	return append(findings, desktopsFinding(about))
}

// desktopsFinding is how many of the server's desktops run. Only the server knows which are its own.
func desktopsFinding(about compute.About) finding {
	return okf("desktops", "%d running, on the engine %s", about.DesktopsRunning, about.Name)
}
