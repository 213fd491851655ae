package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"carrel/internal/compute"
	"carrel/internal/workspaces"
)

// ApplicationConfig declares an application that can be installed in WorkSpaces, by exactly one of the last two.
type ApplicationConfig struct {
	ID               string   `yaml:"id"` // wsa-…
	Name             string   `yaml:"name"`
	Description      string   `yaml:"description"`
	Account          string   `yaml:"account"` // whose it is; empty: everybody's
	License          string   `yaml:"license"` // LICENSED or UNLICENSED, which is the default
	ComputeTypes     []string `yaml:"compute-types"`
	OperatingSystems []string `yaml:"operating-systems"`
	IncompatibleWith []string `yaml:"incompatible-with"`
	UninstallOnly    bool     `yaml:"uninstall-only"`

	Packages []string `yaml:"packages"` // of Debian
	Script   string   `yaml:"script"`   // the path of a shell script, from the file's folder; it is run as root with the argument install or remove
}

var (
	applicationPattern = regexp.MustCompile(`^wsa-[0-9a-z]{8,50}$`)
	// packagePattern is what Debian's policy allows, and so nothing that a shell could take for something else.
	packagePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)
	// wordPattern is how the API spells compute types and operating systems.
	wordPattern = regexp.MustCompile(`^[A-Z][A-Z0-9_]+$`)
)

// locate makes the path of the script one that does not depend on where the command runs: it is relative to the file's folder.
func (a *ApplicationConfig) locate(folder string) {
	if a.Script != "" && !filepath.IsAbs(a.Script) {
		a.Script = filepath.Join(folder, a.Script)
	}
}

// check returns what is wrong with an application, "" where nothing is.
func (a *ApplicationConfig) check() string {
	switch {
	case !applicationPattern.MatchString(a.ID):
		return "id is wsa- and 8 to 50 digits and small letters, such as wsa-libreoffice"
	case a.Name == "":
		return "needs a name"
	case a.Account != "" && !accountPattern.MatchString(a.Account):
		return "account has 12 digits, not " + a.Account
	case a.License != "" && a.License != workspaces.Licensed && a.License != workspaces.Unlicensed:
		return "license is LICENSED or UNLICENSED, not " + a.License
	case (len(a.Packages) == 0) == (a.Script == ""):
		return "takes either packages, names of Debian packages, or script, the path of a shell script"
	}
	for what, of := range map[string]struct {
		values []string
		are    func(string) bool
	}{
		"package":          {a.Packages, packagePattern.MatchString},
		"compute type":     {a.ComputeTypes, wordPattern.MatchString},
		"operating system": {a.OperatingSystems, wordPattern.MatchString},
		"application":      {a.IncompatibleWith, applicationPattern.MatchString},
	} {
		if i := slices.IndexFunc(of.values, func(s string) bool { return !of.are(s) }); i >= 0 {
			return fmt.Sprintf("there is no %s %q", what, of.values[i])
		}
	}
	return ""
}

// checkApplications refuses applications that cannot be what is declared. It reads no script.
func (c *Config) checkApplications() error {
	for i, a := range c.Applications {
		problem := a.check()
		if slices.ContainsFunc(c.Applications[:i], func(other ApplicationConfig) bool { return other.ID == a.ID }) {
			problem = "there is another application " + a.ID
		}
		if problem != "" {
			return fmt.Errorf("applications, number %d: %s", i+1, problem)
		}
	}
	return nil
}

// Catalogue returns the declared applications, with their scripts, and for test suites those that they can
// always count on.
func (c *Config) Catalogue(since time.Time) ([]workspaces.Application, error) {
	var catalogue []workspaces.Application
	for i, a := range c.Applications {
		application := workspaces.Application{
			ID: a.ID, Name: a.Name, Description: a.Description, Owner: a.Account, LicenseType: a.License, ComputeTypes: a.ComputeTypes,
			OperatingSystems: a.OperatingSystems, IncompatibleWith: a.IncompatibleWith, UninstallOnly: a.UninstallOnly,
			CreatedAt: since,
		}
		if a.Account == "" {
			application.Owner = workspaces.Amazon
		}
		if a.License == "" {
			application.LicenseType = workspaces.Unlicensed
		}
		if a.Script == "" {
			application.Script = workspaces.PackageScript(a.Packages)
		} else {
			text, err := readScript(a.Script)
			if err != nil {
				return nil, fmt.Errorf("applications, number %d: %w", i+1, err)
			}
			application.Script = text
		}
		catalogue = append(catalogue, application)
	}
	if c.CI {
		catalogue = append(catalogue, workspaces.SampleApplications()...)
	}
	return catalogue, nil
}

// readScript reads a script that can be run in desktops.
func readScript(path string) (string, error) {
	text, err := os.ReadFile(path) // the administrator's own path
	if err == nil && (len(text) == 0 || len(text) > compute.MaxScript || strings.ContainsRune(string(text), 0)) {
		err = fmt.Errorf("%s is no script of 1 to %d bytes", path, compute.MaxScript)
	}
	return string(text), err
}
