#!/usr/bin/env python3
"""auforge annotate --watch and --stream, driven through real pipes, folders and signals.

  live_test.py AUFORGE [unittest's arguments]

Python 3 without packages. Nothing sleeps: every wait is for a line, an end of file or the end of a process. The faces are
the drawn ones of docs/images.
"""
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
AUFORGE = "auforge"
FACES = ROOT / "docs/images/cg-au12.jpg"
PEOPLE = ROOT / "docs/images/cg-people.jpg"
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith("SLURM_")}


def framed(data):
    return struct.pack(">Q", len(data)) + data


class Live(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="auforge-live-"))
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.processes = []
        self.addCleanup(self.kill)

    def kill(self):
        for process in self.processes:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe:
                    pipe.close()

    def start(self, *arguments, **more):
        process = subprocess.Popen([AUFORGE, "annotate", *map(str, arguments)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.dir, env=ENVIRONMENT, **more)
        self.processes.append(process)
        return process

    def photo(self, name, source=FACES, more=b""):
        """Bytes behind a JPEG's end make it another file with the same picture."""
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.read_bytes() + more)
        return path

    def end(self, process, code=0, text=""):
        out, err = process.communicate(text, timeout=120)
        self.assertEqual(process.returncode, code, err.decode())
        return out.decode(), err.decode()


