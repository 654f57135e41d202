#!/bin/bash
# Everything that is to be done on a bare machine with a GPU, in a few minutes: build, parity, speed, train, bring back.
set -u
usage() {
  cat <<'END'
usage: tools/gpu/run.sh [options]

On a machine without Debian's packages, with g++, cmake, python3 and its package torch (a LibTorch for CUDA):
builds the training commands of auforge-gan, runs the tests of parity, times our training beside plain PyTorch, trains,
and leaves what is worth bringing back in a folder. May be run again: what is built stays, a training goes on.

  --pack FILE      of tools/gpu/pack.sh; default build/gpu/carried.tar.gz
  --torch FOLDER   of the Python package torch; default: the one that python3 imports
  --device NAME    cuda (default) or cpu
  --minutes N      for all of it together, default 9; training gets what is left, and stops in time
  --out FOLDER     what is brought back, default build/gpu/out
  --steps LIST     of build,parity,speed,train (default: all); build is always done
  --max-file MIB   larger files are cut into pieces, cat joins them; default 0: none is
  --jobs N         default: all cores
  --tiny           small networks: a try-out on a processor
  --help
  -- ARGUMENTS     of gan train: folders of shards, --pairs, --start-from … (without any, training is left out)

Before, where the packages are: tools/gpu/pack.sh. A whole try-out on a processor:
  tools/gpu/run.sh --device cpu --tiny --minutes 30 -- shards/ --image-size 32 --conv-dim 8
END
}
pack=build/gpu/carried.tar.gz torch='' device=cuda minutes=9 out=build/gpu/out steps=build,parity,speed,train max_file=0
jobs=$(nproc) tiny=''
while [ $# -gt 0 ]; do
  case $1 in
    --pack) pack=${2:?}; shift 2 ;;
    --torch) torch=${2:?}; shift 2 ;;
    --device) device=${2:?}; shift 2 ;;
    --minutes) minutes=${2:?}; shift 2 ;;
    --out) out=${2:?}; shift 2 ;;
    --steps) steps=${2:?}; shift 2 ;;
    --max-file) max_file=${2:?}; shift 2 ;;
    --jobs) jobs=${2:?}; shift 2 ;;
    --tiny) tiny=--tiny; shift ;;
    --help|-h) usage; exit 0 ;;
    --) shift; break ;;
    *) echo "run.sh: $1 is no option; see --help" >&2; exit 2 ;;
  esac
done
case $device in cuda|cpu) ;; *) echo "run.sh: --device $device: must be cuda or cpu" >&2; exit 2 ;; esac
case $minutes$jobs$max_file in *[!0-9]*) echo "run.sh: --minutes, --jobs and --max-file take whole numbers" >&2; exit 2 ;; esac
train_arguments=("$@")

cd "$(dirname "$0")/../.." || exit 1
root=$PWD
began=$SECONDS
build=build/trainer run=build/gpu/run
mkdir -p "$out" build/gpu
out=$(cd "$out" && pwd)
log=$out/log.txt summary=$out/summary.txt
: > "$log"
printf '%s\n' "$(date -u +%FT%TZ) $device" > "$summary"
failed=0
patience=1  # a processor takes longer
if [ "$device" = cpu ]; then patience=20; fi

left() { echo $((60 * minutes - (SECONDS - began))); }
say() { printf '[%3d s of %d] %s\n' $((SECONDS - began)) $((60 * minutes)) "$1" | tee -a "$log"; }
note() { printf '%s\n' "$1" | tee -a "$log" "$summary"; }
wants() { case ,$steps, in *,$1,*) return 0 ;; *) return 1 ;; esac; }
# limited SECONDS WHAT COMMAND…: output to the log; the last lines are shown when it fails.
limited() {
  local limit=$(($1 * patience)) what=$2 status; shift 2
  local rest; rest=$(left)
  if [ "$limit" -gt "$rest" ]; then limit=$rest; fi
  if [ "$limit" -lt 5 ]; then note "LEFT OUT: $what (no time left)"; return 1; fi
  say "$what"
  timeout -k 15 "$limit" "$@" >> "$log" 2>&1
  status=$?
  if [ $status -eq 0 ]; then note "ok: $what"; return 0; fi
  failed=1
  if [ $status -eq 124 ]; then note "TOO LONG: $what ($limit s)"; else note "FAILED ($status): $what"; fi
  tail -n 15 "$log"
  return 1
}

