#!/usr/bin/env bash
# Format, layers, file hygiene, static analysis. LINT_TIDY=0 leaves out clang-tidy, the slow part.
set -euo pipefail
cd "$(dirname "$0")/.."

python3 tools/check_layers.py
git ls-files '*.h' '*.cc' '*.cu' | xargs clang-format --dry-run --Werror
echo "format: clean"
tools/compile_cuda.sh
if [ "${LINT_TIDY:-1}" = 1 ]; then
  # clang cannot read gcc's precompiled headers, so the analysis has a configuration of its own.
  cmake --preset release -B build-tidy -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON > /dev/null
  git ls-files 'sequela/*.cc' | xargs -P "$(nproc)" -n 4 clang-tidy -p build-tidy --quiet 2> /dev/null
  echo "tidy: clean"
fi
