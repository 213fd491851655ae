package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"carrel/internal/compute"
)

func newImage(s *shared) *cobra.Command {
	return group("image", "Build and list the images that desktops are made from", "  carrel image build\n  carrel image list",
		newImageBuild(s), newImageList(s))
}

// listedImage is an image as image list prints it.
type listedImage struct {
	Name    string    `json:"name"`
	Serial  string    `json:"serial"`
	Bytes   int64     `json:"bytes"`
	BuiltAt time.Time `json:"built_at"`
}

func newImageList(s *shared) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the desktop images that the engine has",
		Long: "List the desktop images that the engine of the server has or, where no server has run yet, those of the Incus\n" +
			"on this machine.",
		Example: "  carrel image list\n  carrel image list --output json",
		Args:    cobra.NoArgs,
	}
	output := outputFlag(cmd)
	s.engineFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		about, err := s.about(cmd)
		if err != nil {
			return err
		}
		list := make([]listedImage, len(about.Images))
		for i, image := range about.Images {
			list[i] = listedImage(image)
		}
		return printList(s.Out, *output, list, []string{"IMAGE", "SERIAL", "SIZE", "BUILT"}, func(i listedImage) []string {
			return []string{i.Name, i.Serial, fmt.Sprintf("%d MiB", i.Bytes>>20), i.BuiltAt.Local().Format(time.DateTime)}
		})
	}
	return cmd
}

// about describes the server's engine or, where no server answers, the Incus of this machine.
func (s *shared) about(cmd *cobra.Command) (compute.About, error) {
	r, err := s.remote()
	if err == nil {
		var about compute.About
		if about, err = r.engine(cmd.Context()); err == nil {
			return about, nil
		}
	}
	about, incusErr := s.incus(cmd.Context())
	if incusErr != nil {
		return about, errors.Join(err, incusErr)
	}
	return about, nil
}
