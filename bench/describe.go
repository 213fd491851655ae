package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

func unmarshal(text []byte, into any) error { return json.Unmarshal(text, into) }

// settled waits until no WorkSpace is PENDING any more.
func (s *server) settled(ctx context.Context) error {
	for {
		pending := 0
		_, err := s.list(ctx, func(page []byte) { pending += bytes.Count(page, []byte(`"State":"PENDING"`)) })
		if err != nil || pending == 0 {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// freeze stops the server's clock.
func (s *server) freeze(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint+"/_carrel/clock", strings.NewReader(`{"freeze": true}`))
	if err != nil {
		return err
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	if reply.StatusCode != http.StatusOK {
		err = fmt.Errorf("the clock does not stop: %s", reply.Status)
	}
	return errors.Join(err, reply.Body.Close())
}

// list reads all pages and returns how many WorkSpaces there were.
func (s *server) list(ctx context.Context, see func(page []byte)) (count int, err error) {
	_, err = s.pages(ctx, func(page []byte) {
		count += bytes.Count(page, []byte(`"WorkspaceId"`))
		if see != nil {
			see(page)
		}
	})
	return count, err
}

// pages reads all pages and returns how many bytes they had.
func (s *server) pages(ctx context.Context, see func(page []byte)) (size int, err error) {
	body := "{}"
	for {
		page, err := s.workspaces(ctx, "DescribeWorkspaces", body)
		if err != nil {
			return size, err
		}
		size += len(page)
		if see != nil {
			see(page)
		}
		token := nextToken(page)
		if token == "" {
			return size, nil
		}
		body = `{"NextToken":"` + token + `"}`
	}
}

// maxToken is more than the end of a page holds behind its last WorkSpace.
const maxToken = 512

// nextToken finds the token, which stands at the end of a page, without reading the whole of it.
func nextToken(page []byte) string {
	_, rest, found := bytes.Cut(page[max(0, len(page)-maxToken):], []byte(`"NextToken":"`))
	if !found {
		return ""
	}
	token, _, _ := bytes.Cut(rest, []byte(`"`))
	return string(token)
}

// benchDescribe measures DescribeWorkspaces in stores of different sizes, at rest: the clock stands, for else the first
// snapshots of 100,000 WorkSpaces would be taken meanwhile.
func benchDescribe(ctx context.Context, o options, t *table) error {
	s, err := startCarrel(ctx, o, "--engine", "simulated", "--control")
	if err != nil {
		return err
	}
	defer s.stop()
	if err := s.freeze(ctx); err != nil {
		return err
	}
	var at1000 rate
	have := 0
	for _, size := range []int{0, 100, 1_000, o.large} {
		ids, err := s.fill(ctx, "wsb-carrelval", fmt.Sprintf("d%d-", size), size-have)
		if err != nil {
			return err
		}
		have = size
		page, err := measure(ctx, o.duration, func(ctx context.Context, _ int) error {
			_, err := s.workspaces(ctx, "DescribeWorkspaces", "{}")
			return err
		})
		if err != nil {
			return err
		}
		beside, ratio := "", ""
		if size == 1_000 {
			at1000 = page
		}
		if size > 1_000 {
			beside, ratio = "p99 with 1,000: "+at1000.p99.String(), fmt.Sprintf("%.2f (at most 3)", float64(page.p99)/float64(at1000.p99))
		}
		t.add(fmt.Sprintf("DescribeWorkspaces, a page of %d of %d", min(size, 25), size), page.String(), beside, ratio)
		if size == 0 {
			continue
		}
		one, err := measure(ctx, o.duration, func(ctx context.Context, n int) error {
			_, err := s.workspaces(ctx, "DescribeWorkspaces", `{"WorkspaceIds":["`+ids[n%len(ids)]+`"]}`)
			return err
		})
		if err != nil {
			return err
		}
		t.add(fmt.Sprintf("DescribeWorkspaces, one id of %d", size), one.String(), "", "")
	}
	return nil
}

// benchMoto measures what moto's server does too, beside it, with the same client.
func benchMoto(ctx context.Context, o options, t *table) error {
	ours, err := startCarrel(ctx, o, "--engine", "simulated")
	if err != nil {
		return err
	}
	defer ours.stop()
	theirs, err := startMoto(ctx)
	if err != nil {
		return err
	}
	if theirs != nil {
		defer theirs.stop()
	}
	measured := make(map[string][]float64)
	for _, s := range []*server{ours, theirs} {
		if s == nil {
			continue
		}
		bundle := "wsb-carrelval"
		if s == theirs {
			bundle = "wsb-bh8rsxt14"
		}
		if err := s.beside(ctx, o, bundle, measured); err != nil {
			return err
		}
	}
	for _, what := range []struct{ name, unit, target string }{
		{"list 1,000 WorkSpaces", "WorkSpaces/s", "at least 3"},
		{"one id of 1,000", "requests/s", "at least 20"},
		{"CreateWorkspaces of 25", "requests/s", "at least 0.5"},
	} {
		m := measured[what.name]
		beside, ratio := "moto is not installed", ""
		if len(m) == 2 {
			beside, ratio = fmt.Sprintf("moto: %.0f %s", m[1], what.unit), fmt.Sprintf("%.1f (%s)", m[0]/m[1], what.target)
		}
		t.add(what.name, fmt.Sprintf("%.0f %s", m[0], what.unit), beside, ratio)
	}
	return nil
}

// beside measures one server.
func (s *server) beside(ctx context.Context, o options, bundle string, into map[string][]float64) error {
	ids, err := s.fill(ctx, bundle, "m", 1_000)
	if err != nil {
		return err
	}
	n, err := s.list(ctx, nil)
	if err == nil && n != len(ids) {
		err = fmt.Errorf("listed %d WorkSpaces of %d", n, len(ids))
	}
	if err != nil {
		return err
	}
	size, err := s.pages(ctx, nil)
	if err != nil {
		return err
	}
	lists, err := measure(ctx, o.duration, func(ctx context.Context, _ int) error {
		n, err := s.pages(ctx, nil)
		if err == nil && n != size {
			err = fmt.Errorf("listed %d bytes, and %d the first time", n, size)
		}
		return err
	})
	if err != nil {
		return err
	}
	one, err := measure(ctx, o.duration, func(ctx context.Context, n int) error {
		_, err := s.workspaces(ctx, "DescribeWorkspaces", `{"WorkspaceIds":["`+ids[n%len(ids)]+`"]}`)
		return err
	})
	if err != nil {
		return err
	}
	create, err := measure(ctx, o.duration, func(ctx context.Context, n int) error {
		_, err := s.workspaces(ctx, "CreateWorkspaces", createBody(s.directory, bundle, fmt.Sprintf("c%d", n), 25))
		return err
	})
	if err != nil {
		return err
	}
	into["list 1,000 WorkSpaces"] = append(into["list 1,000 WorkSpaces"], lists.perSecond*float64(len(ids)))
	into["one id of 1,000"] = append(into["one id of 1,000"], one.perSecond)
	into["CreateWorkspaces of 25"] = append(into["CreateWorkspaces of 25"], create.perSecond)
	return nil
}
