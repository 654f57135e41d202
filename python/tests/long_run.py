#!/usr/bin/env python3
"""Memory of many calls, and speed beside the command line's; by hand.

    long_run.py memory [--calls 100000] [--faces 2000]     resident memory, which must stay where it is
    long_run.py speed TAR… [--pairs 5]                     images/s of auforge annotate and of Python, in turn
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

import auforge
import auforge._load
import conftest


def resident_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20


def memory(arguments):
    annotator = auforge.Annotator()
    pixels = numpy.asarray(auforge._load.core().decode_rgb((conftest.SOURCE / "docs/images/cg-people.jpg").read_bytes()))
    x, y, w, h = annotator.annotate(pixels)[0].box.astype(int)
    portrait = numpy.ascontiguousarray(pixels[max(0, y - h // 3) : y + 4 * h // 3, max(0, x - w // 3) : x + 4 * w // 3])
    assert len(annotator.annotate(portrait)) == 1
    for name, image, calls in (
        ("no face", numpy.full((32, 32, 3), 128, numpy.uint8), arguments.calls),
        ("a face", portrait, arguments.faces),
    ):
        for i in range(calls + 1):
            if i % max(1, calls // 10) == 0:
                print(f"{name}: {i:8} calls, {resident_mb():7.1f} MB resident", flush=True)
            annotator.annotate(image)


def processor_seconds(who):
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def by_program(tars, folder):
    begin = processor_seconds(resource.RUSAGE_CHILDREN)
    output = subprocess.run(
        [conftest.program("auforge"), "annotate", *tars, "-o", folder, "-q", "--json"], check=True, capture_output=True, text=True
    ).stdout
    summary = json.loads(output)
    return summary["images"], summary["faces"], summary["seconds"], processor_seconds(resource.RUSAGE_CHILDREN) - begin


def by_python(tars):
    """In a process of its own, as the program is; models are loaded in the time that is measured, as the program does."""
    code = (
        "import sys, time, json; import auforge, numpy; begin = time.monotonic(); annotator = auforge.Annotator()\n"
        "images = faces = 0\n"
        "for result in annotator.annotate(auforge.read_images(sys.argv[1:])): images += 1; faces += len(result)\n"
        "print(json.dumps([images, faces, time.monotonic() - begin]))"
    )
    begin = processor_seconds(resource.RUSAGE_CHILDREN)
    output = subprocess.run([sys.executable, "-c", code, *tars], check=True, capture_output=True, text=True).stdout
    return (*json.loads(output), processor_seconds(resource.RUSAGE_CHILDREN) - begin)


def speed(arguments):
    ratios, costs = [], []
    for pair in range(arguments.pairs):
        with tempfile.TemporaryDirectory() as folder:
            turns = {}
            for who in ("program", "python") if pair % 2 == 0 else ("python", "program"):
                turns[who] = by_program(arguments.tars, os.path.join(folder, "out")) if who == "program" else by_python(arguments.tars)
        (images, faces, seconds, cost), (images_py, faces_py, seconds_py, cost_py) = turns["program"], turns["python"]
        assert (images, faces) == (images_py, faces_py)
        ratios.append(seconds / seconds_py)
        costs.append(cost / cost_py)
        print(
            f"program {images / seconds:7.1f} images/s, {1000 * cost / images:6.2f} ms of processor each; python"
            f" {images / seconds_py:7.1f}, {1000 * cost_py / images:6.2f}; ratio {ratios[-1]:.3f}, of processor time {costs[-1]:.3f}",
            flush=True,
        )
    print(f"python by program, median of {len(ratios)} pairs: {statistics.median(ratios):.3f}; of processor time {statistics.median(costs):.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("memory")
    command.add_argument("--calls", type=int, default=100_000)
    command.add_argument("--faces", type=int, default=2_000)
    command.set_defaults(run=memory)
    command = commands.add_parser("speed")
    command.add_argument("tars", nargs="+")
    command.add_argument("--pairs", type=int, default=5)
    command.set_defaults(run=speed)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
