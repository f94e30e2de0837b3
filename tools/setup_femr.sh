#!/usr/bin/env bash
# Makes the environment of the real femr 0.2.4, once: tools/setup_femr.sh [FOLDER, default .venv-femr]
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-.venv-femr}
wanted=$(sha256sum tests/femr/requirements.txt)
[ "$(cat "$venv/.installed" 2>/dev/null)" != "$wanted" ] || exit 0
echo "Making $venv with femr 0.2.4"
python3 -m venv "$venv"
tools/pip_install.sh "$venv/bin/python" "torch==2.13.0+cpu" 2> /dev/null || true
tools/pip_install.sh "$venv/bin/python" -r tests/femr/requirements.txt
tools/pip_install.sh "$venv/bin/python" --no-deps femr==0.2.4
echo "$wanted" > "$venv/.installed"
