package scenario_test

import (
	"context"
	"os/exec"
	"sync"
)

// hasMoto answers [moto]: python3 has moto, with its server, and the SDK.
var hasMoto = sync.OnceValues(func() (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return exec.CommandContext(ctx, "python3", "-c", "import boto3, moto.server").Run() == nil, nil
})
