#!/usr/bin/env bash
# Puts the small face model that edits of photographs need (auforge gan edit --method warp) where the program looks for it.
#   tools/fetch-face-model.sh [OUT]     default: build/release/share/auforge/face.h5
# It is made of ICT-FaceKit light (MIT licence, Copyright (c) 2020 USC Institute for Creative Technologies), which is taken
# from $AUFORGE_DATA/ict-facekit/ict-facekit.tar.xz where that is, else from its public repository (about 400 MB on disk
# until this ends). Needs a built auforge.
set -euo pipefail
if [[ "${1:-}" == -h || "${1:-}" == --help ]]; then sed -n '2,6p' "$0" | sed 's/^# \{0,1\}//'; exit 0; fi
out=${1:+$(realpath -ms -- "$1")}
cd "$(dirname "$0")/.."
out=${out:-build/release/share/auforge/face.h5}
auforge=${AUFORGE:-build/release/bin/auforge}
repository=${AUFORGE_FACEKIT:-https://github.com/ICT-VGL/ICT-FaceKit.git}
archive=${AUFORGE_DATA:-../shared/data}/ict-facekit/ict-facekit.tar.xz

if [[ -s "$out" ]]; then echo "face model: $out is there"; exit 0; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [[ -f "$archive" ]]; then
  tar -xJf "$archive" -C "$work"
else
  echo "face model: taking ICT-FaceKit from $repository"
  git clone -q --depth 1 --filter=blob:none --sparse "$repository" "$work/repository"
  git -C "$work/repository" sparse-checkout set FaceXModel
  mv "$work/repository/FaceXModel" "$work/"
fi
mkdir -p "$(dirname "$out")"
"$auforge" synth import-model "$work/FaceXModel" --identities 25 -o "$work/face.h5"
# docs/gan.md names it, too.
echo "0c9ae80e36a6f0cab4a065aeab9cd33cd6f497c992b23472cddd80fe9935f3a0  $work/face.h5" | sha256sum --quiet -c - || {
  echo "face model: what came is not ICT-FaceKit light as AuForge knows it; it is not used" >&2
  exit 3
}
mv "$work/face.h5" "$out.tmp" && mv "$out.tmp" "$out"