# What there is, whenever this ends.
bring_back() {
  trap - EXIT
  local program=$build/bin/auforge-gan
  if [ -d "$run" ] && ls "$run"/checkpoint_*.h5 > /dev/null 2>&1; then
    if "$program" export-weights "$run" -o "$out/generator.h5" --half >> "$log" 2>&1; then
      note "weights: generator.h5 of $(basename "$(ls "$run"/checkpoint_*.h5 | tail -n 1)")"
    else
      failed=1; note "FAILED: export-weights"
    fi
    cp "$run/metrics.csv" "$out/" 2> /dev/null
    cp "$(ls "$run"/samples/*.png | tail -n 1)" "$out/samples.png" 2> /dev/null
  fi
  if [ "$max_file" -gt 0 ]; then
    local file
    for file in "$out"/*; do
      if [ "$(stat -c %s "$file")" -le $((max_file << 20)) ]; then continue; fi
      split -b "${max_file}M" -d "$file" "$file.part" && rm "$file"
      note "cut: cat $(basename "$file").part* > $(basename "$file")"
    done
  fi
  note "took $((SECONDS - began)) s of $((60 * minutes))"
  echo "--- $summary"
  cat "$summary"
  echo "--- look at $out: summary.txt, speed.txt, samples.png, metrics.csv; then edit and judge with generator.h5"
  exit $failed
}
trap bring_back EXIT
trap 'failed=1; note "STOPPED by a signal"; exit 1' INT TERM HUP

# --- build
if [ -z "$torch" ]; then
  torch=$(python3 -c 'import importlib.util; print(importlib.util.find_spec("torch").submodule_search_locations[0])') ||
    { failed=1; note "FAILED: python3 has no package torch; name it with --torch"; exit 1; }
fi
note "PyTorch $(sed -n "s/^__version__ = '\(.*\)'/\1/p" "$torch/version.py"), $(g++ --version | head -n 1), $(nproc) cores"
if [ "$device" = cuda ]; then note "$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>&1 | head -n 1)"; fi
if [ ! -e build/gpu/carried/.whole ] || [ "$pack" -nt build/gpu/carried/.whole ]; then
  [ -e "$pack" ] || { failed=1; note "FAILED: $pack is missing; make it with tools/gpu/pack.sh where Debian's packages are"; exit 1; }
  rm -rf build/gpu/carried
  tar -C build/gpu -xzf "$pack" && touch build/gpu/carried/.whole || { failed=1; note "FAILED: $pack cannot be unpacked"; exit 1; }
fi
generator=()
if command -v ninja > /dev/null; then generator=(-G Ninja); fi
limited 120 configure cmake -S . -B "$build" "${generator[@]}" -DCMAKE_BUILD_TYPE=Release -DAUFORGE_ANNOTATOR=OFF \
  "-DAUFORGE_CARRIED=$root/build/gpu/carried" "-DAUFORGE_TORCH=$torch" || exit 1
limited $((60 * minutes)) "build with $jobs jobs" cmake --build "$build" -j "$jobs" --target auforge-gan gan_parity_test \
  gan_fast_path_test gan_benchmark || exit 1

# --- parity: on the processor and on the device
if wants parity; then
  tests=$build/tests/bin
  limited 120 "parity with the published code, processor" "$tests/gan_parity_test"
  if [ "$device" != cpu ]; then
    limited 120 "parity with the published code, $device" env "AUFORGE_TEST_DEVICE=$device" "$tests/gan_parity_test"
    limited 120 "fast path against automatic differentiation, $device" env "AUFORGE_TEST_DEVICE=$device" "$tests/gan_fast_path_test"
  else
    limited 120 "fast path against automatic differentiation" "$tests/gan_fast_path_test"
  fi
fi

# --- speed: ours, then plain PyTorch of the published architecture
if wants speed; then
  limited 240 "speed of both, batch 25" python3 tools/gpu/compare_published.py --device "$device" $tiny \
    --benchmark "$build/tests/bin/gan_benchmark" -o "$out/speed.txt" && note "$(cat "$out/speed.txt")"
fi

# --- train
if wants train && [ ${#train_arguments[@]} -gt 0 ]; then
  precision=(--precision bf16)
  case " ${train_arguments[*]} " in *" --precision "*) precision=() ;; esac
  reserve=40  # for the last checkpoint, the export and the way back
  seconds=$(($(left) - reserve))
  if [ $seconds -lt 10 ]; then
    note "LEFT OUT: training (no time left)"
  else
    limited $((seconds + reserve - 5)) "train for $seconds s" "$build/bin/auforge-gan" train -o "$run" --device "$device" \
      "${precision[@]}" -j "$jobs" --max-minutes "$(awk "BEGIN { print $seconds / 60 }")" --save-minutes 2 --keep 1 \
      "${train_arguments[@]}"
    [ ! -e "$run/metrics.csv" ] || note "$(tail -n 1 "$run/metrics.csv" | cut -d , -f 1-3 | sed 's/^/last step, epoch, rate: /')"
  fi
fi
