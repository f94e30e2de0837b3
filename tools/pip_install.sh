#!/usr/bin/env bash
# pip install, telling what it fetches: pip's own bars on a terminal, otherwise a line for each package.
#   tools/pip_install.sh PYTHON ARGUMENTS...
set -euo pipefail
python=$1
shift
if [ -t 1 ]; then
  exec "$python" -m pip install --disable-pip-version-check "$@"
fi
"$python" -m pip install --disable-pip-version-check --progress-bar off "$@" | sed -un '/^ *\(Downloading\|Installing\) /s/^ */  /p'
