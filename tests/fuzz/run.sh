#!/usr/bin/env bash
# Fuzzes every target under address and undefined-behaviour sanitizers:
#   tests/fuzz/run.sh SECONDS [TARGET…]     e.g. tests/fuzz/run.sh 20, or tests/fuzz/run.sh 600 tar
# Needs clang (apt-get install clang). What is found lies in build/fuzz/findings/TARGET; copy it to
# tests/fuzz/regressions/TARGET with the fix. The exit status is 1 when anything was found.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:?usage: tests/fuzz/run.sh SECONDS [TARGET...]}
shift
targets=("$@")
if (( ${#targets[@]} == 0 )); then
  for source in tests/fuzz/*_fuzz.cc; do targets+=("$(basename "$source" _fuzz.cc)"); done
fi
tools/build.sh fuzz make_seeds "${targets[@]/%/_fuzz}"
build/fuzz/fuzz/make_seeds build/fuzz/fuzz/seeds
status=0
for target in "${targets[@]}"; do
  corpus=build/fuzz/corpus/$target
  findings=build/fuzz/findings/$target
  mkdir -p "$corpus" "$findings" "tests/fuzz/regressions/$target" "build/fuzz/fuzz/seeds/$target"
  echo "== $target, $seconds s"
  # Leaks are not looked for: HDF5 and OpenCV keep what they once made.
  ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
    "build/fuzz/fuzz/${target}_fuzz" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=3000 -max_len=65536 \
    -artifact_prefix="$findings/" -print_final_stats=1 "$corpus" "build/fuzz/fuzz/seeds/$target" \
    "tests/fuzz/regressions/$target" >"build/fuzz/$target.log" 2>&1 || status=1
  grep -E "^stat::number_of_executed_units|SUMMARY|ERROR" "build/fuzz/$target.log" || true
done
exit "$status"
