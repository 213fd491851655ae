package scenario_test

import (
	"context"
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

// hasTerraform answers [terraform]: there is a terraform that gets the provider as the machine's own settings say.
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
