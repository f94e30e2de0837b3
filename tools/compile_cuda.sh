#!/usr/bin/env bash
# Compiles every .cu file for the GPUs we support, those that this nvcc knows of them, without torch and without a GPU.
# Skips where there is no nvcc. ARCHITECTURES="80 90" takes these alone.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v nvcc > /dev/null; then
  echo "cuda: skipped, no nvcc: install a CUDA toolkit (PATH=/usr/local/cuda/bin:$PATH where there is one)"
  exit 0
fi
known=" $(nvcc --list-gpu-arch | sed 's/compute_//' | tr '\n' ' ') "
targets=()
names=()
for architecture in ${ARCHITECTURES:-75 80 90 100 120}; do
  [[ $known == *" $architecture "* ]] || continue
  targets+=(-gencode "arch=compute_$architecture,code=sm_$architecture")
  names+=("sm_$architecture")
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for source in $(git ls-files '*.cu'); do
  nvcc -std=c++20 -O2 -I. -Werror all-warnings -c "$source" -o "$folder/$(basename "$source").o" "${targets[@]}"
done
echo "cuda: compiled for ${names[*]}"
