#!/usr/bin/env bash
# Builds the fuzzers of fuzz/ and runs each, two at a time.
#
#   FUZZ_SECONDS=30   for each
#   FUZZERS="a b"     only these
#
# What they find new stays in build-fuzz/corpus; an input that breaks a reader in build-fuzz/found.
set -euo pipefail
cd "$(dirname "$0")/.."

build=$PWD/build-fuzz
seconds=${FUZZ_SECONDS:-30}
(cd fuzz && cmake --preset fuzz) > build-fuzz.configure.log 2>&1 || (cat build-fuzz.configure.log; exit 1)
mv build-fuzz.configure.log "$build/configure.log"
ninja -C "$build" --quiet
fuzzers=${FUZZERS:-$(cd fuzz && ls ./*_fuzzer.cc | sed 's|./||; s|_fuzzer.cc||')}
mkdir -p "$build/found"

# Inputs that a reader wants as files are written to memory.
TMPDIR=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")/sequela-fuzz.XXXXXX")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

run() {
  local name=$1 log=$build/$1.log
  mkdir -p "$build/corpus/$name"
  local words=()
  [ -f "fuzz/$name.dict" ] && words=("-dict=fuzz/$name.dict")
  if ! "$build/${name}_fuzzer" "$build/corpus/$name" "fuzz/corpus/$name" "${words[@]}" \
    -max_total_time="$seconds" -timeout=10 -max_len=4096 -rss_limit_mb=512 -malloc_limit_mb=256 \
    -print_final_stats=1 -artifact_prefix="$build/found/$name-" > "$log" 2>&1; then
    echo "$name: broken, see $log"
    grep -aE 'ERROR|runtime error|SUMMARY' "$log" | head -n 5 | cut -c1-300
    return 1
  fi
  local runs coverage memory
  runs=$(sed -n 's/stat::number_of_executed_units: *//p' "$log")
  coverage=$(grep -oE ' cov: [0-9]+' "$log" | tail -n 1)
  memory=$(sed -n 's/stat::peak_rss_mb: *//p' "$log")
  echo "$name: $runs inputs,$coverage branches, at most $memory MB, nothing found"
}
export -f run
export build seconds
printf '%s\n' $fuzzers | xargs -P 2 -I{} bash -c 'run {}'
