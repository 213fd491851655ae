package scenario_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// provider is what a configuration says that is for the AWS provider; scenarios have it too.
const provider = `terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}
`

// condition answers the conditions of scenarios: [terraform], whether it is to be tested, which
// takes minutes, and there is a terraform that gets the provider as the machine's own settings
// say; [javascript]; and [command-line].
func condition(name string) (bool, error) {
	switch {
	case name == "javascript":
		return hasJavaScript()
	case name == "command-line":
		return hasCommandLine()
	case name != "terraform":
		return false, fmt.Errorf("unknown condition %q", name)
	case os.Getenv("CARREL_TEST_TERRAFORM") != "1":
		return false, nil
	default:
		return hasTerraform()
	}
}

var hasTerraform = sync.OnceValues(func() (bool, error) {
	dir, err := os.MkdirTemp("", "carrel-terraform-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "provider.tf"), []byte(provider), 0o600); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	init := exec.CommandContext(ctx, "terraform", "init", "-input=false")
	init.Dir = dir
	return init.Run() == nil, nil
})
