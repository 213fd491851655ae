package scenario_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
)

// javaScript is the folder of what npm installs for the scenarios in JavaScript.
const javaScript = "javascript"

// oldestNode is the oldest Node.js that the AWS SDK for JavaScript runs on.
const oldestNode = 20

// hasJavaScript answers [javascript]: there is a Node.js that is new enough, and the SDK is
// installed. Where everything is to be tested, a Node.js without the SDK is an error.
var hasJavaScript = sync.OnceValues(func() (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", "-p", "process.versions.node.split('.')[0]").Output()
	if err != nil {
		return false, nil
	}
	if version, err := strconv.Atoi(string(bytes.TrimSpace(out))); err != nil || version < oldestNode {
		return false, nil
	}
	_, err = os.Stat(filepath.Join(javaScript, "node_modules", "@aws-sdk", "client-cloudwatch")) // what came to it last
	if err != nil && os.Getenv("CARREL_TEST_REQUIRE") == "1" {
		return false, errors.New("the AWS SDK for JavaScript is missing: npm ci --prefix scenario/javascript")
	}
	return err == nil, nil
})
