#!/usr/bin/env bash
# From a fresh Debian 12 to labelled faces and a trained generator, on real photos:
#   packages -> build -> photos that come with dlib -> annotate -> report -> train a reduced GANimation -> edits
#   ./quickstart.sh [PHOTOS…]     photos, folders or tars of your own instead; what comes of them lies in quickstart-NAME/
# Everything else that it makes lies in quickstart/ and build/. Run it again: what is done is not done twice.
set -euo pipefail
if [[ "${1:-}" == -h || "${1:-}" == --help ]]; then sed -n '2,5p' "$0" | sed 's/^# \{0,1\}//'; exit 0; fi
from=$PWD
cd "$(dirname "$0")"

out=quickstart
# Shards of other photos are not mixed with those that are there.
if (( $# > 0 )); then out=quickstart-$(basename -- "$1"); fi
inputs=()
for photo in "$@"; do
  if [[ $photo != [/@]* ]]; then photo=$from/$photo; fi
  inputs+=("$photo")
done
minutes=${AUFORGE_QUICKSTART_MINUTES:-2}   # of training
begin=$SECONDS
mkdir -p "$out"

step() { printf '\n== %s\n' "$1"; part=$SECONDS; }
took() { printf '   %d s\n' "$(( SECONDS - part ))"; }

step "1/7 packages from Debian"
tools/install-deps.sh --no-tests
took

step "2/7 build (about 5 minutes the first time on 2 cores)"
tools/build.sh release auforge auforge-gan
took
auforge=build/release/bin/auforge

# Edits move the photos' own pixels where the face model is; without it the generator that comes with the program draws them.
tools/fetch-face-model.sh || echo "face model: not to be had now; edits.png is drawn by the generator"

step "3/7 photos"
if (( $# > 0 )); then
  echo "photos: $*"
else
  tools/fetch-example-photos.sh "$out/photos"
  inputs=("$out/photos")
fi
took

step "4/7 annotate: faces, landmarks, Action Units (faces of 40 pixels and more)"
"$auforge" annotate "${inputs[@]}" -o "$out/shards" --min-face 40
"$auforge" verify "$out/shards"
took

step "5/7 report"
"$auforge" report "$out/shards" -o "$out/report.html" --sheet "$out/faces.png" --title "AuForge quick start"
took

step "6/7 train a reduced GANimation for $minutes minutes (64 pixels, 8 channels; the published size is 128 and 64)"
if compgen -G "$out/gan/checkpoint_*.h5" >/dev/null; then
  echo "gan: $out/gan is trained; remove it to train again"
elif ! "$auforge" gan train "$out/shards" -o "$out/gan" --image-size 64 --conv-dim 8 --critic-layers 5 --batch 8 \
    --epochs 100000 --decay-epochs 0 --rate 4e-4 --max-minutes "$minutes"; then
  echo "gan: no generator is trained on these; $out/edits-reduced.png is left out"
fi
took

step "7/7 edits: each face with single AUs raised; below each picture of a generator its attention mask"
"$auforge" gan sheet "$out/shards" -o "$out/edits.png" --value 1 --aus AU12,AU25,AU26,AU4,AU1,AU2,AU5,AU45
if compgen -G "$out/gan/checkpoint_*.h5" >/dev/null; then
  "$auforge" gan sheet "$out/shards" --checkpoint "$out/gan" -o "$out/edits-reduced.png"
fi
took

cat <<EOF

Done in $(( SECONDS - begin )) s. Look at
  $out/faces.png     faces with landmarks and AU bars
  $out/report.html   the run: AUs, emotions, failures, speeds (open in a browser)
  $out/edits.png     these faces with single AUs raised, as gan edit does it (docs/gan.md)
  $out/edits-reduced.png   what the reduced generator does after $minutes minutes on these few faces (if it could be trained)
  $out/shards/       the training shards: $auforge inspect $out/shards
EOF
