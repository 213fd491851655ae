package workspaces

import _ "embed" // of the script

//go:embed maintenance.sh
var maintenanceScript string

// MaintenanceScript returns what is run in a desktop in its maintenance window, unless the administrator has another:
// the updates of its distribution.
func MaintenanceScript() string { return maintenanceScript }
