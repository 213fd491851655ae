package cli

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"

	"carrel/internal/workspaces"
)

// ImageSourceConfig declares what images can be imported from: exactly one of the last two.
type ImageSourceConfig struct {
	ID         string `yaml:"id"`          // what requests name
	IncusImage string `yaml:"incus-image"` // an alias that the engine has
	RootFS     string `yaml:"root-fs"`     // the path, on the engine's machine, of an archive of a root file system
}

// sourcePattern is what ImportWorkspaceImage and ImportCustomWorkspaceImage can name.
var sourcePattern = regexp.MustCompile(`^(ami-([0-9a-f]{8}|[0-9a-f]{17})|import-ami-([0-9a-zA-Z]{8}|[0-9a-zA-Z]{17})|` +
	`arn:aws[^:]*:imagebuilder:[^:]+:[^:]+:image/.+)$`)

// Sources returns the declared sources of images.
func (c *Config) Sources() ([]workspaces.ImageSource, error) {
	sources := make([]workspaces.ImageSource, 0, len(c.ImageSources))
	for i, s := range c.ImageSources {
		var problem string
		switch {
		case !sourcePattern.MatchString(s.ID):
			problem = "id is ami-…, import-ami-… or the ARN of an Image Builder version, such as ami-0a1b2c3d"
		case slices.ContainsFunc(sources, func(other workspaces.ImageSource) bool { return other.ID == s.ID }):
			problem = "there is another source " + s.ID
		case (s.IncusImage == "") == (s.RootFS == ""):
			problem = "takes either incus-image, an alias, or root-fs, the path of an archive"
		case s.RootFS != "" && !filepath.IsAbs(s.RootFS):
			problem = "root-fs is an absolute path, not " + s.RootFS
		default:
			sources = append(sources, workspaces.ImageSource{ID: s.ID, Image: s.IncusImage, RootFS: s.RootFS})
			continue
		}
		return nil, fmt.Errorf("image-sources, number %d: %s", i+1, problem)
	}
	return sources, nil
}
