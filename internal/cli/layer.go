package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

// environmentName is the variable that can hold a setting.
func environmentName(flag string) string {
	return "CARREL_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// layer fills in what no flag has said: from the environment, else from the file. An empty
// variable says nothing, so that a script can pass on one that may not be set.
func (s *shared) layer() error {
	if v := s.variable(environmentName("config")); v != "" && s.file == "" {
		s.file = v
	}
	file, err := readSettings(s.file, s.known)
	if err != nil {
		return usageError{err}
	}
	s.config.Networks, s.config.SecurityGroups = file.networks, file.securityGroups
	s.config.ImageSources, s.config.Applications = file.imageSources, file.applications
	for i := range s.config.Applications {
		s.config.Applications[i].locate(filepath.Dir(s.file))
	}
	var problems []error
	s.known.VisitAll(func(f *pflag.Flag) {
		source, value := environmentName(f.Name), s.variable(environmentName(f.Name))
		given := value != ""
		if !given {
			source = s.file + ": " + f.Name
			value, given = file.values[f.Name]
		}
		s.said[f.Name] = given || f.Changed
		if !given || f.Changed {
			return
		}
		// Not through the flag set: f.Changed keeps telling what stood on the command line.
		if err := f.Value.Set(value); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", source, err))
		}
	})
	if err := errors.Join(problems...); err != nil {
		return usageError{err}
	}
	return nil
}

// settle applies --ci and checks the settings as a whole, and that there are no others. It is for
// the commands that act on them.
func (s *shared) settle() error {
	s.config.apply(s.said)
	return errors.Join(s.unknownVariables(), s.config.check())
}

// apply sets what --ci stands for, but for what was said otherwise.
func (c *Config) apply(said map[string]bool) {
	if !c.CI {
		return
	}
	for name, set := range map[string]func(){
		"engine":  func() { c.Engine = "simulated" },
		"auth":    func() { c.Auth = "any" },
		"users":   func() { c.Users = "any" },
		"instant": func() { c.Instant = true },
		"control": func() { c.Control = true },
		// Not the machine's: a suite is the same everywhere.
		"maintenance-time-zone": func() { c.Maintenance.TimeZone = "UTC" },
	} {
		if !said[name] {
			set()
		}
	}
}

// settingsFile is what a configuration file says.
type settingsFile struct {
	values       map[string]string // by the flags' names
	networks     []NetworkConfig
	imageSources []ImageSourceConfig
	applications []ApplicationConfig

	securityGroups []SecurityGroupConfig
}

// notInFile are flags that say where the file is, or are for a single run.
func notInFile() []string { return []string{"config", "data", "ci"} }

// readSettings reads a file, whose keys are those of the settings.
func readSettings(path string, settings *pflag.FlagSet) (settingsFile, error) {
	if path == "" {
		return settingsFile{}, nil
	}
	file, err := os.Open(path) // the administrator's own path
	if err != nil {
		return settingsFile{}, err
	}
	defer file.Close()
	decoder := yaml.NewDecoder(file)
	decoder.KnownFields(true)
	var shape struct {
		Networks     []NetworkConfig       `yaml:"networks"`
		Groups       []SecurityGroupConfig `yaml:"security-groups"`
		ImageSources []ImageSourceConfig   `yaml:"image-sources"`
		Applications []ApplicationConfig   `yaml:"applications"`
		Scalars      map[string]yaml.Node  `yaml:",inline"`
	}
	if err := decoder.Decode(&shape); err != nil && !errors.Is(err, io.EOF) {
		return settingsFile{}, fmt.Errorf("%s: %w", path, err)
	}
	values := make(map[string]string, len(shape.Scalars))
	for key, node := range shape.Scalars {
		if settings.Lookup(key) == nil || slices.Contains(notInFile(), key) {
			return settingsFile{}, fmt.Errorf("%s: line %d: there is no setting %q for a file; carrel serve --help lists them", path, node.Line, key)
		}
		if node.Kind != yaml.ScalarNode {
			return settingsFile{}, fmt.Errorf("%s: line %d: %s takes a single value", path, node.Line, key)
		}
		values[key] = node.Value
	}
	return settingsFile{
		values: values, networks: shape.Networks, imageSources: shape.ImageSources, applications: shape.Applications, securityGroups: shape.Groups,
	}, nil
}

// variable is the environment's value of a name, "" where it has none.
func (s *shared) variable(name string) string {
	for _, pair := range slices.Backward(s.Env) { // the last one counts, as for package os
		if value, found := strings.CutPrefix(pair, name+"="); found {
			return value
		}
	}
	return ""
}

// unknownVariables refuses variables that look like settings and are none, so that a
// misspelled one is not silently without effect.
func (s *shared) unknownVariables() error {
	var unknown []string
	for _, pair := range s.Env {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, "CARREL_") && !understood(name, s.known) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return fmt.Errorf("there is no setting %s; carrel serve --help lists them", strings.Join(unknown, ", "))
}

// understood reports whether some part of Carrel reads the variable.
func understood(name string, known *pflag.FlagSet) bool {
	// For other programs; for the tests; for the scripts that set up Incus; for the image's recipe.
	if slices.Contains([]string{"CARREL_VPC_ID", "CARREL_SUBNET_IDS"}, name) || strings.HasPrefix(name, "CARREL_TEST_") ||
		strings.HasPrefix(name, "CARREL_POOL_") || strings.HasPrefix(name, "CARREL_IMAGE_") {
		return true
	}
	found := false
	known.VisitAll(func(f *pflag.Flag) { found = found || environmentName(f.Name) == name })
	return found
}
