package scenario_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// initArguments is what TF_CLI_ARGS_init tells terraform init: what it tells already, or to take the providers of a mirror
// in /opt, where add-on software lies, if one has this. Terraform itself looks where its settings say, or else into
// terraform/plugins of the folders for data, such as /usr/share, and asks the registry.
var initArguments = sync.OnceValue(func() string {
	if told, is := os.LookupEnv("TF_CLI_ARGS_init"); is {
		return told
	}
	if _, err := os.Stat(os.Getenv("TF_CLI_CONFIG_FILE")); err == nil {
		return ""
	}
	found, err := filepath.Glob("/opt/*/registry.terraform.io/hashicorp/aws/5.100.0")
	if err != nil || len(found) == 0 {
		return ""
	}
	return "-plugin-dir=" + strings.TrimSuffix(found[0], "/registry.terraform.io/hashicorp/aws/5.100.0")
})

// hasTerraform answers [terraform]: there is a terraform that gets the provider.
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
	init.Env = append(os.Environ(), "TF_CLI_ARGS_init="+initArguments())
	return init.Run() == nil, nil
})
