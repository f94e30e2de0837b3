#!/usr/bin/env bash
# Compares the labels of `sequela label` with those of the real ACES (es-aces 0.7.3), in an environment of its own (made
# once).
#   tools/test_aces.sh BUILD_FOLDER [pytest's arguments]
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
venv=.venv-aces
python=$venv/bin/python
wanted=$(sha256sum tests/aces/requirements.txt)
if [ "$(cat $venv/.installed 2>/dev/null)" != "$wanted" ]; then
  echo "Making $venv with es-aces 0.7.3"
  python3 -m venv $venv
  tools/pip_install.sh $python -r tests/aces/requirements.txt
  echo "$wanted" > $venv/.installed
fi
SEQUELA_BINARY=$PWD/$build/bin/sequela $python -m pytest -q -p no:cacheprovider -rs tests/aces "${@:2}" | tee "$build/test_aces.log"
