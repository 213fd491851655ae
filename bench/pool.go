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
	var first, again []time.Duration
	for i := range pooled {
		d, err := s.signIn(ctx, code, fmt.Sprintf("user%d", i), pool)
		if err != nil {
			return err
		}
		for _, took := range []*[]time.Duration{&first, &again} {
			began := time.Now()
			x, err := d.open(ctx)
			if err == nil {
				err = errors.Join(x.update(), x.Close())
			}
			if err != nil {
				return err
			}
			*took = append(*took, time.Since(began))
		}
	}
	slices.Sort(first)
	slices.Sort(again)
	f, a := first[len(first)/2], again[len(again)/2]
	t.add("a pool's desktop on Incus, from Connect to a picture, median (most)", spell(f, first), "a desktop that is theirs: "+spell(a, again),
		fmt.Sprintf("%+.0f ms (at most 1000)", float64((f-a).Microseconds())/1000))
	return nil
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
		"Capacity": map[string]int{"DesiredUserSessions": pooled},
	}, &created)
	for err == nil {
		var now struct {
			WorkspacesPools []struct {
				CapacityStatus struct{ AvailableUserSessions int }
			}
		}
		call("DescribeWorkspacesPools", struct{}{}, &now)
		if err == nil && now.WorkspacesPools[0].CapacityStatus.AvailableUserSessions == pooled {
			return known.Directories[0].RegistrationCode, created.WorkspacesPool.PoolId, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return "", "", err
}
