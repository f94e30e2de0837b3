#!/usr/bin/env bash
# Runs every benchmark; each prints its rate beside a limit of the machine: a bare scan of the same bytes, a plain
# write of them, or a reference matrix product.
#   tools/bench.sh BUILD_FOLDER [WORK_FOLDER]
#
#   SUBJECTS=5000   size of the generated data; 20000 is that of docs/benchmarks.md
#   SIZES="small six"   of the training step; base takes about 4 GiB and a minute
set -euo pipefail
build=${1:-build}
subjects=${SUBJECTS:-5000}
sizes=${SIZES:-small six}
bin=$build/bin
if [ $# -gt 1 ]; then
  work=$2
else
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi
echo "$(date -u +%FT%TZ), $(nproc) cores of $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), load $(cut -d' ' -f1 /proc/loadavg)"
step() {
  echo "== $1"
  shift
  "$@"
}
if [ ! -d "$work/synth-$subjects" ]; then
  "$bin/sequela" synth --subjects "$subjects" --out "$work/synth-$subjects" --quiet
fi
meds=$work/synth-$subjects/meds
athena=$work/synth-$subjects/athena
step synth "$bin/bench_synth" "$subjects"
step ingest "$bin/bench_ingest" "$meds"
step label "$bin/bench_label" "$meds"
step ontology "$bin/bench_ontology" "$athena"
step prepare "$bin/bench_prepare" "$meds" "$work/prepared" "$athena"
"$bin/sequela" prepare --meds "$meds" --athena "$athena" --out "$work/kept" --keep-events --quiet
step tokenizer "$bin/bench_tokenizer" "$work/kept/.events" "$work/kept/ontology/ontology.parquet"
step task "$bin/bench_motor_task" "$work/kept/.events" "$work/kept/ontology/ontology.parquet"
step "what a task's own code tells" "$bin/bench_own_history" "$work/prepared" 200
step kernels "$bin/bench_kernels" 2048 205
for size in $sizes; do
  step "training step, $size" "$bin/bench_train_step" "$size" 2 bf16 2
done
if [ -x "$bin/bench_features" ]; then
  labels=$(find "$work/synth-$subjects/labels" -name '*.parquet' | sort | head -n 1)
  step features "$bin/bench_features" "$meds" "$work/kept" "$labels" small fp32
fi
if [ -x "$bin/bench_embedder" ]; then step "one patient at a time" "$bin/bench_embedder" small bf16; fi
if [ -x "$bin/bench_live_patients" ]; then step "many live patients" "$bin/bench_live_patients" "$work/live" small 20000 256 2; fi
step "masked language modelling" "$bin/bench_mlm_step" 2 128
bert=$(dirname "$0")/../../shared/parity/bert
if [ -d "$bert" ]; then
  step "sequence tokenizers" "$bin/bench_sequence_tokenizer" "$bert/b_cehrbert/pretrain_vp1" \
    "$bert/b_cehrbert/raw_patients.json" "$bert/c_clinicalbert/uncased" "$bert/c_clinicalbert/strings.json"
else
  echo "== sequence tokenizers: not run, $bert is missing"
fi
echo "Encoders beside their peers: tools/bench_encoders.sh; MOTOR beside femr: tools/bench_peer.sh"
