#!/usr/bin/env bash
# Puts the photos that come with Debian's libdlib19.1 (faces of people, and dogs) into a folder.
#   tools/fetch-example-photos.sh FOLDER
# They are documentation files; where a slimmed system has stripped them, the package is downloaded again and
# unpacked beside, without touching the system.
set -euo pipefail
if [[ "${1:-}" == -h || "${1:-}" == --help ]]; then sed -n '2,5p' "$0" | sed 's/^# \{0,1\}//'; exit 0; fi
folder=${1:?usage: tools/fetch-example-photos.sh FOLDER}
if compgen -G "$folder/*.jpg" >/dev/null; then echo "photos: $folder has them"; exit 0; fi
mkdir -p "$folder"
installed=/usr/share/doc/libdlib19.1/examples/faces
if compgen -G "$installed/*.jpg" >/dev/null; then
  cp "$installed"/*.jpg "$installed"/*.xml "$folder/"
else
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  chmod 755 "$work"
  echo "photos: taking them out of the libdlib19.1 package"
  (cd "$work" && apt-get download -qq libdlib19.1) || {
    echo "photos: cannot download the package libdlib19.1; run apt-get update and try again" >&2; exit 1; }
  dpkg -x "$work"/libdlib19.1_*.deb "$work/unpacked"
  cp "$work"/unpacked/"$installed"/*.jpg "$work"/unpacked/"$installed"/*.xml "$folder/"
fi
echo "photos: $(ls "$folder"/*.jpg | wc -l) in $folder"
