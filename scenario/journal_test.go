package scenario_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/workspaces"
)

// TestJournalOfAKilledServer kills a server in the middle of what many clients ask of it. A replay
// has everything that any of them was told.
func TestJournalOfAKilledServer(t *testing.T) {
	t.Parallel()
	for round := range 3 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			journal := filepath.Join(dir, "journal")
			s := &server{engine: "simulated", dir: filepath.Join(dir, "data")}
			t.Cleanup(func() {
				if err := s.end(); err != nil {
					t.Error(err)
				}
			})
			if err := s.start("--ci", "--journal", journal); err != nil {
				t.Fatal(err)
			}
			told := workUntilKilled(t, s)
			if err := os.RemoveAll(s.dir); err != nil {
				t.Fatal(err)
			}
			if err := s.start("--ci", "--replay", journal); err != nil {
				t.Fatal(err)
			}
			found := make(map[string]string) // the groups' names by their ids
			for token := (*string)(nil); ; {
				page, err := s.client.DescribeIpGroups(t.Context(), &workspaces.DescribeIpGroupsInput{NextToken: token})
				if err != nil {
					t.Fatal(err)
				}
				for _, g := range page.Result {
					found[*g.GroupId] = *g.GroupName
				}
				if token = page.NextToken; token == nil {
					break
				}
			}
			for id, name := range told {
				if found[id] != name {
					t.Errorf("%s was acknowledged as %s, and is %q after the replay", name, id, found[id])
				}
			}
			if err := s.signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if log := s.log.String(); len(told) < 10 || !strings.Contains(log, "differences=0") {
				t.Errorf("%d groups were acknowledged\n%s", len(told), log)
			}
		})
	}
}

// workUntilKilled makes groups, by several clients at once, until the server is killed, and returns
// which of them were acknowledged.
func workUntilKilled(t *testing.T, s *server) map[string]string {
	t.Helper()
	var mu sync.Mutex
	told := make(map[string]string)
	var clients sync.WaitGroup
	for c := range 6 {
		clients.Go(func() {
			once := s.client.Options()
			once.RetryMaxAttempts = 1
			client := workspaces.New(once)
			for i := 0; ; i++ {
				name := fmt.Sprintf("group-%d-%d", c, i)
				out, err := client.CreateIpGroup(t.Context(), &workspaces.CreateIpGroupInput{GroupName: aws.String(name)})
				if err != nil {
					return // killed
				}
				mu.Lock()
				told[*out.GroupId] = name
				mu.Unlock()
			}
		})
	}
	time.Sleep(200*time.Millisecond + rand.N(300*time.Millisecond)) // whenever it may be
	if err := s.signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	clients.Wait()
	return told
}
