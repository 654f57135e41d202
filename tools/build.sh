#!/usr/bin/env bash
# Configures and builds with a preset:  tools/build.sh PRESET [TARGET…]
set -euo pipefail
cd "$(dirname "$0")/.."
preset=${1:?usage: tools/build.sh PRESET [TARGET...]}
shift
log=build/$preset-configure.log
mkdir -p build
if ! cmake --preset "$preset" >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  echo "build: configuring failed; the whole log is $log" >&2
  exit 1
fi
# LibTorch's headers take 1.1 GB a compiler: do not start more of them than there is memory for.
memory_gb=$(awk '/MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
jobs=$(nproc)
(( memory_gb / 2 < jobs )) && jobs=$(( memory_gb / 2 > 0 ? memory_gb / 2 : 1 ))
cmake --build "build/$preset" -j "$jobs" ${1:+--target "$@"}
