#!/usr/bin/env bash
# Makes the Python environment of the tests of clients, once:  make_venv.sh FOLDER
# Exit status 77 (skipped, for ctest) where the Python registry cannot be reached. About 3 GB with PyTorch's own wheel;
# AUFORGE_TORCH_WHEEL=PATH|URL names a smaller one (the CPU's), AUFORGE_TORCH_WHEEL=no leaves PyTorch out.
set -euo pipefail
venv=${1:?usage: make_venv.sh FOLDER}
requirements=$(cd "$(dirname "$0")" && pwd)/requirements.txt
if [[ -e $venv/made && ! $requirements -nt $venv/made ]]; then exit 0; fi
mkdir -p "$venv"
"${PYTHON:-/usr/bin/python3}" -m venv "$venv"
# MediaPipe's versions whose wheel brings the face mesh with it (later ones load it from a hub) want old versions of what
# others want new ones of: an environment within.
"${PYTHON:-/usr/bin/python3}" -m venv "$venv/mediapipe"
options=(-q --disable-pip-version-check --retries 1 --timeout 60)
torch=${AUFORGE_TORCH_WHEEL:-torch}
if ! "$venv/bin/pip" install "${options[@]}" -r "$requirements" 2>"$venv/pip.log" ||
   ! { [[ $torch == no ]] || "$venv/bin/pip" install "${options[@]}" "$torch" 2>"$venv/pip.log"; } ||
   ! "$venv/mediapipe/bin/pip" install "${options[@]}" 'mediapipe<0.10.22' pillow matplotlib 2>"$venv/pip.log"; then
  tail -3 "$venv/pip.log" >&2
  echo "skipped: the Python registry cannot be reached, or has no wheels for this Python" >&2
  exit 77
fi
touch "$venv/made"
