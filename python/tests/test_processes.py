"""Threads, forks, spawned workers, Ctrl-C, memory."""

import concurrent.futures
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy
import pytest

import auforge


def summary(result):
    return [(face.au_intensity.tobytes(), face.crop_jpeg) for face in result]


def test_many_threads_share_an_annotator(annotator, people):
    expected = summary(annotator.annotate(people))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for got in pool.map(lambda _: summary(annotator.annotate(people)), range(16)):
            assert got == expected
        for got in pool.map(lambda _: [summary(r) for r in annotator.annotate([people] * 3)], range(4)):
            assert got == [expected] * 3


def test_the_gil_is_released(annotator, people):
    """Python goes on while a picture is labelled."""
    counted = 0
    done = threading.Event()

    def count():
        nonlocal counted
        while not done.is_set():
            counted += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    for _ in annotator.annotate([numpy.tile(people, (2, 2, 1))] * 4):
        pass
    done.set()
    thread.join()
    assert counted > 20


def in_child(work):
    """Runs work in a fork of this process; what it raises or how it ends is ours."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.alarm(120)  # a child that hangs is a failure, not a test that hangs
            work()
            code = 0
        except BaseException as error:
            sys.stderr.write(f"child: {error!r}\n")
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    assert status == 0


def test_a_fork_annotates(annotator, people):
    expected = summary(annotator.annotate(people))  # threads are there

    def work():
        assert summary(annotator.annotate(people)) == expected
        assert [summary(r) for r in annotator.annotate([people] * 3)] == [expected] * 3

    in_child(work)
    assert summary(annotator.annotate(people)) == expected
    in_child(lambda: in_child(work))


def test_a_fork_while_others_annotate(annotator, people, blank):
    expected = summary(annotator.annotate(people))
    stop = threading.Event()

    def annotate():
        while not stop.is_set():
            annotator.annotate(blank)

    threads = [threading.Thread(target=annotate) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            in_child(lambda: annotator.annotate(blank))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert summary(annotator.annotate(people)) == expected


def test_an_iterator_that_was_begun_stays_with_its_process(annotator, blank):
    results = annotator.annotate([blank] * 500)
    next(results)

    def work():
        # What was labelled before the fork may still be had; then it is said, not waited for.
        with pytest.raises(auforge.Error, match="another process"):
            for _ in results:
                pass

    in_child(work)
    assert sum(1 for _ in results) == 499


def annotate_in_worker(path):
    global _annotator
    try:
        _annotator
    except NameError:
        _annotator = auforge.Annotator(jobs=1)
    return _annotator.annotate(path)


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_workers_annotate(annotator, people_jpg, method):
    expected = summary(annotator.annotate(people_jpg))
    with multiprocessing.get_context(method).Pool(2) as pool:
        for result in pool.map(annotate_in_worker, [str(people_jpg)] * 4):
            assert summary(result) == expected


def test_workers_inherit_an_annotator(annotator, people):
    expected = summary(annotator.annotate(people))
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for result in pool.map(annotator.annotate, [people] * 4):
            assert summary(result) == expected


@pytest.mark.parametrize(
    "work",
    [
        "for _ in annotator.annotate(forever()): pass",
        "while True: annotator.annotate(picture)",
        "annotator.annotate(large)",
    ],
)
def test_ctrl_c_stops_within_a_second(people_jpg, work):
    code = textwrap.dedent(f"""
        import sys, numpy, auforge
        from auforge._load import core
        annotator = auforge.Annotator()
        picture = numpy.array(core().decode_rgb(open({str(people_jpg)!r}, "rb").read()))
        large = numpy.tile(picture, (6, 6, 1))
        def forever():
            while True: yield picture
        annotator.annotate(picture)
        try:
            print("ready", flush=True)
            {work}
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        sys.exit(7)
    """)
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "ready\n"
    begin = time.monotonic()
    child.send_signal(signal.SIGINT)
    assert child.stdout.readline() == "interrupted\n"
    assert time.monotonic() - begin < 1
    assert child.wait(timeout=60) == 7


def resident_kb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024


@pytest.mark.parametrize("calls, picture", [(3000, "blank"), (60, "portrait")])
def test_memory_does_not_grow(annotator, request, calls, picture):
    image = request.getfixturevalue(picture)
    for _ in range(calls // 3):
        annotator.annotate(image)
    before = resident_kb()
    for _ in range(calls):
        annotator.annotate(image)
    for result in annotator.annotate(image for _ in range(calls)):
        pass
    assert resident_kb() - before < 4096
