#!/usr/bin/env bash
# Compiles every .cu file for the GPUs we support, without torch and without a GPU. Skips where there is no nvcc.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v nvcc > /dev/null; then
  echo "cuda: skipped, no nvcc"
  exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for source in $(git ls-files '*.cu'); do
  nvcc -std=c++20 -O2 -I. -c "$source" -o "$folder/$(basename "$source").o" \
    -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90,code=sm_90
done
echo "cuda: compiled for sm_80 and sm_90"
