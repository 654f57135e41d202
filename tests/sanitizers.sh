#!/usr/bin/env bash
# The tests under sanitizers:
#   tests/sanitizers.sh asan [ctest's arguments]   address and undefined behaviour: every test but the GAN's (no LibTorch
#                                                  in this build); slow and scale ones too unless -LE 'slow|scale' is given
#   tests/sanitizers.sh tsan [gtest's arguments]   threads: the concurrent pieces on std::jthread (through Debian's TBB the
#                                                  thread sanitizer reports races that are none)
# A build of its own each, in build/asan and build/tsan.
set -euo pipefail
self=$(realpath -- "$0")
cd "$(dirname "$0")/.."
case "${1:-}" in
  asan)
    shift
    tools/build.sh asan
    # Leaks are not looked for: HDF5 and OpenCV keep what they once made, and programs that tests kill cannot free anything.
    export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:${ASAN_OPTIONS:-}
    export UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS:-}
    ;;
  tsan)
    shift
    tools/build.sh tsan concurrency_test
    tools/fetch-example-photos.sh build/photos
    AUFORGE_PHOTOS=${AUFORGE_PHOTOS:-$PWD/build/photos} exec build/tsan/tests/bin/concurrency_test "$@"
    ;;
  *)
    sed -n '2,8p' "$self" | sed 's/^# \{0,1\}//'
    exit 2
    ;;
esac
tools/fetch-example-photos.sh build/photos
export AUFORGE_PHOTOS=${AUFORGE_PHOTOS:-$PWD/build/photos}
# Everything takes some five times as long.
ctest --test-dir build/asan --output-on-failure --timeout 3600 "$@"
