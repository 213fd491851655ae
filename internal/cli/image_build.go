package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"carrel/desktop"
)

// imageBuild is what carrel image build was told.
type imageBuild struct {
	agent   string // path of the carrel-agent program
	folder  string // where the image is built; what is there is used again
	refresh bool   // have the distribution's newest packages
	force   bool   // import also what Incus has
}

func newImageBuild(s *shared) *cobra.Command {
	var b imageBuild
	cmd := &cobra.Command{
		Use:   "build",
		Short: "Build the desktop image and give it to Incus",
		Long: "Build the desktop image from the recipe that this program carries, and give it to Incus under the name of\n" +
			"--image. Needs root, mmdebstrap and 3 GB of disk; the first build takes some minutes, since it installs a\n" +
			"desktop's packages from the mirrors that apt is set up with here. An image that is up to date stays.",
		Example: "  carrel image build\n  carrel image build --refresh",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.settle(); err != nil {
				return usageError{err}
			}
			return s.buildImage(cmd.Context(), b)
		},
	}
	s.engineFlags(cmd, "image")
	cmd.Flags().StringVar(&b.agent, "agent", "", "the carrel-agent program that goes into the image; default: the one beside carrel")
	cmd.Flags().StringVar(&b.folder, "folder", "", "where to build; default: image in the data folder")
	cmd.Flags().BoolVar(&b.refresh, "refresh", false, "install the packages anew, to have the distribution's newest")
	cmd.Flags().BoolVar(&b.force, "force", false, "give the image to Incus even where it has the same one")
	return cmd
}

func (s *shared) buildImage(ctx context.Context, b imageBuild) error {
	about, err := s.incus(ctx) // first, so that nobody waits for an image that nothing can take
	if err != nil {
		return err
	}
	if b.agent, err = agentProgram(b.agent); err != nil {
		return err
	}
	b.folder = cmp.Or(b.folder, filepath.Join(s.config.Data, "image"))
	if err := os.MkdirAll(b.folder, 0o700); err != nil {
		return err
	}
	if err := s.runRecipe(ctx, b); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(b.folder, "serial"))
	if err != nil {
		return err
	}
	serial := strings.TrimSpace(string(text))
	for _, image := range about.Images {
		if image.Name == s.config.Image && image.Serial == serial && !b.force {
			_, err := fmt.Fprintf(s.Out, "%s is up to date, serial %s\n", image.Name, serial)
			return err
		}
	}
	err = s.working(ctx, "giving the image to Incus", func(ctx context.Context, _ func(string)) error {
		return s.ImportImage(ctx, &s.config, s.config.Image, filepath.Join(b.folder, "metadata.tar"), filepath.Join(b.folder, "rootfs.tar"))
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.Out, "%s is there, serial %s; new desktops are made from it\n", s.config.Image, serial)
	return err
}

// agentProgram returns the path of the agent: the one said, else the one beside this program.
func agentProgram(said string) (string, error) {
	if said == "" {
		self, err := os.Executable()
		if err != nil {
			return "", err
		}
		said = filepath.Join(filepath.Dir(self), "carrel-agent")
	}
	path, err := filepath.Abs(said)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		return "", fmt.Errorf("%w; make build makes carrel-agent, and --agent says where it is", err)
	}
	return path, nil
}

// killPatience is how long the recipe may take to clean up once it has been told to stop.
const killPatience = 15 * time.Second

// runRecipe builds the image in its folder.
func (s *shared) runRecipe(ctx context.Context, b imageBuild) error {
	recipe, err := os.MkdirTemp("", "carrel-desktop-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(recipe)
	if err := os.CopyFS(recipe, desktop.Recipe); err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "bash", filepath.Join(recipe, "build.sh"), b.folder, b.agent) //nolint:gosec // our own recipe
	build.Env = slices.Clone(s.Env)
	if b.refresh {
		build.Env = append(build.Env, "CARREL_IMAGE_REFRESH=1")
	}
	// A group of its own, so that what the recipe runs ends with it, and cleans up.
	build.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	build.Cancel = func() error { return syscall.Kill(-build.Process.Pid, syscall.SIGTERM) }
	build.WaitDelay = killPatience
	var complaints bytes.Buffer
	build.Stderr = &complaints
	err = s.working(ctx, "building the desktop image", func(ctx context.Context, report func(string)) error {
		return s.follow(ctx, build, filepath.Join(b.folder, "build.log"), report)
	})
	if ctx.Err() != nil {
		s.endGroup(context.WithoutCancel(ctx), build.Process)
		return ctx.Err()
	}
	if err == nil {
		return nil
	}
	if complaints.Len() == 0 {
		return fmt.Errorf("the recipe failed: %w", err)
	}
	return fmt.Errorf("%s; carrel doctor says what is missing", strings.TrimSpace(complaints.String()))
}

// endGroup returns when nothing that the recipe ran is left. It was told to stop; what has not
// cleaned up in time is killed.
func (s *shared) endGroup(ctx context.Context, leader *os.Process) {
	if leader == nil {
		return // it was never started
	}
	const pause = 20 * time.Millisecond
	for waited := time.Duration(0); waited < killPatience; waited += pause {
		if errors.Is(syscall.Kill(-leader.Pid, 0), syscall.ESRCH) {
			return
		}
		_ = s.clock.Sleep(ctx, pause) // the context does not end
	}
	_ = syscall.Kill(-leader.Pid, syscall.SIGKILL) // or it has ended just now
}

// follow runs the recipe and reports what it says and, for who watches, the last line of its log.
func (s *shared) follow(ctx context.Context, build *exec.Cmd, log string, report func(string)) error {
	said, err := build.StdoutPipe()
	if err != nil {
		return err
	}
	if err := build.Start(); err != nil {
		return err
	}
	if _, watched := terminal(s.Err); watched {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		go s.tail(ctx, log, report)
	}
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		report(strings.TrimPrefix(lines.Text(), "build.sh: "))
	}
	return errors.Join(lines.Err(), build.Wait())
}

// tail reports the last line of a growing file, each second, until the context ends.
func (s *shared) tail(ctx context.Context, path string, report func(string)) {
	for last := ""; s.clock.Sleep(ctx, time.Second) == nil; {
		if line := lastLine(path); line != "" && line != last {
			report(line)
			last = line
		}
	}
}

// lastLine returns the end of a file, "" where there is none.
func lastLine(path string) string {
	file, err := os.Open(path) // the recipe's own log
	if err != nil {
		return ""
	}
	defer file.Close()
	const most = 4 << 10
	size, err := file.Seek(0, 2)
	if err != nil {
		return ""
	}
	text := make([]byte, min(size, most))
	if _, err := file.ReadAt(text, size-int64(len(text))); err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return clean(lines[len(lines)-1])
}
