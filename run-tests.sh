#!/usr/bin/env bash
# Installs what is missing, builds everything and runs the tests.
#   ./run-tests.sh                 unit and data tests (data tests skip where AUFORGE_DATA has no data)
#   ./run-tests.sh --all           slow and scale tests too
#   ./run-tests.sh -R Shard        any further arguments go to ctest
set -euo pipefail
if [[ "${1:-}" == -h || "${1:-}" == --help ]]; then sed -n '2,5p' "$0" | sed 's/^# \{0,1\}//'; exit 0; fi
cd "$(dirname "$0")"
start=$SECONDS
# Neither takes what is made outside this tree: clients need the Python registry, packages root and a Debian mirror.
exclude=(-LE 'slow|scale|clients|packages')
if [[ "${1:-}" == --all ]]; then exclude=(-LE 'clients|packages'); shift; fi

echo "== 1/4 packages"
tools/install-deps.sh
echo "== 2/4 build (release preset; the first time takes minutes, ccache makes the next short)"
built=$SECONDS
tools/build.sh release
echo "   built in $(( SECONDS - built )) s"
echo "== 3/4 photos for the tests"
tools/fetch-example-photos.sh build/photos
export AUFORGE_PHOTOS=$PWD/build/photos
echo "== 4/4 tests"
status=0
ctest --test-dir build/release --output-on-failure -j "$(nproc)" "${exclude[@]}" "$@" || status=$?
echo
if (( status == 0 )); then
  echo "All tests passed in $(( SECONDS - start )) s, set-up included. Details: build/release/Testing/Temporary/LastTest.log"
else
  echo "Tests failed; see above and build/release/Testing/Temporary/LastTest.log" >&2
fi
exit "$status"
