#!/usr/bin/env python3
"""A long run simulated: a folder's tars repeated until there are IMAGES, annotated by one process that is watched.

    steady_run.py AUFORGE TARS_FOLDER IMAGES [--distinct] [--every SECONDS] [-- annotate's options]

Prints, at most every SECONDS (60) and in the end: images, wall time, processor time per 1,000 images, resident memory, open
files, threads, entries and MB of the output folder, load of the machine. Then what a million images would take. Fails when
memory or open files grow, or when the processor time of an image rises by more than a sixth.

Without --distinct each tar is linked as often as is needed: many small shards, but few different images. With it, tars of
about 2,000 images are made whose JPEGs all differ by a number behind their end, so that the set of SHA-256 grows as it does
in a crawl; they are compressed (by the tool zstd; a million images of 50 KB take 3 GB under TMPDIR instead of 50).
On SIGTERM and SIGINT the run is told to end, and what was seen so far is summed up.
"""
import argparse
import glob
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
IMAGES_A_TAR = 2000  # with --distinct


def link_tars(tars, folder, images):
    """Returns the number of images of each tar."""
    held = []
    for path in tars:
        with tarfile.open(path) as tar:
            held.append(sum(member.name.endswith(".jpg") for member in tar))
    counts = []
    while sum(counts) < images:
        k = len(counts) % len(tars)
        os.symlink(os.path.abspath(tars[k]), "%s/%05d.tar" % (folder, len(counts)))
        counts.append(held[k])
    return counts


def make_distinct_tar(members, path, first, passes):
    """The members again and again; behind each JPEG's end stands a number that no other has. Returns their count."""
    number = first
    with open(path, "wb") as out:
        # What repeats lies megabytes apart: --long finds it.
        packer = subprocess.Popen(["zstd", "-q", "-1", "--long=23"], stdin=subprocess.PIPE, stdout=out)
        for again in range(passes):
            for name, content in members:
                if name.endswith(".jpg"):
                    content += b"%012d" % number
                    number += 1
                info = tarfile.TarInfo("%04d%s" % (again, name))
                info.size = len(content)
                packer.stdin.write(info.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512))
        packer.stdin.write(bytes(1024))
        packer.stdin.close()
        if packer.wait() != 0:
            sys.exit("steady_run: zstd could not write " + path)
    return number - first


