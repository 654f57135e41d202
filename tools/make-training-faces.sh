#!/usr/bin/env bash
# Makes the 24,000 synthetic faces that the default annotator is trained on. See --help.
set -euo pipefail

usage() {
  cat <<'TEXT'
Make the synthetic faces that the default AU model is trained on
Usage: tools/make-training-faces.sh --photos TARS --face-model FILE [OPTIONS] FOLDER

Three sets, in shards of 1,000 pictures: FOLDER/cg (6,000, no photos), FOLDER/reconstruct2 (8,000, from all
usable photos) and FOLDER/reconstruct (10,000, from up to 80). A run that was stopped goes on where it was; what is
finished is left alone. FOLDER/cg.log and so on say how long it took.

Options:
  --photos TARS      portraits to rebuild faces from, as 'auforge synth faces --photos' takes them;
                     not needed for cg alone
  --face-model FILE  from 'auforge synth import-model' (default face.h5)
  --program FILE     auforge (default build/release/bin/auforge beside this script)
  -j, --jobs N       threads (default: all cores)
  --only SET         cg, reconstruct or reconstruct2 alone; may be repeated
  --check            make nothing; only say what is there
  -h, --help         this text

Exits with 0 when all is there, 1 when it failed or the disk is too full, 2 on wrong usage, else as auforge does.

Example:
  tools/make-training-faces.sh --photos 'portraits/{00000..00002}.tar' --face-model face.h5 faces/
  auforge train-au --data synth:faces/reconstruct --data synth:faces/reconstruct2 --data synth:faces/cg -o au.h5
TEXT
}
fail() { echo "make-training-faces: $2" >&2; exit "$1"; }

program=$(dirname "$0")/../build/release/bin/auforge
photos=
model=face.h5
jobs=$(nproc)
only=()
check=no
folder=
while (($# > 0)); do
  case $1 in
    --photos | --face-model | --program | -j | --jobs | --only)
      (($# >= 2)) || fail 2 "$1 needs a value; see --help"
      case $1 in
        --photos) photos=$2 ;;
        --face-model) model=$2 ;;
        --program) program=$2 ;;
        --only) only+=("$2") ;;
        *) jobs=$2 ;;
      esac
      shift 2 ;;
    -j[0-9]*) jobs=${1#-j}; shift ;;
    --check) check=yes; shift ;;
    -h | --help) usage; exit 0 ;;
    -*) fail 2 "unknown option $1; see --help" ;;
    *) [[ -z $folder ]] || fail 2 "one FOLDER only; see --help"; folder=$1; shift ;;
  esac
done
[[ -n $folder ]] || fail 2 "name a FOLDER; see --help"
[[ $jobs =~ ^[1-9][0-9]*$ ]] || fail 2 "--jobs = $jobs; must be a number >= 1"
((${#only[@]} > 0)) || only=(cg reconstruct2 reconstruct)

# Name, pictures, seed and, for the rebuilt ones, how many photos.
declare -A count=([cg]=6000 [reconstruct2]=8000 [reconstruct]=10000)
declare -A seed=([cg]=43 [reconstruct2]=42 [reconstruct]=41)
declare -A most=([reconstruct2]=400 [reconstruct]=80)
shard=1000
budget_kb=$((2 * 1024 * 1024))

for set in "${only[@]}"; do
  [[ -n ${count[$set]:-} ]] || fail 2 "--only $set; must be cg, reconstruct or reconstruct2"
  [[ $check == yes || $set == cg || -n $photos ]] || fail 2 "$set needs --photos; see --help"
done

# Shards that are done, of a set.
finished() {
  if [[ -d $folder/$1 ]]; then find "$folder/$1" -maxdepth 1 -name '[0-9]*_stats.json' | wc -l; else echo 0; fi
}
used_kb() { du -sk "$folder" | cut -f1; }
report() {
  local all=0
  for set in "${only[@]}"; do
    echo "$set: $(finished "$set") of $((count[$set] / shard)) shards"
    (($(finished "$set") * shard >= count[$set])) || all=1
  done
  return "$all"
}
if [[ $check == yes ]]; then report; exit; fi

mkdir -p "$folder"
# 9 KB a picture; whatever is there already is not needed again.
needed_kb=0
for set in "${only[@]}"; do needed_kb=$((needed_kb + 9 * (count[$set] - shard * $(finished "$set")))); done
free_kb=$(df -Pk "$folder" | awk 'NR == 2 {print $4}')
((free_kb > needed_kb)) || fail 1 "$folder: $((needed_kb / 1024)) MB are needed, $((free_kb / 1024)) MB are free; make room and run again"

for set in "${only[@]}"; do
  arguments=(synth faces --one-sided 0.5 -o "$folder/$set" --count "${count[$set]}" --seed "${seed[$set]}" --shard-size "$shard" --face-model "$model" -j "$jobs")
  if [[ $set == cg ]]; then arguments+=(--method cg); else arguments+=(--method reconstruct --photos "$photos" --most-photos "${most[$set]}"); fi
  echo "make-training-faces: $set, $(finished "$set") of $((count[$set] / shard)) shards are there" >&2
  start=$SECONDS
  "$program" "${arguments[@]}"
  echo "$(date -u +%FT%TZ) $set: $((SECONDS - start)) s with $jobs threads, $(du -sk "$folder/$set" | cut -f1) KB" >>"$folder/$set.log"
  (($(used_kb) <= budget_kb)) || fail 1 "$folder holds more than 2 GB; something is wrong, or it holds other things"
done
report
