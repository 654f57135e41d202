#!/usr/bin/env python3
"""Stand-ins for libraries that our libraries link and never come to use.

    stand_ins.py FOLDER     writes them there, to be found before the real ones (LD_LIBRARY_PATH) by auditwheel

Debian's OpenCV reads maps by GDAL and medical pictures by GDCM, its HDF5 reads from Amazon's S3 by curl, its libarchive
reads .xar by libxml2: none of which AuForge lets happen (datasets/image_codec.cc and tar_reader.cc look at the first bytes).
They and what they bring are 90 libraries and 150 MB. A stand-in has the symbols that are asked of it, each a function
that does nothing and returns 0: no handle, no success.
"""

import collections
import pathlib
import re
import subprocess
import sys

# Who asks, and whom for.
ASKED = {
    "libopencv_imgcodecs.so": ("libgdal.so", "libgdcmMSFF.so", "libgdcmDSED.so"),
    "libhdf5_serial.so": ("libcurl.so",),
    "libarchive.so": ("libxml2.so",),
    "libopencv_core.so": ("libGLX.so",),
}


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def needed(path):
    """{soname prefix: soname}"""
    names = re.findall(r"NEEDED\s+(\S+)", run("objdump", "-p", path))
    return {name.split(".so")[0] + ".so": name for name in names}


def symbols(path, defined):
    """{(name, version)}; version "" where there is none. Undefined ones, or defined ones with their kind."""
    found = set()
    for line in run("objdump", "-T", path).splitlines():
        match = re.match(r"[0-9a-f]+ (.{7}) (\S+)\s+([0-9a-f]+)\s+(?:\(?([\w.]+)\)?\s+)?(?:\.hidden )?(\S+)$", line)
        if not match or (match[2] == "*UND*") == defined:
            continue
        version = match[4] or ""
        found.add((match[5], "" if version == "Base" else version, match[1].strip()[-1:] if defined else "", int(match[3], 16)))
    return found


def find(soname):
    for line in run("ldconfig", "-p").splitlines():
        if line.split() and line.split()[0] == soname and "x86-64" in line:
            return line.split("=> ")[1]
    raise SystemExit(f"stand_ins: {soname} is not here; what links it is")


def write(folder, soname, wanted):
    """wanted: {(name, version): (kind, size)}"""
    assembly = ["    .text"]
    versions = collections.defaultdict(list)
    for (name, version), (kind, size) in sorted(wanted.items()):
        versions[version].append(name)
        assembly.append(f"    .globl {name}")
        if kind == "O":  # data: a table of functions, say
            assembly += [f"    .type {name}, @object", f"    .size {name}, {size}", "    .bss", "    .balign 16", f"{name}:", f"    .zero {size}", "    .text"]
        else:
            assembly += [f"    .type {name}, @function", f"{name}:", "    xorl %eax, %eax", "    ret"]
    assembly.append('    .section .note.GNU-stack,"",@progbits')
    source = folder / (soname + ".s")
    script = folder / (soname + ".map")
    source.write_text("\n".join(assembly) + "\n")
    command = ["cc", "-shared", "-nostdlib", "-o", str(folder / soname), f"-Wl,-soname,{soname}", str(source)]
    named = [version for version in versions if version]
    if named:
        script.write_text("".join(f"{version} {{ global: {'; '.join(versions[version])}; }};\n" for version in named))
        command.append(f"-Wl,--version-script={script}")
    subprocess.run(command, check=True)
    source.unlink()
    script.unlink(missing_ok=True)
    print(f"{soname}: {len(wanted)} symbols", file=sys.stderr)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for asking, libraries in ASKED.items():
        path = next(
            (line.split("=> ")[1] for line in run("ldconfig", "-p").splitlines() if line.split() and line.split()[0].startswith(asking) and "x86-64" in line),
            None,
        )
        if path is None:
            raise SystemExit(f"stand_ins: {asking} is not here")
        asked = {(name, version) for name, version, _, _ in symbols(path, False)}
        names = needed(path)
        for library in libraries:
            if library not in names:
                continue  # this build of the library does without
            soname = names[library]
            there = {name: (version, kind, size) for name, version, kind, size in symbols(find(soname), True)}
            wanted = {}
            for name, version in asked:
                if name in there and (not version or version == there[name][0]):
                    _, kind, size = there[name]
                    wanted[name, version] = (kind, size)
            write(folder, soname, wanted)


if __name__ == "__main__":
    main()
