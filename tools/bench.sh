#!/usr/bin/env bash
# Runs every benchmark at its usual size; each prints its rate beside the machine's limit.
#   tools/bench.sh BUILD_FOLDER [WORK_FOLDER]
set -euo pipefail
build=${1:-build}
work=${2:-$(mktemp -d)}
bin=$build/bin
[ -d "$work/synth" ] || "$bin/sequela" synth --subjects 20000 --out "$work/synth" --quiet
echo "== synth" && "$bin/bench_synth"
echo "== ingest" && "$bin/bench_ingest" "$work/synth/meds"
echo "== ontology" && "$bin/bench_ontology" "$work/synth/athena"
echo "== prepare" && "$bin/bench_prepare" "$work/synth/meds" "$work/prepared" "$work/synth/athena"
"$bin/sequela" prepare --meds "$work/synth/meds" --athena "$work/synth/athena" --out "$work/kept" --keep-events --quiet
echo "== tokenizer" && "$bin/bench_tokenizer" "$work/kept/.events" "$work/kept/ontology/ontology.parquet"
echo "== task" && "$bin/bench_motor_task" "$work/kept/.events" "$work/kept/ontology/ontology.parquet"
echo "== kernels" && "$bin/bench_kernels"
echo "== training step" && "$bin/bench_train_step"
