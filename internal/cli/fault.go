package cli

import (
	"encoding/json"
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"

	"carrel/internal/fault"
)

// FaultRules returns the faults that --faults asks for.
func (c *Config) FaultRules() ([]fault.Rule, error) {
	if c.Faults == "" {
		return nil, nil
	}
	text, err := os.ReadFile(c.Faults)
	if err != nil {
		return nil, fmt.Errorf("--faults: %w", err)
	}
	var content any // of YAML, which JSON is too
	if err := yaml.Unmarshal(text, &content); err != nil {
		return nil, fmt.Errorf("--faults %s: %w", c.Faults, err)
	}
	if text, err = json.Marshal(content); err != nil {
		return nil, fmt.Errorf("--faults %s: %w", c.Faults, err)
	}
	rules, err := fault.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("--faults %s: %w", c.Faults, err)
	}
	return rules, nil
}

// checkFaults refuses faults where there can be none.
func (c *Config) checkFaults() error {
	if c.Faults == "" {
		return nil
	}
	if c.Engine != "simulated" || !c.Control {
		return fmt.Errorf("--faults goes with --engine simulated and --control, or --ci")
	}
	_, err := c.FaultRules()
	return err
}
