#!/usr/bin/env bash
# Installs a wheel into a fresh environment outside the sources, with none of the build's folders in any path, and tries it.
#   tools/try_wheel.sh WHEEL [arguments of try_wheel.py]
#
#   PYTHON             the interpreter (python3)
#   PIP_...            pip's own settings are passed on
set -euo pipefail
wheel=$(realpath "${1:?usage: tools/try_wheel.sh WHEEL}")
shift
tools=$(dirname "$(realpath "$0")")
python=$(command -v "${PYTHON:-python3}")

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "$tools/try_wheel.py" "$tools/../tests/python/hub_server.py" "$folder"
cd "$folder"
mapfile -t settings < <(env | grep -E '^(PIP_|[a-zA-Z]*_proxy=|[A-Z]*_PROXY=)' || true)
bare=(env -i PATH=/usr/bin:/bin HOME="$HOME" LANG=C.UTF-8 OMP_WAIT_POLICY=passive TMPDIR="$folder" "${settings[@]}")
"${bare[@]}" "$python" -m venv venv
"${bare[@]}" venv/bin/python -m pip install -q --disable-pip-version-check "$wheel"
"${bare[@]}" venv/bin/python try_wheel.py --hub "$wheel" "$@"
