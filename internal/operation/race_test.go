package operation_test

import (
	"sync"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/aws/aws-sdk-go-v2/service/workspaces/types"
)

// databases are the kinds that a test may run on.
func databases() map[string]func(*setup) {
	return map[string]func(*setup){"sqlite": func(*setup) {}, "postgres": func(set *setup) { set.postgres = true }}
}

// together runs f n times at once.
func together(n int, f func(i int)) {
	var group sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		group.Go(func() {
			<-begin
			f(i)
		})
	}
	close(begin)
	group.Wait()
}

// TestOneUserAtOnce has many create for the same user in many spellings: exactly one does.
func TestOneUserAtOnce(t *testing.T) {
	t.Parallel()
	for name, database := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, database)
			c := s.client()
			d := s.home(t, "jane")
			var mu sync.Mutex
			made, refusals := 0, 0
			together(20, func(i int) {
				name := []byte("jane")
				for bit := range name {
					if i>>bit&1 == 1 {
						name[bit] -= 'a' - 'A'
					}
				}
				out, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{
					Workspaces: []types.WorkspaceRequest{order(d, string(name)), order(d, string(name))},
				})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				made += len(out.PendingRequests)
				for _, f := range out.FailedRequests {
					if refusals++; *f.ErrorCode != "ResourceExists.WorkSpace" {
						t.Errorf("%s: %s", *f.ErrorCode, *f.ErrorMessage)
					}
				}
			})
			if n := len(s.describe(t, c)); made != 1 || refusals != 39 || n != 1 {
				t.Errorf("%d were made and %d refused, %d are there", made, refusals, n)
			}
		})
	}
}

// TestQuotaAtOnce has many create up to a quota: it is met and not broken.
func TestQuotaAtOnce(t *testing.T) {
	t.Parallel()
	for name, database := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, anybody, database, func(set *setup) { set.Limits.WorkSpaces = 5 })
			c := s.client()
			d := s.home(t)
			together(12, func(i int) {
				_, err := c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{
					Workspaces: []types.WorkspaceRequest{order(d, string(rune('a'+i)))},
				})
				if err != nil {
					refused(t, err, limit)
				}
			})
			if n := len(s.describe(t, c)); n != 5 {
				t.Errorf("there are %d", n)
			}
		})
	}
}

// TestCreateAgainstDeregister lets both try at once, again and again: there is never a
// WorkSpace in a directory that has gone.
func TestCreateAgainstDeregister(t *testing.T) {
	t.Parallel()
	for name, database := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, anybody, database)
			c := s.client()
			won := map[bool]int{}
			for range 25 {
				d := s.home(t)
				var made *sdk.CreateWorkspacesOutput
				var createErr, deregisterErr error
				together(2, func(i int) {
					if i == 0 {
						made, createErr = c.CreateWorkspaces(t.Context(), &sdk.CreateWorkspacesInput{Workspaces: []types.WorkspaceRequest{order(d, "jane")}})
					} else {
						_, deregisterErr = c.DeregisterWorkspaceDirectory(t.Context(), &sdk.DeregisterWorkspaceDirectoryInput{DirectoryId: &d})
					}
				})
				if createErr != nil {
					t.Fatal(createErr)
				}
				created := len(made.PendingRequests) == 1
				won[created]++
				if !created {
					wantFailed(t, made, nil, "ResourceNotFound.Directory")
					if deregisterErr != nil {
						t.Errorf("neither worked: %v", deregisterErr)
					}
					continue
				}
				refused(t, deregisterErr, notSupported, d)
				if s.describeDirectory(t, c, d) == nil {
					t.Errorf("%s is in %s, which has gone", *made.PendingRequests[0].WorkspaceId, d)
				}
			}
			t.Logf("the WorkSpace was first %d times, the end of its directory %d times", won[true], won[false])
		})
	}
}

// TestPowerAtOnce begins one action on a WorkSpace, whoever else tries.
func TestPowerAtOnce(t *testing.T) {
	t.Parallel()
	for name, database := range databases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, anybody, slow, database)
			c := s.client()
			id := s.create(t, c, order(s.home(t), "jane", autoStop))[0]
			var mu sync.Mutex
			begun := 0
			together(12, func(i int) {
				failed, err := []act{stopWorkSpaces, rebootWorkSpaces}[i%2](t, c, id)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				if len(failed) == 0 {
					begun++
				}
			})
			if begun != 1 {
				t.Errorf("%d actions began at once", begun)
			}
		})
	}
}
