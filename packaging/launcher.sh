#!/bin/sh
# Starts the program of this name in ../libexec with the loader and the libraries of ../lib.
self=$0
while [ -L "$self" ]; do
  link=$(readlink "$self")
  case $link in
    /*) self=$link ;;
    *) self=${self%/*}/$link ;;
  esac
done
case $self in
  */*) ;;
  *) self=$(command -v -- "$self") ;;
esac
prefix=$(CDPATH= cd -- "${self%/*}/.." && pwd -P) || exit 1
exec "$prefix/lib/ld-linux-x86-64.so.2" --inhibit-cache --library-path "$prefix/lib" --argv0 "$0" \
  "$prefix/libexec/auforge/${self##*/}" "$@"
