#!/usr/bin/env bash
# Makes the environment of the real femr 0.2.4, once: tools/setup_femr.sh [FOLDER, default .venv-femr]
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-.venv-femr}
wanted=$(sha256sum tests/femr/requirements.txt)
[ "$(cat "$venv/.installed" 2>/dev/null)" != "$wanted" ] || exit 0
echo "Making $venv with femr 0.2.4"
python3 -m venv "$venv"
"$venv/bin/python" -m pip install -q --disable-pip-version-check "torch==2.13.0+cpu" 2> /dev/null || true
"$venv/bin/python" -m pip install -q --disable-pip-version-check -r tests/femr/requirements.txt
"$venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps femr==0.2.4
echo "$wanted" > "$venv/.installed"
