#!/usr/bin/env bash
# The archive that runs on any x86-64 Linux without root and without packages: programs, models, and every library that
# they link, the C library and its loader included, so that no version of glibc is needed.
#   packaging/portable.sh [BUILD [OUT]]     default: build/release, and that folder; prints the archive's path
set -euo pipefail
if [[ "${1:-}" == -h || "${1:-}" == --help ]]; then sed -n '2,5p' "$0" | sed 's/^# \{0,1\}//'; exit 0; fi
build=${1:+$(realpath -ms -- "$1")} out=${2:+$(realpath -ms -- "$2")}
cd "$(dirname "$0")/.."
build=${build:-build/release}
out=${out:-$build}
version=$(sed -n 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$build/CMakeCache.txt")
name=auforge-$version-linux-x86_64
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/$name

cmake --install "$build" --prefix "$tree" --strip >/dev/null
rm -rf "$tree/share/lintian" "$tree/share/doc/auforge-gan"
mkdir -p "$tree/libexec/auforge" "$tree/lib" "$tree/share/doc/auforge/libraries"
programs=()
for program in "$tree"/bin/*; do
  programs+=("$(basename "$program")")
  mv "$program" "$tree/libexec/auforge/"
  cp packaging/launcher.sh "$program"
done

# Libraries under the names that the loader asks for, and the terms of each package that they come from.
declare -A seen
files=()
for program in "${programs[@]}"; do
  while read -r library path; do
    [[ -n "${seen[$library]:-}" ]] && continue
    seen[$library]=1
    cp -L "$path" "$tree/lib/$library"
    file=$(realpath "$path")
    files+=("$file" "${file#/usr}")  # /lib is a link to /usr/lib, and a package knows one of the two names
  done < <(ldd "$tree/libexec/auforge/$program" | awk '$2 == "=>" && $3 ~ "^/" {print $1, $3}')
done
cp -L /lib64/ld-linux-x86-64.so.2 "$tree/lib/"
: >"$tree/share/doc/auforge/libraries/VERSIONS"
for package in libc6 $( (dpkg-query -S "${files[@]}" 2>/dev/null || true) | sed 's/:.*//' | sort -u); do
  dpkg-query -W -f '${Package} ${Version} (source ${source:Package} ${source:Version})\n' "$package" \
    >>"$tree/share/doc/auforge/libraries/VERSIONS" 2>/dev/null || true
  if [[ -r /usr/share/doc/$package/copyright ]]; then
    cp -L "/usr/share/doc/$package/copyright" "$tree/share/doc/auforge/libraries/$package"
  fi
done
chmod -R u+w,go+rX "$tree"
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@${SOURCE_DATE_EPOCH:-$(date +%s)}" -C "$work" -c "$name" |
  gzip -n >"$work/$name.tar.gz"
mv "$work/$name.tar.gz" "$out/"
echo "$out/$name.tar.gz"
