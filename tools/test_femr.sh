#!/usr/bin/env bash
# Tests Sequela against the real femr 0.2.4, in an environment of its own (made once).
#   tools/test_femr.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
venv=.venv-femr
wanted=$(sha256sum tests/femr/requirements.txt)
if [ "$(cat $venv/.installed 2>/dev/null)" != "$wanted" ]; then
  echo "Making $venv with femr 0.2.4"
  python3 -m venv $venv
  $venv/bin/python -m pip install -q --disable-pip-version-check "torch==2.13.0+cpu" 2> /dev/null || true
  $venv/bin/python -m pip install -q --disable-pip-version-check -r tests/femr/requirements.txt
  $venv/bin/python -m pip install -q --disable-pip-version-check --no-deps femr==0.2.4
  echo "$wanted" > $venv/.installed
fi
SEQUELA_BINARY=$PWD/$build/bin/sequela PATH="$PWD/$venv/bin:$PATH" \
  $venv/bin/python -m pytest -q -p no:cacheprovider tests/femr
