# The two commands: `make up` ends with a desktop to open, `make test` runs everything.
# Each does its own set-up; both can be run again at any time.
GO ?= go
export CGO_ENABLED ?= 0

.PHONY: up down clean build pages generate test test-fast bench lint

up: build
	scripts/up.sh

down:
	scripts/down.sh

clean: down
	scripts/clean.sh

build: pages
	$(GO) build -trimpath -o bin/ ./cmd/carrel ./cmd/carrel-agent

# The part of the portal's pages that comes from npm; see web/README.md.
pages:
	scripts/build-pages.sh

# What is generated and checked in: the API from its models, the pages on the lifecycle and the operations.
generate:
	$(GO) generate ./...

test: build
	scripts/test.sh

# What needs neither root nor Incus nor PostgreSQL; the rest is skipped.
test-fast:
	$(GO) test ./...

bench: build
	scripts/bench.sh

lint:
	golangci-lint run
