#!/usr/bin/env python3
"""Runs every command of auforge and auforge-gan under conditions that users meet, and tells the exit codes.

  exit_sweep.py --auforge build/release/bin/auforge                     the table, on the terminal
  exit_sweep.py --auforge ... --markdown docs/exit-codes.md             writes the document
  exit_sweep.py --auforge ... --quick --check docs/exit-codes.md        whether it is up to date, for commands that take
                                                                        no model; exit 1 and the cells that differ

Exits with 1, too, when a command ended in another way than by one of its exit codes: a signal, a hang, another code.
Python 3 without packages. The faces are the drawn ones of docs/images.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT = 300

# What a command is called with. IN stands for its input, OUT for its output; ODD for an option with a number.
#   out: "file" (its ending), "folder" (made by the command) or None.  input: kind of file that can be missing or damaged.
class Row:
    def __init__(self, name, arguments, out=None, input=None, odd=None, quick=False, gan=False, works=True):
        self.name, self.arguments, self.out, self.input = name, arguments, out, input
        self.odd, self.quick, self.gan, self.works = odd, quick, gan, works


SMALL = "--no-gabor --no-hog --no-local --centres 8 --shape-components 4 -j 1"
ROWS = [
    Row("annotate", "annotate IN -o OUT -q -j 1", "folder", "photo", "--min-face"),
    Row("relabel", "relabel IN -o OUT -q -j 1", "folder", "shards", "--jobs"),
    Row("inspect", "inspect IN", None, "shards", quick=True),
    Row("verify", "verify IN", None, "shards", quick=True),
    Row("merge-stats", "merge-stats IN", None, "stats", "--expect", quick=True),
    Row("query", "query IN -q --count", None, "shards", "--limit", quick=True),
    Row("query --list", "query IN -q --list", None, "shards", "--quality", quick=True),
    Row("query --jsonl", "query IN -q --jsonl OUT", ".jsonl", "shards", "--offset", quick=True),
    Row("query --sheet", "query IN -q --sheet OUT", ".png", "shards", "--pose", quick=True),
    Row("query -o", "query IN -q -o OUT", "folder", "shards", "--size", quick=True),
    Row("export csv", "export IN -q --format csv -o OUT", ".csv", "shards", "--limit", quick=True),
    Row("export jsonl", "export IN -q --format jsonl -o OUT", ".jsonl", "shards", "--limit", quick=True),
    Row("export parquet", "export IN -q --format parquet -o OUT", ".parquet", "shards", "--limit", quick=True),
    Row("export openface", "export IN -q --format openface -o OUT", ".csv", "shards", "--limit", quick=True),
    Row("export ganimation", "export IN -q --format ganimation -o OUT", "folder", "shards", "--test-share", quick=True),
    Row("export webdataset", "export IN -q --format webdataset -o OUT", "folder", "shards", "--faces-per-tar", quick=True),
    Row("export shards", "export IN -q --format shards -o OUT", "folder", "shards", "--limit", quick=True),
    Row("report", "report IN -o OUT", ".html", "shards", "--faces", quick=True),
    Row("keywords", "keywords --root fear --wordnet IN -o OUT", ".tsv", "wordnet", "--depth", quick=True),
    Row("serve", "serve IN -q --port 0", None, "shards", "--port", works=False),
    Row("train-au", "train-au --data shards:IN,copies=0 -o OUT " + SMALL, ".h5", "shards", "--centres"),
    Row("train-au csv:", "train-au --data csv:IN -o OUT " + SMALL, ".h5", "labels", "--centres", works=False),
    Row("eval-au", "eval-au --data shards:IN,copies=0 -o OUT -j 1", ".csv", "shards", "--jobs"),
    Row("eval-au --model", "eval-au --data shards:shards,copies=0 --model IN -o OUT -j 1", ".csv", "model", "--jobs"),
    Row("eval-au --coherence", "eval-au --coherence IN --extremes OUT -j 1", ".png", "photo", "--jobs"),
    Row("calibrate", "calibrate --shards IN -o OUT -j 1", ".h5", "shards", "--k"),
    Row("calibrate --model", "calibrate --shards shards --model IN -o OUT -j 1", ".h5", "model", "--k"),
    Row("synth import-model", "synth import-model IN -o OUT", ".h5", "objects", works=False),
    Row("synth faces", "synth faces -q --count 2 --method cg --face-model IN -o OUT", "folder", "face model", "--count",
        works=False),
    Row("synth sheet", "synth sheet -q --face-model IN -o OUT", ".png", "face model", "--rows", works=False),
    Row("synth stats", "synth stats IN", None, "shards", works=False),
    Row("gan train", "train IN -o OUT -q -j 1 --image-size 32 --conv-dim 4 --critic-layers 3 --blocks 1 --batch 4 "
        "--max-steps 2 --samples 0", "folder", "shards", "--batch", gan=True),
    Row("gan edit", "edit IN --au AU12=0.8 -o OUT", ".png", "photo", "--min-face", gan=True),
    Row("gan edit --checkpoint", "edit photo.jpg --au AU12=0.8 --checkpoint IN -o OUT", ".png", "checkpoint", "--min-face",
        gan=True),
    Row("gan sheet", "sheet IN --aus AU12 --faces 1 -o OUT", ".png", "shards", "--steps", gan=True),
    Row("gan sheet .gif", "sheet IN --to AU12=1 --steps 2 -o OUT", ".gif", "shards", "--steps", gan=True),
    Row("gan pairs", "pairs shards -q --face-model IN -o OUT", "folder", "face model", "--scenes", works=False, gan=True),
    Row("gan eval", "eval IN --faces 1 --values 2 --sheet-faces 1 -q -o OUT", ".png", "shards", "--faces", gan=True),
    Row("gan eval --write-pictures", "eval IN --write-pictures OUT --aus AU12 --method generator -q", "folder", "photos", "--faces",
        gan=True),
    Row("gan eval --judge", "eval IN --judge annotator -q --json-file OUT", ".json", "edits", "--faces", gan=True),
    Row("gan export-weights", "export-weights IN -o OUT", ".h5", "checkpoint", gan=True),
    Row("gan import-weights", "import-weights IN -o OUT", "folder", "checkpoint", "--image-size", gan=True),
    Row("train-net", "train-net --renders IN -o OUT -q", ".net", "shards", "--passes", works=False, gan=True),
    Row("train-landmarks", "train-landmarks --renders IN -o OUT -q", ".net", "shards", "--passes", works=False, gan=True),
    Row("train-dense", "train-dense --renders IN -o OUT -q", ".net", "labels", "--steps", works=False, gan=True),
    Row("train-detector", "train-detector --renders IN --backgrounds photo.jpg -o OUT -q", ".net", "shards", "--steps",
        works=False, gan=True),
    Row("loop --new", "loop --new OUT", ".json", quick=True),
    Row("loop --dry-run", "loop IN --dry-run", None, "plan"),
    Row("--help", "--help", quick=True),
    Row("--version", "--version", quick=True),
]

# (heading, when it applies, how the command is run)
CONDITIONS = [
    ("works", "as it should be"),
    ("-o missing", "the folder of -o does not exist"),
    ("-o wrong kind", "-o is a folder where a file is wanted, or a file where a folder is"),
    ("-o full", "what is written may not grow beyond 1 KB (`ulimit -f 1`)"),
    ("stdout full", "`> /dev/full`"),
    ("stdout closed", "`>&-`"),
    ("all closed", "`<&- >&- 2>&-`"),
    ("in missing", "the input does not exist"),
    ("in damaged", "the input is cut in half, or another kind of file"),
    ("odd number", "an option's number with something behind it, as `1x`"),
    ("memory", "`ulimit -v`: 300000 KB, 500000 KB for `auforge gan`"),
]

GOOD = {0, 1, 2, 3}


class Sweep:
    def __init__(self, arguments, folder):
        self.auforge = str(pathlib.Path(arguments.auforge).resolve())
        gan = pathlib.Path(arguments.gan) if arguments.gan else pathlib.Path(self.auforge).parent / "auforge-gan"
        self.gan = str(gan.resolve()) if gan.exists() else None
        self.quick = arguments.quick
        self.folder = pathlib.Path(folder)
        self.fixtures = self.folder / "fixtures"

    def prepare(self):
        f = self.fixtures
        f.mkdir()
        photo = ROOT / "docs/images/cg-people.jpg"
        shutil.copy(photo, f / "photo.jpg")
        (f / "photos").mkdir()
        for name in ("cg-people.jpg",) if self.quick else ("cg-people.jpg", "cg-au12.jpg", "cg-occluded.jpg"):
            shutil.copy(ROOT / "docs/images" / name, f / "photos" / name)
        for name in ("AU12_0", "AU12_1"):
            (f / "edits" / name).mkdir(parents=True)
            shutil.copy(photo, f / "edits" / name / "photo.jpg")
        subprocess.run([self.auforge, "annotate", "photos", "-q", "-o", "shards"], cwd=f, check=True, stdout=subprocess.DEVNULL)
        (f / "plan").write_text('{"work": "work", "inputs": ["photo.jpg"], "settle_seconds": 0, "held_out": "shards"}')
        (f / "wordnet").mkdir()
        (f / "wordnet/data.noun").write_text("00000000 12 n 02 fear 0 fear_of_x 0 000 | a, \"an example\"  \n")
        (f / "wordnet/index.noun").write_text("\nfear n 1 0 1 1 00000000  \n")
        shutil.copy(ROOT / "annotator/models/default.h5", f / "model")
        shutil.copy(ROOT / "gan/models/default.h5", f / "checkpoint")
        # Damaged ones.
        d = f / "damaged"
        d.mkdir()
        (d / "photo").write_bytes(photo.read_bytes()[:2000])
        shutil.copytree(f / "edits", d / "edits")
        (d / "edits/AU12_1/photo.jpg").write_bytes(photo.read_bytes()[:2000])
        (d / "photos").mkdir()
        (d / "photos/photo.jpg").write_bytes(photo.read_bytes()[:2000])
        shutil.copytree(f / "shards", d / "shards")
        shutil.copytree(f / "shards", d / "stats")
        half = (d / "shards/00000.h5").read_bytes()
        (d / "shards/00000.h5").write_bytes(half[:len(half) // 2])
        (d / "stats/00000_stats.json").write_text("[1]")
        (d / "wordnet").mkdir()
        (d / "wordnet/data.noun").write_text("nothing of the kind\n")
        shutil.copy(f / "wordnet/index.noun", d / "wordnet/index.noun")
        for name in ("model", "checkpoint"):
            data = (f / name).read_bytes()
            (d / name).write_bytes(data[:len(data) // 2])
        (d / "face model").write_text("no face model\n")
        (d / "plan").write_text("{")
        (d / "labels").write_text("image,colour\nphoto.jpg,red\n")
        (d / "objects").mkdir()
        (d / "objects/generic_neutral_mesh.obj").write_text("v 1 2 three\n")

    def good_input(self, kind):
        return {"photo": "photo.jpg", "shards": "shards", "stats": "shards", "wordnet": "wordnet", "model": "model",
                "checkpoint": "checkpoint", "photos": "photos", "edits": "edits", "plan": "plan"}.get(kind, "absent")

    def applies(self, row, condition):
        if condition == "works":
            return row.works
        if condition.startswith("-o"):
            return row.out is not None and (row.works or condition != "-o full")
        if condition in ("stdout full", "stdout closed", "all closed"):
            return row.works or row.name == "serve"
        if condition == "in damaged" and row.name == "serve":
            return False  # serves the rest until it is told to stop
        if condition.startswith("in "):
            return row.input is not None
        if condition == "odd number":
            return row.odd is not None
        return row.works

    def run(self, row, condition):
        """The exit code of one cell: a number, or words for another end."""
        place = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        for entry in self.fixtures.iterdir():
            if entry.name in ("shards", "damaged"):
                shutil.copytree(entry, place / entry.name)  # indexes are written beside them
            else:
                (place / entry.name).symlink_to(entry)
        out = "out" if row.out in ("folder", None) else "out" + row.out
        if condition == "-o missing":
            out = "absent/" + out
            if row.out == "folder":  # folders are made with those above them: here one of these is a file
                (place / "absent").write_text("x")
        elif condition == "-o wrong kind" and row.out == "folder":
            (place / out).write_text("x")
        elif condition == "-o wrong kind":
            (place / out).mkdir()
        given = self.good_input(row.input)
        if condition == "in missing":
            given = "absent"
        elif condition == "in damaged":
            given = "'damaged/" + row.input + "'"
        line = row.arguments.replace("OUT", out).replace("IN", given)
        if condition == "odd number":
            line += " " + row.odd + " 1x"
        before = {"-o full": "ulimit -f 1; ", "memory": "ulimit -v %d; " % (500000 if row.gan else 300000)}.get(condition, "")
        after = {"stdout full": " >/dev/full", "stdout closed": " >&-", "all closed": " <&- >&- 2>&-"}.get(condition, "")
        # Without room for its libraries auforge-gan cannot say anything; `auforge gan` says it.
        program = "'" + self.gan + "' " if row.gan else "'" + self.auforge + "' "
        if row.gan and condition == "memory":
            program = "'" + self.auforge + "' gan "
        script = before + "exec " + program + line + after
        process = subprocess.Popen(["bash", "-c", script], cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True)
        try:
            text = process.communicate(timeout=TIMEOUT)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            process.kill()
            return "hangs", script, ""
        left = [p.name for p in place.rglob("*.tmp*")]
        shutil.rmtree(place, ignore_errors=True)
        code = process.returncode
        if code < 0:
            return signal.Signals(-code).name, script, text
        if left:
            return "%d, leaves %s" % (code, left[0]), script, text
        return str(code), script, text


def document(rows, cells):
    lines = ["# Exit codes", "",
             "Generated by `tests/users/exit_sweep.py --markdown docs/exit-codes.md`, which runs every command; do not edit.", "",
             "| code | meaning | what an engine should do |", "|---|---|---|",
             "| 0 | done | go on |",
             "| 1 | failed for a reason that may pass: something is missing or may not be read or written, a disk is full, memory is short | try again, elsewhere if it can |",
             "| 2 | wrong usage: options, or an output path that cannot be one | mend the command |",
             "| 3 | bad data: an input is damaged, of another kind, or has nothing in it that could be used | set the input aside |",
             "| 129, 130, 143 | ended cleanly on SIGHUP, SIGINT, SIGTERM | run the same command to go on |",
             "| 141 | whoever read the results has left (a broken pipe) | |", "",
             "Messages go to stderr and name the file and the remedy. Results that cannot be written to stdout are a failure,",
             "also where the output of `-o` is whole by then.", "",
             "Output paths are tried before the work. A missing folder and a path of the wrong kind are wrong usage (2); a folder",
             "that may not be written and a full disk may pass (1). Devices, FIFOs and `>(command)` are written straight, symbolic",
             "links are followed, and HDF5 files and nets, whose training keeps a state beside them, need a file.", "",
             "A folder of pictures or labels with nothing in it that could be used, an empty one too, is bad data (3): `annotate`,",
             "`synth faces --photos`, `gan edit`, `calibrate --images`, `eval-au --coherence`, `train-au --data csv:`. A folder of shards,",
             "checkpoints or other files that a program of ours makes may have them later (1).", "",
             "What each command answers:", ""]
    lines += ["| | " + " | ".join(name for name, _ in CONDITIONS) + " |", "|---" * (len(CONDITIONS) + 1) + "|"]
    for row in rows:
        lines.append("| `" + row.name + "` | " + " | ".join(cells.get((row.name, name), "") for name, _ in CONDITIONS) + " |")
    lines += [""] + ["* **%s**: %s" % pair for pair in CONDITIONS] + [
        "", "Empty: does not apply, or needs data that the sweep does not have. `query` and its like answer 3 for a folder with a",
        "damaged shard after doing their work without it, unless `--skip-damaged` says otherwise.", ""]
    return "\n".join(lines)


def cells_of(text):
    cells = {}
    heads = []
    for line in text.splitlines():
        parts = [part.strip() for part in line.strip("|").split("|")]
        if line.startswith("| |"):
            heads = parts[1:]
        elif heads and line.startswith("| `"):
            cells.update({(parts[0].strip("`"), head): value for head, value in zip(heads, parts[1:])})
    return cells


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--auforge", required=True)
    parser.add_argument("--gan", help="default: auforge-gan beside it")
    parser.add_argument("--quick", action="store_true", help="only commands that take no model")
    parser.add_argument("--only", help="only commands whose name fits this pattern")
    parser.add_argument("--markdown", metavar="FILE")
    parser.add_argument("--check", metavar="FILE")
    parser.add_argument("--verbose", action="store_true", help="what each command said")
    parser.add_argument("-j", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="exit-sweep-") as folder:
        sweep = Sweep(arguments, folder)
        sweep.prepare()
        rows = [row for row in ROWS if (row.quick or not arguments.quick) and (sweep.gan or not row.gan)
                and re.search(arguments.only or "", row.name)]
        jobs = [(row, name) for row in rows for name, _ in CONDITIONS if sweep.applies(row, name)]
        with concurrent.futures.ThreadPoolExecutor(arguments.j) as pool:
            results = list(pool.map(lambda job: sweep.run(*job), jobs))
    cells, failed = {}, False
    for (row, name), (end, script, text) in zip(jobs, results):
        cells[row.name, name] = end
        if arguments.verbose:
            print("%-22s %-14s %s\n    %s" % (row.name, name, end, text.strip().replace("\n", "\n    ")))
        if not (end.isdigit() and int(end) in GOOD):
            failed = True
            print("%s: ends with %s\n%s" % (script, end, text), file=sys.stderr)
    if arguments.check:
        known = cells_of(pathlib.Path(arguments.check).read_text())
        for cell, end in cells.items():
            if known.get(cell) != end:
                failed = True
                print("%s, %s: %s says %s, it is %s; write it anew" %
                      (cell[0], cell[1], arguments.check, known.get(cell), end), file=sys.stderr)
    elif arguments.markdown:
        pathlib.Path(arguments.markdown).write_text(document(rows, cells))
    else:
        width = max(len(row.name) for row in rows)
        print(" " * width, *(name for name, _ in CONDITIONS), sep="  ")
        for row in rows:
            print(row.name.ljust(width), *(cells.get((row.name, name), "").ljust(len(name)) for name, _ in CONDITIONS), sep="  ")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
