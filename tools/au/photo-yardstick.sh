#!/usr/bin/env bash
# Judges an AU model by photographs coded by eye. See --help.
set -euo pipefail

usage() {
  cat <<'TEXT'
Judge an AU model by photographs that were coded by eye
Usage: tools/au/photo-yardstick.sh [OPTIONS] DATA

DATA holds faces/labels.csv (image,AU1,...: levels 0..3, empty where nobody could tell), faces/*.tar and
portraits/*.tar. Prints figures for each AU and their means over the ten AUs that can be counted, of all coded
pictures and of the part that nobody may learn from (part=judge, see docs/annotator.md), and a last line of both
means. Each line says which of the pictures had no face.

Options:
  --model FILE           AU model (default: the one that comes with auforge)
  --labels FILE          another file of codes (default DATA/faces/labels.csv)
  --aus LIST             AUs of the means (default 1,2,4,5,6,12,15,25,26,45)
  --detector NAME        auforge, hog or yunet (default: yunet where DATA/models has its file, else auforge)
  --program FILE         auforge (default build/release/bin/auforge in this checkout)
  -o FOLDER              also write all.csv and judge.csv there
  -j, --jobs N           threads (default: all cores)
  -h, --help             this text

Exits with 0 when both parts were judged, 2 on wrong usage, else as auforge does.

Example:
  tools/au/photo-yardstick.sh --model mine.h5 ../shared/data
TEXT
}
fail() { echo "photo-yardstick: $2" >&2; exit "$1"; }

program=$(dirname "$0")/../../build/release/bin/auforge
aus=1,2,4,5,6,12,15,25,26,45
model=() labels='' detector='' output='' data='' jobs=$(nproc)
while (($# > 0)); do
  case $1 in
    --model) model=(--model "${2:?--model needs a file}"); shift 2 ;;
    --labels) labels=${2:?--labels needs a file}; shift 2 ;;
    --aus) aus=${2:?--aus needs a list}; shift 2 ;;
    --detector) detector=${2:?--detector needs a name}; shift 2 ;;
    --program) program=${2:?--program needs a file}; shift 2 ;;
    -o) output=${2:?-o needs a folder}; shift 2 ;;
    -j | --jobs) jobs=${2:?--jobs needs a number}; shift 2 ;;
    -h | --help) usage; exit 0 ;;
    -*) usage >&2; fail 2 "unknown option $1" ;;
    *) [[ -z $data ]] || fail 2 "one folder of data, not $data and $1"; data=$1; shift ;;
  esac
done
[[ -n $data ]] || { usage >&2; fail 2 "name the folder of the data"; }
labels=${labels:-$data/faces/labels.csv}
[[ -f $labels ]] || fail 2 "$labels: no such file of codes"
[[ -x $program ]] || fail 2 "$program: no such program; build it, or name it with --program"
yunet=$data/models/face_detection_yunet_2022mar.onnx
if [[ -z $detector ]]; then
  if [[ -f $yunet ]]; then detector=yunet; else detector=auforge; fi
fi
search=(--detector "$detector")
[[ $detector == yunet ]] && search+=(--detector-model "$yunet")

spec=csv:$labels,images=$data/faces
[[ -d $data/portraits ]] && spec+=,images=$data/portraits
spec+=,scale=3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for part in all judge; do
  echo "== $part, faces found by $detector"
  "$program" eval-au --data "$spec,part=$part" ${model[@]+"${model[@]}"} "${search[@]}" --aus "$aus" -j "$jobs" \
    -o "$work/$part.csv"
  if [[ -n $output ]]; then mkdir -p "$output" && cp "$work/$part.csv" "$output/"; fi
done
for part in all judge; do
  awk -F, -v part="$part" '$1 == "mean" {
    printf "%-6s AUC %.3f   F1 %.3f   best F1 %.3f   r %.3f\n", part, $7, $8, $10, $4 }' "$work/$part.csv"
done
