#!/usr/bin/env bash
# Layers, references, sizes, format, CUDA files, static analysis. LINT_TIDY chooses how much of the last, the slow part:
# all (default), none, or fast: the layers without torch, a quarter of the time.
set -euo pipefail
cd "$(dirname "$0")/.."

python3 tools/check_layers.py
python3 tools/check_references.py
python3 tools/check_sizes.py
git ls-files '*.h' '*.cc' '*.cu' | xargs clang-format --dry-run --Werror
echo "format: clean"
tools/compile_cuda.sh
python3 tools/gpu/roofline.py --check

case "${LINT_TIDY:-all}" in
  none) exit 0 ;;
  fast) folders=(core io meds ontology label tokenizer task evaluation synth run) ;;
  *) folders=("") ;;
esac
# clang cannot read gcc's precompiled headers, so the analysis has a configuration of its own; and it has no <omp.h>.
command -v clang-tidy > /dev/null || { echo "clang-tidy is not installed. Fix: make setup" >&2; exit 1; }
mkdir -p build-tidy
cmake --preset release -B build-tidy -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DSEQUELA_UNITY=OFF \
  > build-tidy/configure.log 2>&1 || { tail -n 20 build-tidy/configure.log >&2; exit 1; }
findings=$(for folder in "${folders[@]}"; do git ls-files "sequela/$folder/**/*.cc" "sequela/$folder/*.cc"; done \
  | sort -u | grep -v '/cuda/' | xargs -P "$(nproc)" -n 2 clang-tidy -p build-tidy --quiet --extra-arg=-fno-openmp 2> /dev/null \
  | grep -E '(warning|error):' | sort -u || true)
if [ -n "$findings" ]; then
  echo "$findings" | cut -c1-300
  exit 1
fi
echo "tidy: clean"
