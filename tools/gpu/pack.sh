#!/bin/sh
# Packs what a trainer needs to be built where there are no packages: headers and static libraries.
set -eu
usage() {
  cat <<'END'
usage: tools/gpu/pack.sh [-o FILE]

Writes FILE (default build/gpu/carried.tar.gz), some 14 MB: headers and static libraries of Debian 12 or 13 for
-DAUFORGE_ANNOTATOR=OFF -DAUFORGE_CARRIED=FOLDER (HDF5, OpenCV's core and imgproc, TBB, turbojpeg, giflib, OpenSSL's
libcrypto, zlib, googletest, google-benchmark; headers alone of CLI11 and nlohmann-json). Needs the packages of
tools/install-deps.sh. tools/gpu/run.sh unpacks it on the machine with the GPU.
END
}
out=build/gpu/carried.tar.gz
while [ $# -gt 0 ]; do
  case $1 in
    -o) out=${2:?-o needs a file}; shift 2 ;;
    -h|--help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
here=$(cd "$(dirname "$0")" && pwd)
libs=/usr/lib/$(gcc -dumpmachine)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/carried/lib" "$work/carried/include/opencv4/opencv2" "$work/carried/include/hdf5"
require() {
  [ -e "$1" ] || { echo "pack.sh: $1 is missing; run tools/install-deps.sh" >&2; exit 1; }
}
headers() {  # FROM TO
  require "$1"
  mkdir -p "$work/carried/include/$2"
  cp -RL "$1" "$work/carried/include/$2/"
}
for name in opencv_core opencv_imgproc turbojpeg hdf5_serial sz aec crypto z gif gtest gmock; do
  require "$libs/lib$name.a"
  cp -L "$libs/lib$name.a" "$work/carried/lib/"
done
for name in tbb benchmark; do  # no static ones; under the names that programs look for
  require "$libs/lib$name.so"
  cp -L "$libs/lib$name.so" "$work/carried/lib/$(objdump -p "$libs/lib$name.so" | sed -n 's/ *SONAME *//p')"
done
for file in core core.hpp imgproc imgproc.hpp opencv_modules.hpp; do headers "/usr/include/opencv4/opencv2/$file" opencv4/opencv2; done
headers /usr/include/hdf5/serial hdf5
headers /usr/include/openssl .
for file in configuration.h opensslconf.h; do
  [ ! -e "/usr/include/$(basename "$libs")/openssl/$file" ] || cp "/usr/include/$(basename "$libs")/openssl/$file" "$work/carried/include/openssl/"
done
for file in zlib.h turbojpeg.h gif_lib.h nlohmann CLI gtest gmock benchmark; do headers "/usr/include/$file" .; done
if [ -e /usr/include/zconf.h ]; then headers /usr/include/zconf.h .; else headers "/usr/include/$(basename "$libs")/zconf.h" .; fi
cp "$here/absent.c" "$work/carried/"
# What --version tells.
opencv=$(sed -n 's/.*define CV_VERSION_\(MAJOR\|MINOR\|REVISION\) *\([0-9]*\).*/\2/p' /usr/include/opencv4/opencv2/core/version.hpp | paste -sd.)
hdf5=$(sed -n 's/.*define H5_VERSION "\(.*\)".*/\1/p' /usr/include/hdf5/serial/H5pubconf.h)
printf 'set(OpenCV_VERSION "%s")\nset(HDF5_VERSION "%s")\n' "$opencv" "$hdf5" > "$work/carried/versions.cmake"
strip --strip-debug "$work/carried/lib/"*
mkdir -p "$(dirname "$out")"
tar -C "$work" -czf "$out.tmp" carried
mv "$out.tmp" "$out"
echo "$out: $(du -m "$out" | cut -f1) MB"
