#!/usr/bin/env bash
# Sequela's encoders beside transformers, ONNX Runtime and CTranslate2 on the same weights and inputs: one table.
#   tools/bench_encoders.sh BUILD_FOLDER [WORK_FOLDER [THREADS [SECONDS]]]
# The peers go into a Python environment of their own under WORK_FOLDER, made at the first run.
set -euo pipefail
build=${1:-build}
work=${2:-$(mktemp -d)}
threads=${3:-1}
seconds=${4:-3}
here=$(cd "$(dirname "$0")/.." && pwd)
python=$work/env/bin/python
if [ ! -x "$python" ]; then
  python3 -m venv "$work/env"
  "$python" -m pip -q install torch==2.13.0+cpu 2> /dev/null || "$python" -m pip -q install torch==2.13.0
  "$python" -m pip -q install torch==2.13.0 transformers==4.45.0 onnxruntime onnx ctranslate2==4.5.0 safetensors numpy
fi
[ -f "$work/base/model.safetensors" ] || "$build/bin/bench_encoders" make "$work/base"
peer() { "$python" -W ignore "$here/bench/peer/encoders.py" "$work/base" "$@" || echo "$*: failed"; }
peer onnxruntime prepare "$threads"
peer ctranslate2 prepare "$threads"
for precision in fp32 bf16 int8; do
  "$build/bin/bench_encoders" run "$work/base" "$precision" "$threads" "$seconds"
  peer transformers "$precision" "$threads" "$seconds"
  [ "$precision" = bf16 ] || peer onnxruntime "$precision" "$threads" "$seconds"
  [ "$precision" = bf16 ] || peer ctranslate2 "$precision" "$threads" "$seconds"
done
