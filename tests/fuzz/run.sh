#!/usr/bin/env bash
# Fuzzes every target under address and undefined-behaviour sanitizers:
#   tests/fuzz/run.sh SECONDS [-j N] [TARGET…]     e.g. tests/fuzz/run.sh 20 -j 2, or tests/fuzz/run.sh 600 tar
# Needs clang (tools/install-deps.sh --fuzz). N targets at a time, default 1. Prints executions and seconds of processor
# time. FUZZ_SEED=N makes the same changes each time. What is found lies in build/fuzz/findings/TARGET; copy it to
# tests/fuzz/regressions/TARGET with the fix. The exit status is 1 when anything was found.
set -euo pipefail
cd "$(dirname "$0")/../.."
usage="usage: tests/fuzz/run.sh SECONDS [-j N] [TARGET...]"
seconds=${1:?$usage}
shift
jobs=1
if [[ "${1:-}" == -j ]]; then jobs=${2:?$usage}; shift 2; fi
targets=("$@")
if (( ${#targets[@]} == 0 )); then
  for source in tests/fuzz/*_fuzz.cc; do targets+=("$(basename "$source" _fuzz.cc)"); done
fi
tools/build.sh fuzz make_seeds "${targets[@]/%/_fuzz}"
build/fuzz/fuzz/make_seeds build/fuzz/fuzz/seeds

# Leaks are not looked for: HDF5 and OpenCV keep what they once made. What is freed is kept from reuse within 16 MB, not
# 256: half the page faults.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:quarantine_size_mb=16
export UBSAN_OPTIONS=print_stacktrace=1

fuzz() {  # SECONDS TARGET
  local corpus=build/fuzz/corpus/$2 findings=build/fuzz/findings/$2 seeds=build/fuzz/fuzz/seeds/$2
  local known=tests/fuzz/regressions/$2 log=build/fuzz/$2.log status=0
  mkdir -p "$corpus" "$findings" "$known" "$seeds"
  # Inputs may become twice as long as the longest that we know.
  local longest
  longest=$(find "$seeds" "$known" -type f -printf '%s\n' | sort -n | tail -1)
  local most=$(( 2 * ${longest:-0} > 4096 ? 2 * ${longest:-0} : 4096 ))
  TIMEFORMAT="cpu %U %S"
  { time "build/fuzz/fuzz/$2_fuzz" -max_total_time="$1" -timeout=20 -rss_limit_mb=3000 -max_len="$most" ${FUZZ_SEED:+-seed=$FUZZ_SEED} \
      -artifact_prefix="$findings/" -print_final_stats=1 "$corpus" "$seeds" "$known" >"$log" 2>&1 \
      || status=1; } 2>"$log.time"
  awk -v target="$2" -v status="$status" '
    /^stat::number_of_executed_units/ {executions = $2}
    /^cpu/ {cpu = $2 + $3}
    /SUMMARY|ERROR/ {print}
    END {printf "%-17s %10d executions, %4d s of processor time, %s\n", target, executions, cpu,
         status ? "a finding: build/fuzz/findings/" target : "no finding"}' "$log" "$log.time"
  return "$status"
}
export -f fuzz
echo "== $seconds s each: ${targets[*]}"
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'fuzz "$@"' fuzz "$seconds" {} && exit 0
exit 1
