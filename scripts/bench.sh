#!/usr/bin/env bash
# bench.sh [FLAG...]: measures bin/carrel and prints a table; the flags are those of the program in bench/. What is not
# there to be compared with (moto, Incus) is left out of the table and said so.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
go run ./bench "$@"
