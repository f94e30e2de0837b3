#!/usr/bin/env bash
# Tests Sequela against the real femr 0.2.4, in an environment of its own (made once).
#   tools/test_femr.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
venv=.venv-femr
tools/setup_femr.sh $venv
SEQUELA_BINARY=$PWD/$build/bin/sequela PATH="$PWD/$venv/bin:$PATH" \
  $venv/bin/python -m pytest -q -p no:cacheprovider -rs tests/femr | tee "$build/test_femr.log"
