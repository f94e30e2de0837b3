#!/usr/bin/env bash
# Sequela and femr 0.2.4 on the same data, one after the other: preparation, training step, features.
#   tools/bench_peer.sh BUILD_FOLDER [WORK_FOLDER]
#
#   SUBJECTS=60         generated; femr prepares some 500 to 1,000 events a second
#   SIZES="small six"   of the training step; base needs more than 16 GiB with femr
#   FEMR_VENV=DIR       an environment with femr (default .venv-femr, made if missing)
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build}
subjects=${SUBJECTS:-60}
sizes=${SIZES:-small six}
venv=${FEMR_VENV:-.venv-femr}
[ -n "${FEMR_VENV:-}" ] || tools/setup_femr.sh "$venv"
export PATH="$(realpath "$venv")/bin:$PATH" OMP_NUM_THREADS=2
if [ $# -gt 1 ]; then
  work=$2
else
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi
export HF_DATASETS_CACHE=$work/cache
sequela=$build/bin/sequela
peer() { python -W ignore "bench/peer/$1" "${@:2}" 2> "$work/peer.log" || (tail -n 20 "$work/peer.log" >&2; exit 1); }
load() { echo "== $1 (load $(cut -d' ' -f1 /proc/loadavg))"; }

echo "$(date -u +%FT%TZ), $(nproc) cores of $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
python -m pip list 2> /dev/null | grep -iE '^(femr|torch|meds_reader|meds-reader|datasets|transformers|torch.hawk) ' | tr -s ' ' | tr '\n' ' '
echo
synth=$work/synth
[ -d "$synth" ] || "$sequela" synth --subjects "$subjects" --out "$synth" --quiet

load preparation
"$build/bin/bench_prepare" "$synth/meds" "$work/prepared" "$synth/athena" 2
peer prepare.py "$synth/meds" "$synth/athena" "$work/peer_prepared" 2

load features
[ -d "$work/model" ] || "$sequela" pretrain --data "$work/prepared" --model "$work/model" --layers 6 --hidden 256 --heads 4 \
  --intermediate 1024 --accumulate 1 --max-steps 2 --eval-every 2 --warmup-steps 1 --precision fp32 --quiet
labels=$(find "$synth/labels" -name '*.parquet' | sort | head -n 1)
start=$(date +%s.%N)
"$sequela" features --meds "$synth/meds" --model "$work/model" --labels "$labels" --out "$work/features" --precision fp32 --threads 2 --quiet
echo "sequela features: $(echo "$start $(date +%s.%N)" | awk '{printf "%.2f", $2 - $1}') s, the whole command with reading the data"
peer features.py "$synth/meds" "$synth/athena" "$work/model" "$labels" "$work/peer_features" 2

for size in $sizes; do
  load "training step, $size"
  for precision in bf16 fp32; do
    "$build/bin/bench_train_step" "$size" 2 $precision 2
    peer train_step.py "$size" 2 $precision 2
  done
done
