#!/usr/bin/env bash
# test.sh: sets up what the tests need and runs all of them: both databases, real Incus, the scenarios. Fails where the
# real engine cannot be tested. Meant for root on Debian or Ubuntu; `make test-fast` is for everybody else.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."

[ "$(id -u)" = 0 ] || {
  echo "test.sh: the tests of the real engine need root; make test-fast runs the others" >&2
  exit 1
}

scratch=$(mktemp -d)
chmod 755 "$scratch" # PostgreSQL runs as another user
cleanup() {
  scripts/postgres-down.sh "$scratch/postgres" || true
  rm -rf "$scratch"
}
trap cleanup EXIT

scripts/install-packages.sh test
command -v npm >/dev/null || scripts/install-packages.sh build
if ! [ scenario/javascript/node_modules/.package-lock.json -nt scenario/javascript/package-lock.json ]; then
  npm ci --ignore-scripts --loglevel=error --prefix scenario/javascript
fi
scripts/incus-up.sh
bin/carrel image build

CARREL_TEST_POSTGRES=$(scripts/postgres-up.sh "$scratch/postgres")
export CARREL_TEST_POSTGRES
# The tests of what is real fail instead of skipping where it is not there.
export CARREL_TEST_REQUIRE=1

shellcheck scripts/*.sh desktop/*.sh
unformatted=$(gofmt -l cmd internal desktop scripts scenario web bench ./*.go)
[ -z "$unformatted" ] || {
  echo "test.sh: gofmt would change: $unformatted" >&2
  exit 1
}
go vet ./...
mapfile -t others < <(go list ./... | grep -v '/compute/incus$')
# Terraform waits for minutes; without it and its AWS provider its scenarios are skipped.
CARREL_TEST_TERRAFORM=1 go test -timeout 20m "${others[@]}"
# Those on real Incus one package after the other: they share one engine and two cores.
CARREL_TEST_INCUS=1 go test -count=1 -p 1 -timeout 30m ./internal/compute/incus ./internal/gateway/stream
# A person in a browser is among them; what the browser showed is kept, to be looked at.
export CARREL_TEST_SCREENSHOTS=${CARREL_TEST_SCREENSHOTS:-$PWD/.cache/screenshots}
CARREL_TEST_INCUS=1 go test -count=1 -timeout 30m -run 'Incus|TestKill/incus|TestPerson' ./scenario
