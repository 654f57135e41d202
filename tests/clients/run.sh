#!/usr/bin/env bash
# run.sh VENV AUFORGE [unittest's arguments]: clients_test.py in its environment; 77 where it has none or skips all.
set -euo pipefail
venv=$1 auforge=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
if [[ ! -e $venv/made ]]; then echo "skipped: there is no environment; the Python registry could not be reached"; exit 77; fi
photos=${AUFORGE_PHOTOS:-}
if [[ -z $photos ]]; then
  photos=$(dirname "$auforge")/../../photos
  [[ -d $photos ]] || "$here/../../tools/fetch-example-photos.sh" "$photos" >/dev/null
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
python=$venv/bin/python
[[ "$*" == *mediapipe* ]] && python=$venv/mediapipe/bin/python
"$python" -W ignore "$here/clients_test.py" "$auforge" "$photos" "$@" 2>&1 | tee "$log" || status=${PIPESTATUS[0]}
if (( status == 0 )) && grep -q '^OK (skipped=' "$log" && ! grep -q '\.\.\. ok$' "$log"; then exit 77; fi
exit "$status"