class Stream(Live):
    def ask(self, requests, *arguments, code=0):
        out, err = self.end(self.start("--stream", "-", "-q", *arguments), code, requests)
        self.err = err
        return [json.loads(line) for line in out.splitlines()]

    def test_paths_are_answered_in_order_with_what_a_run_says(self):
        names = ["b.jpg", "a.jpg", "c.jpg", "a.jpg"]
        for name, source in (("a.jpg", FACES), ("b.jpg", PEOPLE), ("c.jpg", FACES)):
            self.photo(name, source)
        answers = self.ask("".join(n + "\n" for n in names).encode())
        self.assertEqual([a["key"] for a in answers], names)
        self.assertEqual([a["image"] for a in answers], [0, 1, 2, 3])
        self.assertEqual({a["status"] for a in answers}, {"ok"})
        # The same labels, digit by digit, as a run that writes shards.
        subprocess.run([AUFORGE, "annotate", "a.jpg", "b.jpg", "-o", "shards", "-q"], cwd=self.dir, check=True,
                       stdout=subprocess.DEVNULL, env=ENVIRONMENT)
        subprocess.run([AUFORGE, "export", "shards", "-q", "--format", "jsonl", "-o", "faces.jsonl"], cwd=self.dir,
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        rows = [json.loads(line) for line in (self.dir / "faces.jsonl").read_text().splitlines()]
        for key in ("a.jpg", "b.jpg"):
            wanted = [{k: v for k, v in r.items() if k not in ("shard", "face", "key", "url", "keywords", "licence", "robots", "image")}
                      for r in rows if r["key"] == key]
            self.assertGreater(len(wanted), 0)
            self.assertEqual([a for a in answers if a["key"] == key][0]["faces"], wanted)

    def test_an_answer_does_not_wait_for_the_next_request(self):
        self.photo("a.jpg")
        for jobs in ("1", "2", "5"):
            process = self.start("--stream", "-", "-q", "-j", jobs)
            for number in range(6):
                process.stdin.write(b"a.jpg\n" if number % 2 else framed(FACES.read_bytes()))
                process.stdin.flush()
                self.assertEqual(json.loads(process.stdout.readline())["image"], number)
            self.end(process)

    def test_bytes_may_come_one_by_one(self):
        self.photo("a.jpg")
        process = self.start("--stream", "-", "-q", bufsize=0)
        for piece in (b"a", b".", b"jpg", b"\n"):
            process.stdin.write(piece)
        self.assertEqual(json.loads(process.stdout.readline())["status"], "ok")
        data = framed(FACES.read_bytes())
        for begin, end in ((0, 3), (3, 8), (8, 9), (9, 5000), (5000, len(data))):
            process.stdin.write(data[begin:end])
        answer = json.loads(process.stdout.readline())
        self.assertEqual((answer["status"], answer["key"]), ("ok", "1"))
        self.end(process)

    def test_one_bad_image_is_one_line(self):
        self.photo("a.jpg")
        (self.dir / "text.jpg").write_text("no picture")
        (self.dir / "empty.jpg").write_bytes(b"")
        (self.dir / "folder.jpg").mkdir()
        os.mkfifo(self.dir / "fifo.jpg")
        (self.dir / "long.jpg").write_bytes(b"x" * 200_001)
        requests = (b"gone.jpg\ntext.jpg\r\nempty.jpg\n\nfolder.jpg\nfifo.jpg\nlong.jpg\n" + framed(b"") + framed(b"no picture") +
                    framed(b"y" * 200_001) + b"p" * 200_000 + b"\n\xff\xfe.jpg\na.jpg\n" + framed(FACES.read_bytes()) + b"a.jpg")
        answers = self.ask(requests, "--max-bytes", "200000")
        self.assertEqual([a["status"] for a in answers],
                         ["unreadable", "undecodable", "undecodable", "unreadable", "unreadable", "unreadable", "too_large",
                          "undecodable", "undecodable", "too_large", "unreadable", "unreadable", "ok", "ok", "ok"])
        self.assertTrue(all(a["message"] for a in answers if a["status"] != "ok"))
        self.assertEqual([a["image"] for a in answers], list(range(15)))

    def test_zero_bytes_end_paths_too(self):
        self.photo("a b.jpg")
        answers = self.ask(b"a b.jpg\0gone\0")
        self.assertEqual([a["status"] for a in answers], ["ok", "unreadable"])

    def test_an_input_that_ends_within_an_image_is_bad_data(self):
        answers = self.ask(framed(FACES.read_bytes())[:-1], code=3)
        self.assertEqual([a["status"] for a in answers], ["unreadable"])
        self.assertIn("ended within an image", self.err)
        answers = self.ask(struct.pack(">Q", 1 << 50) + b"abc", code=3)
        self.assertEqual([a["status"] for a in answers], ["too_large"])
        self.assertEqual(self.ask(b"\0\0\0", code=3)[0]["status"], "unreadable")

    def test_no_requests_no_answers(self):
        self.assertEqual(self.ask(b""), [])

    def test_whoever_does_not_read_holds_it_up(self):
        """A reader that is slow: neither memory nor the requests taken in grow."""
        self.photo("a.jpg")
        process = self.start("--stream", "-", "-q", "-j", "2")
        sent = [0]
        count = 40_000

        def write():
            for _ in range(count // 100):
                process.stdin.write(b"gone.jpg\n" * 100)
                process.stdin.flush()
                sent[0] += 100
            process.stdin.close()

        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        first = process.stdout.readline()
        self.assertEqual(json.loads(first)["image"], 0)
        # The writer stands still once the pipes and the pipeline are full, long before its end.
        writer.join(timeout=3)
        self.assertTrue(writer.is_alive())
        self.assertLess(sent[0], count // 2)
        peak = 0
        for number in range(1, count):
            self.assertEqual(json.loads(process.stdout.readline())["image"], number)
            if number == count - 1:
                status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
                peak = int(status.split("VmHWM:")[1].split()[0])
        self.assertEqual(process.stdout.read(), b"")
        self.assertEqual(process.wait(timeout=60), 0)
        if "/asan/" not in AUFORGE and "/tsan/" not in AUFORGE:  # whose own memory is many times the program's
            self.assertLess(peak, 700_000)

    def test_signals_end_it_with_whole_lines(self):
        self.photo("a.jpg")
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.start("--stream", "-", "-q")
            process.stdin.write(b"a.jpg\n" * 3)
            process.stdin.flush()
            json.loads(process.stdout.readline())
            process.send_signal(number)
            for line in process.stdout:
                json.loads(line)
            self.assertEqual(process.wait(timeout=60), 128 + number)

    def test_a_reader_that_leaves_ends_it(self):
        self.photo("a.jpg")
        process = self.start("--stream", "-", "-q")
        process.stdout.close()
        process.stdout = None
        try:
            process.stdin.write(b"a.jpg\n" * 50)
            process.stdin.close()
        except BrokenPipeError:
            pass
        process.stdin = None
        self.assertIn(process.wait(timeout=60), (141, -signal.SIGPIPE))

    def test_shards_too_behind_those_that_are_there(self):
        self.photo("a.jpg")
        for run in range(2):
            self.assertEqual(len(self.ask(b"a.jpg\ngone.jpg\n" + framed(b"x"), "-o", "out", "--shard-size", "2")), 3)
        subprocess.run([AUFORGE, "verify", "out"], cwd=self.dir, check=True, stdout=subprocess.DEVNULL)
        self.assertEqual(sorted(p.name for p in (self.dir / "out").glob("*.h5")),
                         ["00000.h5", "00001.h5", "00002.h5", "00003.h5"])
        self.ask(b"a.jpg\n", "-o", "out", "--shard-size", "3", code=3)
        self.assertIn("shard_size", self.err)

    def test_options_that_exclude_each_other(self):
        for arguments in (["--stream", "-", "a.jpg"], ["--stream", "-", "--watch", "."], ["--watch", "."], [],
                          ["--stream", "-", "--index", "0", "--count", "2"], ["a.jpg", "-o", "out", "--commit-seconds", "5"]):
            _, err = self.end(self.start(*arguments), 2, b"")
            self.assertNotEqual(err, "")

    def test_a_fifo(self):
        self.photo("a.jpg")
        os.mkfifo(self.dir / "requests")
        process = self.start("--stream", "requests", "-q")
        with open(self.dir / "requests", "wb") as fifo:
            fifo.write(b"a.jpg\n")
        self.assertEqual(json.loads(process.stdout.readline())["key"], "a.jpg")
        self.end(process)


class Watch(Live):
    def watch(self, *arguments, quick=True):
        more = ("--commit-seconds", "0.2") if quick else ()
        process = self.start("--watch", "in", "-o", "out", "--json", *more, *arguments)
        self.assertIn(b"watching in", process.stderr.readline())
        return process

    def commits(self, process, images):
        """Reads news of shards until so many images have rows."""
        seen = 0
        while seen < images:
            line = process.stdout.readline()
            self.assertTrue(line, process.stderr.read() if not line else "")
            seen += json.loads(line)["images"]
        self.assertEqual(seen, images)

    def stop(self, process, number=signal.SIGTERM, images=None):
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 128 + number, err.decode())
        summary = json.loads(out.splitlines()[-1])
        if images is not None:
            self.assertEqual(summary["images"], images)
        self.check_sound()
        return summary

    def check_sound(self):
        left = [p.name for p in (self.dir / "out").iterdir() if ".tmp" in p.name]
        self.assertEqual(left, [])
        if list((self.dir / "out").glob("*.h5")):
            subprocess.run([AUFORGE, "verify", "out"], cwd=self.dir, check=True, stdout=subprocess.DEVNULL)

    def rows(self):
        """Keys with a row, committed: of images with faces, in order, then of the others."""
        out = self.dir / "out"
        if not list(out.glob("*_stats.json")):
            return []
        subprocess.run([AUFORGE, "export", "out", "-q", "--format", "jsonl", "-o", "rows.jsonl"], cwd=self.dir, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        faces = [json.loads(line) for line in (self.dir / "rows.jsonl").read_text().splitlines()]
        keys = [face["key"] for face in faces if face["face_index"] == 0]
        for stats in sorted(out.glob("*_stats.json")):
            errors = out / stats.name.replace("_stats.json", "_errors.jsonl")
            keys += [json.loads(line)["key"] for line in errors.read_text().splitlines()]
        return keys

    def test_first_what_is_there_then_what_comes(self):
        for name in ("b.jpg", "a.jpg", "sub/c.jpg"):
            self.photo("in/" + name)
        (self.dir / "in/readme.txt").write_text("no picture")
        process = self.watch()
        self.commits(process, 3)
        self.photo("new.jpg")
        os.rename(self.dir / "new.jpg", self.dir / "in/moved.jpg")
        self.commits(process, 1)
        self.photo("in/written.jpg")
        self.commits(process, 1)
        os.link(self.dir / "in/written.jpg", self.dir / "in/linked.jpg")
        self.commits(process, 1)
        os.symlink(FACES, self.dir / "in/symbolic.jpg")
        self.commits(process, 1)
        self.photo("in/deep/er/d.jpg")
        self.commits(process, 1)
        self.photo("in/deep/er/e.jpg")
        self.commits(process, 1)
        self.stop(process, images=9)
        self.assertEqual(self.rows(), ["a.jpg", "b.jpg", "sub/c.jpg", "moved.jpg", "written.jpg", "linked.jpg",
                                       "symbolic.jpg", "deep/er/d.jpg", "deep/er/e.jpg"])

    def test_only_finished_files(self):
        (self.dir / "in").mkdir()
        data = FACES.read_bytes()
        early = open(self.dir / "in/early.jpg", "wb")
        early.write(data[:1000])
        early.flush()
        process = self.watch()
        late = open(self.dir / "in/late.jpg", "wb")
        late.write(data[:1000])
        late.flush()
        self.photo("in/.hidden.jpg")
        self.photo("in/x.jpg.part")
        (self.dir / "in/empty.jpg").touch()
        self.photo("in/whole.jpg")
        self.commits(process, 1)
        for file in (late, early):
            file.write(data[1000:])
            file.close()
        self.commits(process, 2)
        os.rename(self.dir / "in/x.jpg.part", self.dir / "in/x.jpg")
        self.commits(process, 1)
        summary = self.stop(process, images=4)
        self.assertEqual(summary["status"], {"ok": 4})

    def test_nothing_twice_and_nothing_lost_over_stops(self):
        self.photo("in/a.jpg")
        process = self.watch()
        self.commits(process, 1)
        self.stop(process, signal.SIGINT)
        self.photo("in/b.jpg")
        process = self.watch()
        self.commits(process, 1)
        # The same bytes once more are nothing new; others are another image.
        self.photo("in/a.jpg")
        os.utime(self.dir / "in/b.jpg")
        self.photo("in/a.jpg", more=b"changed")
        self.commits(process, 1)
        process.kill()
        process.wait()
        self.photo("in/a.jpg", more=b"again")
        self.photo("in/c.jpg")
        process = self.watch()
        self.commits(process, 2)
        self.stop(process, images=2)
        process = self.watch()
        self.photo("in/d.jpg")
        self.commits(process, 1)
        self.stop(process, images=1)
        self.assertEqual(self.rows(), ["a.jpg", "b.jpg", "a.jpg#2", "a.jpg#3", "c.jpg", "d.jpg"])

    def test_killed_at_any_moment(self):
        """kill -9 at random, files coming all the time: in the end every one has a row."""
        chance = random.Random(7)
        (self.dir / "in").mkdir()
        names = []
        for round_ in range(6):
            for _ in range(3):
                names.append(f"{len(names):03}.jpg")
                (self.dir / "in" / names[-1]).write_bytes(b"no picture %d" % len(names))
            process = self.start("--watch", "in", "-o", "out", "--json", "--commit-seconds", "0.1")
            process.stderr.readline()
            for _ in range(chance.randrange(3)):
                names.append(f"{len(names):03}.jpg")
                (self.dir / "in" / names[-1]).write_bytes(b"no picture %d" % len(names))
                if chance.random() < 0.5:
                    process.stdout.readline()
            process.kill()
            process.wait()
        names.append("last.jpg")
        (self.dir / "in/last.jpg").write_bytes(b"no picture at all")
        process = self.watch()
        while "last.jpg" not in self.rows():
            self.assertTrue(process.stdout.readline())
        self.stop(process)
        self.assertEqual(sorted(self.rows()), sorted(names))

    def test_what_is_done_is_committed_when_it_is_stopped(self):
        for name in ("a.jpg", "b.jpg"):
            self.photo("in/" + name)
        process = self.watch("--shard-size", "1", quick=False)
        self.commits(process, 2)  # by size, a shard each
        self.stop(process)
        process = self.watch("--shard-size", "1")
        other, err = self.end(self.start("--watch", "in", "-o", "out", "--shard-size", "1"), 1, b"")
        self.assertIn("writes there", err)
        self.stop(process, images=0)
        self.assertEqual(self.rows(), ["a.jpg", "b.jpg"])
        # Other options, another folder, a crawl's own shards: refused.
        for arguments in (["--watch", "in", "-o", "out", "--shard-size", "2"],
                          ["--watch", ".", "-o", "out", "--shard-size", "1"], ["in", "-o", "out", "--shard-size", "1"]):
            _, err = self.end(self.start(*arguments), 3, b"")
            self.assertIn("another output folder", err)

    def test_a_folder_that_goes_away(self):
        self.photo("in/a.jpg")
        self.photo("in/b.jpg")
        process = self.watch("--commit-seconds", "1000", "--shard-size", "2", quick=False)
        self.commits(process, 2)
        self.photo("in/c.jpg")
        os.rename(self.dir / "in", self.dir / "elsewhere")
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 1, err)
        self.assertIn(b"in: has been removed or renamed", err)
        self.check_sound()
        _, err = self.end(self.start("--watch", "in", "-o", "out", "--shard-size", "2"), 1, b"")
        self.assertIn("in: No such file or directory", err)

    def test_duplicates_are_remembered(self):
        self.photo("in/a.jpg")
        process = self.watch("--skip-duplicates")
        self.commits(process, 1)
        self.stop(process)
        self.photo("in/b.jpg")
        process = self.watch("--skip-duplicates")
        self.commits(process, 1)
        self.assertEqual(self.stop(process)["status"], {"duplicate": 1})


if __name__ == "__main__":
    AUFORGE = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
