#!/usr/bin/env bash
# Builds the wheel, installs it into a fresh environment and runs the tests against it, outside the source tree.
#   python/tests/run.sh WORK [PYTEST ARGUMENTS…]      WORK: a folder for environment and wheel, kept for the next time
# Exit status 77 (skipped, for ctest) where the package registry cannot be reached.
# AUFORGE_PYTHON_PATH=build/release/python: that build instead of a wheel.
set -euo pipefail
if [[ "${1:-}" == -h || "${1:-}" == --help || $# -lt 1 ]]; then sed -n '2,5p' "$0" | sed 's/^# \{0,1\}//'; exit 0; fi
work=$(mkdir -p "$1" && cd "$1" && pwd)
shift
source=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-/usr/bin/python3}

skip() { echo "skipped: $1" >&2; exit 77; }
"$python" -c 'import ensurepip' 2>/dev/null || skip "$python makes no environments; install python3-venv"
if [[ -z ${AUFORGE_PYTHON_PATH:-} && ! -e $("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h ]]; then
  skip "Python's headers are not there; install python3-dev"
fi
# Debian's torch, where it is installed, is seen through, and wants numpy 1; the registry's would be gigabytes.
if [[ ! -x $work/venv/bin/pytest ]]; then
  "$python" -m venv --system-site-packages "$work/venv"
  if ! "$work/venv/bin/pip" install -q --disable-pip-version-check --retries 1 --timeout 15 \
      pytest 'numpy<2' 'pandas<3' h5py pillow nbclient nbformat ipykernel matplotlib mypy 2>"$work/pip.log"; then
    tail -3 "$work/pip.log" >&2
    skip "the package registry cannot be reached, and the tests need pytest, pandas, h5py, nbclient, matplotlib"
  fi
fi
if [[ -n ${AUFORGE_PYTHON_PATH:-} ]]; then
  export PYTHONPATH=$(cd "$AUFORGE_PYTHON_PATH" && pwd)
else
  "$source/python/packaging/build_wheel.sh" "$work/wheel" "$python"
  begin=$SECONDS
  "$work/venv/bin/pip" install -q --disable-pip-version-check --force-reinstall --no-deps "$work"/wheel/auforge-*.whl
  (cd "$work" && venv/bin/python -c 'import sys, auforge; print(auforge.Annotator().annotate(sys.argv[1]))' \
    "$source/docs/images/cg-people.jpg")
  echo "the wheel is installed and has labelled its first picture after $(( SECONDS - begin )) s"
fi
cd "$work"
exec venv/bin/python -m pytest "$source/python/tests" -p no:cacheprovider "$@"
