package scenario_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/workspaces"
	"github.com/rogpeppe/go-internal/testscript"

	"carrel/internal/compute"
)

// putFile writes a file onto a volume of a desktop.
func putFile(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 4 {
		return errors.New("usage: put-file ID VOLUME NAME TEXT")
	}
	if s.engine == "simulated" {
		_, err := send(http.MethodPut, s.fileURL(args), args[3], nil)
		return err
	}
	_, err := s.inDesktop(args[0], args[3], "cat > "+pathOf(args))
	return err
}

// checkFile fails unless a file on a volume of a desktop holds a text.
func checkFile(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 4 {
		return errors.New("usage: file ID VOLUME NAME TEXT")
	}
	var got []byte
	var err error
	if s.engine == "simulated" {
		if got, err = send(http.MethodGet, s.fileURL(args), "", nil); err != nil && strings.HasPrefix(err.Error(), "404") {
			got, err = nil, nil
		}
	} else {
		got, err = s.inDesktop(args[0], "", "cat "+pathOf(args)+" 2>/dev/null || true")
	}
	if err == nil && string(got) != args[3] {
		err = fmt.Errorf("%s on the %s volume of %s holds %q, not %q", args[2], args[1], args[0], got, args[3])
	}
	return err
}

func (s *server) fileURL(args []string) string {
	return s.about.Endpoint + "/_carrel/desktops/" + strings.Join(args[:3], "/")
}

// pathOf is where a file on a volume lies in a real desktop.
func pathOf(args []string) string {
	return map[string]string{"root": "/srv/", "home": "/home/"}[args[1]] + args[2]
}

// inDesktop runs a command in a real desktop, as its administrator.
func (s *server) inDesktop(id, input, command string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "incus", "exec", id, "--project", s.project, "--", "sh", "-c", command)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s in %s: %w", command, id, err)
	}
	return out, nil
}

// awaitImage waits until an image has a state.
func awaitImage(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: await-image ID STATE")
	}
	return eventually(func() error {
		out, err := s.client.DescribeWorkspaceImages(context.Background(), &workspaces.DescribeWorkspaceImagesInput{ImageIds: args[:1]})
		if err != nil {
			return err
		}
		if len(out.Images) == 0 {
			return final{fmt.Errorf("there is no image %s", args[0])}
		}
		switch i := out.Images[0]; string(i.State) {
		case args[1]:
			return nil
		case "ERROR":
			return final{fmt.Errorf("%s is in ERROR: %s", args[0], aws.ToString(i.ErrorMessage))}
		default:
			return fmt.Errorf("%s is %s", args[0], i.State)
		}
	})
}

// engineImage waits until the engine has an image of this installation's, or has it no more.
func engineImage(_ *testscript.TestScript, s *server, args []string) error {
	if len(args) != 2 || args[1] != "there" && args[1] != "gone" {
		return errors.New("usage: engine-image ID there|gone")
	}
	return eventually(func() error {
		body, err := send(http.MethodGet, s.about.Endpoint+"/_carrel/engine", "", s.signed)
		var about compute.About
		if err == nil {
			err = json.Unmarshal(body, &about)
		}
		there := slices.ContainsFunc(about.Images, func(i compute.Image) bool { return strings.HasSuffix(i.Name, "-"+args[0]) })
		if err == nil && there != (args[1] == "there") {
			err = fmt.Errorf("the engine has %s: %v", args[0], there)
		}
		return err
	})
}
