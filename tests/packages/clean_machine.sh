#!/usr/bin/env bash
# Packages on machines that have nothing: fresh chroots of Debian, without a compiler.
#   clean_machine.sh deb|tar|tar-old|lintian BUILD [PACKAGES]     PACKAGES: where the files are; default: BUILD
# deb: from the files to the first labels with apt.  tar: unpacked as nobody, on Debian 12;
# tar-old: on Debian 11, whose glibc is 2.31.  Needs root and debootstrap (exit 77 without; AUFORGE_MIRROR: a mirror of
# Debian). AUFORGE_CHROOTS names a folder that keeps the fresh systems.
set -euo pipefail
if [[ "${1:-}" == -h || "${1:-}" == --help || $# -lt 2 ]]; then sed -n '2,7p' "$0" | sed 's/^# \{0,1\}//'; exit 0; fi
what=$1
build=$(cd "$2" && pwd)
files=$(cd "${3:-$2}" && pwd)
source=$(cd "$(dirname "$0")/../.." && pwd)
skip() { echo "skipped: $1"; exit 77; }

if [[ $what == lintian ]]; then
  command -v lintian >/dev/null || skip "lintian is not installed"
  compgen -G "$files/auforge_*.deb" >/dev/null || skip "there is no package; run cpack in the build folder"
  exec lintian --fail-on error,warning --suppress-tags-from-file /dev/null "$files"/auforge*.deb
fi
(( EUID == 0 )) || skip "chroots are root's"
command -v debootstrap >/dev/null || skip "debootstrap is not installed"
case $what in
  deb) compgen -G "$files/auforge_*.deb" >/dev/null || skip "there is no package; run cpack in the build folder" ;;
  tar*) compgen -G "$files/auforge-*.tar.gz" >/dev/null || skip "there is no archive; run packaging/portable.sh" ;;
esac
suite=bookworm
[[ $what == tar-old ]] && suite=bullseye
mirror=${AUFORGE_MIRROR:-$(sed -n 's/^URIs: *//p; s/^deb \([^ ]*\) .*/\1/p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -m1 debian || true)}
kept=${AUFORGE_CHROOTS:-$(mktemp -d)}
fresh=$kept/$suite
if [[ ! -x $fresh/bin/sh ]]; then
  debootstrap --variant=minbase "$suite" "$fresh" "$mirror" >"$kept/$suite.log" 2>&1 || { tail -3 "$kept/$suite.log"; skip "the mirror cannot be reached"; }
fi
root=$(mktemp -d)
cp -a "$fresh/." "$root"
cleanup() {
  umount "$root/proc" 2>/dev/null || true
  rm -rf --one-file-system "$root"
  [[ -n ${AUFORGE_CHROOTS:-} ]] || rm -rf --one-file-system "$kept"
}
trap cleanup EXIT
mount -t proc proc "$root/proc"
cp /etc/resolv.conf "$root/etc/" 2>/dev/null || true
in_chroot() { env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"; }
if in_chroot sh -c 'command -v cc gcc g++ clang'; then echo "the fresh system has a compiler" >&2; exit 1; fi
echo "$what: $(in_chroot cat /etc/debian_version), glibc $(in_chroot ldd --version 2>/dev/null | head -1 | grep -o '[0-9.]*$' || true)"

mkdir -p "$root/data/photos"
photos=${AUFORGE_PHOTOS:-/usr/share/doc/libdlib19.1/examples/faces}
cp "$photos"/*.jpg "$root/data/photos/"
processor() { awk '{print int(($16 + $17) / '"$(getconf CLK_TCK)"')}' /proc/$$/stat; }  # seconds of what has ended
begin=$SECONDS begun=$(processor)
case $what in
  deb)
    cp "$files"/auforge_*.deb "$root/data/"
    in_chroot sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends /data/auforge_*.deb >/dev/null'
    run=auforge
    ;;
  *)
    cp "$files"/auforge-*.tar.gz "$root/data/"
    chmod 777 "$root/data"
    in_chroot setpriv --reuid 65534 --regid 65534 --clear-groups tar -C /data -xzf /data/"$(basename "$files"/auforge-*.tar.gz)"
    mv "$root"/data/auforge-*/ "$root/data/moved elsewhere"
    ln -s "/data/moved elsewhere/bin/auforge" "$root/usr/local/bin/auforge"
    run="setpriv --reuid 65534 --regid 65534 --clear-groups auforge"
    ;;
esac
in_chroot $run --version
in_chroot $run annotate /data/photos -o /data/shards --min-face 40
in_chroot $run verify /data/shards
took=$(( SECONDS - begin )) worked=$(( $(processor) - begun ))
in_chroot $run report /data/shards -o /data/report.html
in_chroot $run query /data/shards --au 'AU12>=1' --count
if [[ $what == tar* ]] && compgen -G "$root/data/moved elsewhere/libexec/auforge/auforge-gan" >/dev/null; then
  in_chroot $run gan --version
  in_chroot $run gan edit /data/photos/2008_001322.jpg --au AU12=0.8 -o /data/edit.png
fi
echo "$what: first labels $took s after the download, $worked s of them on a processor"
# Others' work on this machine is not the package's fault.
(( took <= 120 || worked <= 60 )) || { echo "$what: more than two minutes" >&2; exit 1; }
