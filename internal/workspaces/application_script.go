package workspaces

import "strings"

// PackageScript returns the script of an application that is packages of the desktop's distribution. It says
// nothing but what goes wrong: the end of what a script says is what is told of its failure.
func PackageScript(packages []string) string {
	names := strings.Join(packages, " ")
	return `set -e
export DEBIAN_FRONTEND=noninteractive
case $1 in
install)
	apt-get update -qq
	apt-get install -qq --no-install-recommends -- ` + names + `
	;;
remove)
	apt-get remove -qq --autoremove -- ` + names + `
	;;
esac
`
}

// SampleApplications are the catalogue that test suites can count on. Their scripts leave a file, by which
// an effect shows also in simulated desktops.
func SampleApplications() []Application {
	const prefix = "wsa-carrel"
	samples := []Application{
		{ID: prefix + "notes", Name: "Notes", Description: "A sample for everybody", LicenseType: Unlicensed},
		{ID: prefix + "draw", Name: "Draw", Description: "A sample with a license", LicenseType: Licensed},
		{
			ID: prefix + "old", Name: "Old Draw", Description: "A sample that does not go with Draw", LicenseType: Licensed,
			IncompatibleWith: []string{prefix + "draw"},
		},
		{
			ID: prefix + "model", Name: "Model", Description: "A sample for strong machines", LicenseType: Licensed,
			ComputeTypes: []string{"POWER", "POWERPRO", "GENERALPURPOSE_4XLARGE", "GENERALPURPOSE_8XLARGE"},
		},
		{
			ID: prefix + "office", Name: "Office", Description: "A sample for Windows", LicenseType: Licensed,
			OperatingSystems: []string{"WINDOWS_10", "WINDOWS_11", "WINDOWS_SERVER_2016", "WINDOWS_SERVER_2019", "WINDOWS_SERVER_2022"},
		},
		{ID: prefix + "gone", Name: "Gone", Description: "A sample that can only be removed", LicenseType: Unlicensed, UninstallOnly: true},
		{ID: prefix + "fails", Name: "Fails", Description: "A sample that cannot be installed", LicenseType: Unlicensed},
	}
	for i := range samples {
		a := &samples[i]
		a.Owner, a.CreatedAt = Amazon, publicSince()
		a.Script = "case $1 in\ninstall) printf installed >/srv/" + a.ID + " ;;\nremove) rm /srv/" + a.ID + " ;;\nesac\n"
		if a.ID == prefix+"fails" {
			a.Script = "exit 1\n"
		}
	}
	return samples
}
