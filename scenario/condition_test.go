package scenario_test

import (
	"fmt"
	"os"
)

// conditions answers the conditions of scenarios that run on an engine; see doc.go.
func conditions(engine string) func(name string) (bool, error) {
	return func(name string) (bool, error) {
		switch name {
		case "incus", "simulated":
			return name == engine, nil
		case "javascript":
			return hasJavaScript()
		case "command-line":
			return hasCommandLine()
		case "moto":
			return hasMoto()
		case "terraform": // takes minutes
			if os.Getenv("CARREL_TEST_TERRAFORM") != "1" {
				return false, nil
			}
			return hasTerraform()
		default:
			return false, fmt.Errorf("unknown condition %q", name)
		}
	}
}
