package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// pooled is how many desktops the pool keeps ready, and how many users come.
const pooled = 6

// benchPool measures how long users of a pool of real desktops wait who connect for the first time, until
// they see a part of the screen: beside the same of a desktop that is theirs already, which is what the stream
// takes by itself.
func benchPool(ctx context.Context, o options, t *table) error {
	s, err := startOnIncus(ctx, o)
	if errors.Is(err, errNoIncus) {
		t.add("a desktop of a pool on Incus", "not measured", "Incus does not answer", "")
		return nil
	}
	if err != nil {
		return err
	}
	defer s.stop()
	code, pool, err := s.pool(ctx)
	if err != nil {
		return err
	}
	var first, again, settings []time.Duration
	for i := range pooled {
		d, err := s.signIn(ctx, code, fmt.Sprintf("user%d", i), pool)
		if err == nil {
			err = errors.Join(d.connect(ctx, &first), d.connect(ctx, &again))
		}
		if err == nil { // which keeps their settings
			_, err = d.post(ctx, "/desktops/"+pool+"/end", nil)
		}
		if err == nil {
			err = s.ready(ctx, pooled-i)
			time.Sleep(4 * time.Second) // the session of the one that is new has started
		}
		if err == nil {
			err = d.connect(ctx, &settings)
		}
		if err != nil {
			return err
		}
	}
	f, a, k := middle(first), middle(again), middle(settings)
	for _, row := range []struct {
		what   string
		median time.Duration
		all    []time.Duration
	}{{"", f, first}, {", with settings that were kept", k, settings}} {
		t.add("a pool's desktop on Incus"+row.what+", from Connect to a picture, median (most)", spell(row.median, row.all),
			"a desktop that is theirs: "+spell(a, again), fmt.Sprintf("%+.0f ms (at most 1000)", float64((row.median-a).Microseconds())/1000))
	}
	return nil
}

// middle sorts what was measured and returns the median.
func middle(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// connect measures until a part of the screen is seen, however often it has to ask for a ticket.
func (d *desk) connect(ctx context.Context, took *[]time.Duration) error {
	began := time.Now()
	x, err := d.open(ctx)
	for errors.Is(err, errNotYet) {
		x, err = d.open(ctx)
	}
	if err == nil {
		err = errors.Join(x.update(), x.Close())
	}
	*took = append(*took, time.Since(began))
	return err
}

// ready waits until so many desktops of the pool are ready.
func (s *incusServer) ready(ctx context.Context, n int) error {
	for {
		var now struct {
			WorkspacesPools []struct {
				CapacityStatus struct{ AvailableUserSessions int }
			}
		}
		if err := s.call(ctx, "workspaces", "WorkspacesService.DescribeWorkspacesPools", struct{}{}, &now); err != nil {
			return err
		}
		if now.WorkspacesPools[0].CapacityStatus.AvailableUserSessions == n {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// pool makes a directory with a pool, waits until all its desktops are ready, and returns the registration code and
// the pool's id.
func (s *incusServer) pool(ctx context.Context) (code, id string, err error) {
	call := func(operation string, in, out any) {
		if err == nil {
			err = s.call(ctx, "workspaces", "WorkspacesService."+operation, in, out)
		}
	}
	var made struct{ DirectoryId string }
	call("RegisterWorkspaceDirectory", map[string]any{
		"WorkspaceType": "POOLS", "UserIdentityType": "CUSTOMER_MANAGED", "WorkspaceDirectoryName": "Pools", "WorkspaceDirectoryDescription": "Pools",
		"SubnetIds": s.about.SubnetIDs,
	}, &made)
	var known struct {
		Directories []struct{ RegistrationCode, State string }
	}
	for err == nil && (known.Directories == nil || known.Directories[0].State != "REGISTERED") {
		call("DescribeWorkspaceDirectories", map[string]any{"DirectoryIds": []string{made.DirectoryId}}, &known)
	}
	call("ModifyWorkspaceAccessProperties", map[string]any{
		"ResourceId": made.DirectoryId, "WorkspaceAccessProperties": map[string]string{"DeviceTypeWeb": "ALLOW"},
	}, nil)
	var created struct{ WorkspacesPool struct{ PoolId string } }
	call("CreateWorkspacesPool", map[string]any{
		"PoolName": "bench", "Description": "bench", "BundleId": "wsb-carrelval", "DirectoryId": made.DirectoryId, "RunningMode": "ALWAYS_ON",
		"Capacity": map[string]int{"DesiredUserSessions": pooled}, "ApplicationSettings": map[string]string{"Status": "ENABLED"},
	}, &created)
	if err == nil {
		err = s.ready(ctx, pooled)
	}
	if err != nil {
		return "", "", err
	}
	return known.Directories[0].RegistrationCode, created.WorkspacesPool.PoolId, nil
}
