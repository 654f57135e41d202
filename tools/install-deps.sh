#!/usr/bin/env bash
# Installs what AuForge builds, runs and tests with: packages of Debian 12, nothing else.
#   tools/install-deps.sh            everything that is missing
#   tools/install-deps.sh --no-tests what building and running need, without what only tests and examples use (a browser, …)
#   tools/install-deps.sh --fuzz     everything, and clang for the fuzz targets
#   tools/install-deps.sh --scale    everything, and Slurm, its munge and OpenMPI for the tests of several nodes (ctest -L scale)
#   tools/install-deps.sh --list     only print the package names; after the others, e.g. --no-tests --list
set -euo pipefail

packages=(
  # compilers and build
  build-essential cmake ninja-build pkg-config ccache mold git ca-certificates
  # libraries of the annotator and the shards
  libdlib-dev libopencv-dev libsvm-dev libtbb-dev libhdf5-dev libarchive-dev libturbojpeg0-dev
  libcli11-dev nlohmann-json3-dev libeigen3-dev libopenblas0 libopenblas-dev libssl-dev libsqlite3-dev libgif-dev zlib1g-dev
  # GANimation
  libtorch-dev libgloo-dev
  # auforge serve, auforge keywords
  libcpp-httplib-dev wordnet-base
  # the test programs are configured with the others
  libgtest-dev libgmock-dev libbenchmark-dev
)
test_packages=(
  libdlib-data  # landmarks are compared with dlib's
  hdf5-tools python3 python3-h5py python3-numpy python3-yaml xz-utils
  # examples and the browser tests
  python3-torch python3-pil octave chromium chromium-driver python3-selenium
)
case "${1:-}" in
  --no-tests) shift ;;
  --fuzz) shift; packages+=("${test_packages[@]}" clang) ;;
  --scale) shift; packages+=("${test_packages[@]}" slurm-wlm munge openmpi-bin) ;;
  *) packages+=("${test_packages[@]}") ;;
esac

if [[ "${1:-}" == --list ]]; then printf '%s\n' "${packages[@]}"; exit 0; fi
if [[ "${1:-}" == -h || "${1:-}" == --help ]]; then sed -n '2,7p' "$0" | sed 's/^# \{0,1\}//'; exit 0; fi

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "install-deps: this system has no apt; AuForge is built with Debian 12's packages. On another system" >&2
  echo "install-deps: install the equivalents of: $(IFS=' '; echo "${packages[*]}")" >&2
  exit 2
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
  [[ "$status" == "install ok installed" ]] || missing+=("$package")
done
if (( ${#missing[@]} == 0 )); then echo "install-deps: all ${#packages[@]} packages are there"; exit 0; fi

as_root=()
if (( EUID != 0 )); then
  if ! command -v sudo >/dev/null; then
    echo "install-deps: not root and no sudo. Ask an administrator to run:" >&2
    echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 2
  fi
  as_root=(sudo)
fi
echo "install-deps: installing ${#missing[@]} packages: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
if ! DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; then
  echo "install-deps: apt could not install them; see its message above (Debian 12 \"bookworm\" has all of them)" >&2
  exit 1
fi
echo "install-deps: done"