def make_distinct_tars(tars, folder, images):
    sources = []
    for path in tars:
        with tarfile.open(path) as tar:
            sources.append([(m.name, tar.extractfile(m).read()) for m in tar if m.isfile()])
    counts = []
    while sum(counts) < images:
        members = sources[len(counts) % len(sources)]
        held = sum(name.endswith(".jpg") for name, _ in members)
        path = "%s/%05d.tar.zst" % (folder, len(counts))
        counts.append(make_distinct_tar(members, path, sum(counts), max(1, IMAGES_A_TAR // held)))
    return counts


class Sample:
    """What can be seen of a process and its output folder from outside."""

    def __init__(self, pid, output, images_before):
        # Behind the name, which may hold anything.
        stat = open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()
        self.cpu = (int(stat[11]) + int(stat[12])) / TICKS
        self.threads = int(stat[17])
        self.memory = int(open("/proc/%d/statm" % pid).read().split()[1]) * PAGE / 1e6
        self.files = len(os.listdir("/proc/%d/fd" % pid))
        self.entries = self.bytes = shards = 0
        for entry in os.scandir(output):
            self.entries += 1
            self.bytes += entry.stat().st_size
            shards += entry.name.endswith("_stats.json")
        self.images = images_before[shards]
        self.wall = time.monotonic()


def per_thousand(begin, end):
    return 1000 * (end.cpu - begin.cpu) / max(1, end.images - begin.images)


def print_sample(start, last, now):
    print("%9d %9.0f %12.3f %9.1f %6d %8d %9d %9.0f %6.1f" % (
        now.images, now.wall - start, per_thousand(last, now), now.memory, now.files, now.threads, now.entries,
        now.bytes / 1e6, os.getloadavg()[0]), flush=True)


def watch(process, output, images_before, every):
    """Returns the samples, each with more images than the one before it."""
    print("%9s %9s %12s %9s %6s %8s %9s %9s %6s" % ("images", "wall s", "CPU s/1000", "RSS MB", "files", "threads", "entries",
                                                  "out MB", "load"))
    start = time.monotonic()
    samples = []
    while process.poll() is None:
        try:
            now = Sample(process.pid, output, images_before)
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            break
        if now.images > (samples[-1].images if samples else 0):
            if samples:
                print_sample(start, samples[-1], now)
            samples.append(now)
        try:
            process.wait(every)
        except subprocess.TimeoutExpired:
            pass
    return samples


def conclude(samples):
    """Prints the sum; returns whether the run was steady."""
    if len(samples) < 5:
        print("too short to say anything: %d samples" % len(samples))
        return False
    fifth = len(samples) // 5
    early = per_thousand(samples[0], samples[fifth])
    late = per_thousand(samples[-1 - fifth], samples[-1])
    whole = per_thousand(samples[0], samples[-1])
    # Least squares over the second half: what start-up and the first shard take does not grow.
    half = samples[len(samples) // 2:]
    mean_x = sum(s.images for s in half) / len(half)
    mean_y = sum(s.memory for s in half) / len(half)
    spread = sum((s.images - mean_x) ** 2 for s in half)
    slope = sum((s.images - mean_x) * (s.memory - mean_y) for s in half) / spread if spread else 0
    least, most = min(s.memory for s in half), max(s.memory for s in half)
    print("%d images; processor time per 1,000: first fifth %.3f s, last fifth %.3f s, all %.3f s (%.0f images a CPU second)"
          % (samples[-1].images, early, late, whole, 1000 / whole))
    print("memory over the second half: %.0f to %.0f MB, trend %+.1f MB per million images; open files %d to %d" %
          (least, most, 1e6 * slope, min(s.files for s in half), max(s.files for s in half)))
    print("a million images: %.0f s of processor time, %.2f h on two cores that are really there" %
          (1000 * whole, 1000 * whole / 2 / 3600))
    return late < early * 7 / 6 and half[-1].memory < half[0].memory + 60 and half[-1].files <= samples[0].files + 8


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("auforge")
    parser.add_argument("tars")
    parser.add_argument("images", type=int)
    parser.add_argument("--distinct", action="store_true")
    parser.add_argument("--every", type=float, default=60, metavar="SECONDS")
    own, _, options = "\n".join(sys.argv[1:]).partition("\n--\n")
    arguments = parser.parse_args(own.split("\n"))
    options = options.split("\n") if options else []
    tars = sorted(glob.glob(glob.escape(arguments.tars) + "/*.tar"))
    if not tars:
        parser.error("no tar in " + arguments.tars)
    folder = tempfile.mkdtemp(prefix="auforge-steady.")
    process = None

    def stop(*_):
        if process is None:
            sys.exit(143)
        process.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    try:
        os.mkdir(folder + "/in")
        os.mkdir(folder + "/out")
        make = make_distinct_tars if arguments.distinct else link_tars
        counts = make(tars, folder + "/in", arguments.images)
        print("%d images in %d tars" % (sum(counts), len(counts)), flush=True)
        with open(folder + "/summary", "w+") as summary:
            process = subprocess.Popen([arguments.auforge, "annotate", folder + "/in", "-o", folder + "/out", "-q", "--json"] +
                                       options, stdout=summary)
            images_before = [0] + list(itertools.accumulate(counts))
            samples = watch(process, folder + "/out", images_before, arguments.every)
            code = process.wait()
            summary.seek(0)
            print(summary.read().strip())
        steady = conclude(samples)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if code not in (0, 143):
        sys.exit("steady_run: auforge ended with status %d" % code)
    sys.exit(0 if steady else 1)


if __name__ == "__main__":
    main()
