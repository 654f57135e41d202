#!/usr/bin/env python3
"""Manual pages and completions hold every command and option, and shells really complete with them.

  manuals_test.py MANUALS AUFORGE [AUFORGE_GAN]     MANUALS: the folder that the build made

What is there is asked of the programs themselves. Parts for zsh, fish and man are skipped where those are not installed.
"""
import gzip
import json
import os
import pathlib
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import unittest

MANUALS, PROGRAMS = None, []


def commands():
    """(words, description) of everything that can be typed."""
    described = {}
    for program in PROGRAMS:
        one = json.loads(subprocess.run([program, "--describe-commands"], capture_output=True, check=True).stdout)
        described[one["name"]] = one
    found = []

    def walk(words, one):
        if one.get("program") in described:
            other = described[one["program"]]
            if one["keeps_name"]:
                other = [c for c in other["commands"] if c["name"] == one["name"]][0]
            one = dict(other, help=one["help"])
        found.append((words, one))
        for below in one["commands"]:
            walk(words + [below["name"]], below)

    for name, one in described.items():
        walk([name], one)
    return found


def run(command, **more):
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, **more).stdout


class Manuals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.commands = commands()

    def test_there_is_something_to_find(self):
        lines = [" ".join(words) for words, _ in self.commands]
        for line in ("auforge annotate", "auforge synth faces", "auforge export"):
            self.assertIn(line, lines)
        if len(PROGRAMS) > 1:
            for line in ("auforge gan train", "auforge-gan train", "auforge train-net"):
                self.assertIn(line, lines)
        self.assertGreater(sum(len(one["options"]) for _, one in self.commands), 150)

    def test_every_command_and_option_has_its_manual(self):
        for words, one in self.commands:
            if words[0] == "auforge-gan":
                continue
            page = MANUALS / "man1" / ("-".join(words) + ".1.gz")
            text = gzip.open(page, "rt").read().replace("\\-", "-")
            for option in one["options"] + one["positionals"]:
                for name in option["names"]:
                    self.assertRegex(text, r"(?m)^\\f[BI].*" + name.replace("-", "[-]"), page.name)
            for below in one["commands"]:
                self.assertIn("\\fB" + below["name"] + "\\fR", text)

    def test_manuals_are_sound(self):
        if not shutil.which("man") or not shutil.which("groff"):
            self.skipTest("man-db and groff are not installed")
        for page in sorted((MANUALS / "man1").glob("*.gz"))[:4]:
            done = subprocess.run(["man", "--warnings", "-l", str(page)], capture_output=True, text=True,
                                  env=dict(os.environ, MANPAGER="cat", LC_ALL="C.UTF-8", MANROFFSEQ=""))
            self.assertEqual((done.returncode, done.stderr), (0, ""), page.name)

    def bash(self, words):
        script = f"source '{MANUALS}/bash/auforge'; COMP_WORDS=({' '.join(repr(w) for w in words)}); COMP_CWORD={len(words) - 1}; " \
                 "_auforge; printf '%s\\n' \"${COMPREPLY[@]}\""
        return run(["bash", "--norc", "--noprofile", "-c", script]).split()

    def test_bash_offers_every_command_and_option(self):
        for words, one in self.commands:
            if one["commands"]:
                self.assertEqual(sorted(self.bash(words + [""])), sorted(c["name"] for c in one["commands"]))
            names = [name for option in one["options"] for name in option["names"]]
            self.assertEqual(sorted(self.bash(words + ["-"])), sorted(names), words)

    def test_bash_completes_beginnings_and_values(self):
        self.assertEqual(self.bash(["auforge", "anno"]), ["annotate"])
        self.assertEqual(self.bash(["auforge", "synth", "fa"]), ["faces"])
        self.assertEqual(self.bash(["/usr/bin/auforge", "annotate", "a.jpg", "--wa"]), ["--watch"])
        self.assertEqual(self.bash(["auforge", "export", "--format", "o"]), ["openface"])
        self.assertEqual(self.bash(["auforge", "annotate", "--model", ""]), [])  # files

    def test_a_person_at_a_bash(self):
        """Keys into a terminal: the tabulator completes."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ.update(PS1="$ ", TERM="dumb", HISTFILE="/dev/null")
            os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
        seen = b""

        def until(wanted):
            nonlocal seen
            while wanted not in seen:
                ready, _, _ = select.select([terminal], [], [], 60)
                self.assertTrue(ready, seen)
                seen += os.read(terminal, 4096)

        os.write(terminal, f"source '{MANUALS}/bash/auforge'; echo rea''dy\n".encode())
        until(b"ready")
        seen = b""
        os.write(terminal, b"echo auforge; auforge ann\t")
        until(b"auforge annotate ")
        os.write(terminal, b"--skip-d\t")
        until(b"--skip-duplicates ")
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)

    def test_fish(self):
        if not shutil.which("fish"):
            self.skipTest("fish is not installed")
        with tempfile.TemporaryDirectory() as home:
            def offers(line):
                out = run(["fish", "--no-config", "-c", f"source {MANUALS}/fish/auforge.fish; complete -C {line!r}"],
                          env=dict(os.environ, HOME=home))
                return [o.split("\t")[0] for o in out.splitlines()]

            self.assertIn("annotate", offers("auforge anno"))
            self.assertIn("faces", offers("auforge synth "))
            self.assertIn("--watch", offers("auforge annotate --w"))
            self.assertEqual(offers("auforge export --format open"), ["openface"])
        text = (MANUALS / "fish/auforge.fish").read_text()
        for words, one in self.commands:
            lines = [l for l in text.splitlines() if l.startswith(f"complete -c {words[0]} -n '__auforge_at \\'{' '.join(words)}\\''")]
            for option in one["options"]:
                for name in option["names"]:
                    wanted = f" -l {name[2:]} " if name.startswith("--") else f" -s {name[1:]} "
                    self.assertTrue(any(wanted in line for line in lines), (words, name))

    def test_zsh(self):
        text = (MANUALS / "zsh/_auforge").read_text()
        for words, one in self.commands:
            begin = text.index("    ('" + " ".join(words) + "')\n      if")
            part = text[begin:text.index(" ;;", begin)]
            for name in [n for o in one["options"] for n in o["names"]] + [c["name"] for c in one["commands"]]:
                self.assertIn(f" '{name}:", part)
        if not shutil.which("zsh"):
            self.skipTest("zsh is not installed")
        run(["zsh", "-n", str(MANUALS / "zsh/_auforge")])
        # A zsh in a terminal of its own, which lists what it offers.
        script = f"""
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1= PROMPT= ; stty -echo; fpath=({MANUALS}/zsh \\$fpath); autoload -Uz compinit; compinit -u -d $1/dump; echo rea''dy"
zpty -m -r z out '*ready*'
zpty -n -w z $'auforge anno\\t--skip-d\\t\\C-a: \\C-e\\necho so_far\\n'
zpty -m -r z out '*so_far*'
print -r -- $out
"""
        with tempfile.TemporaryDirectory() as home:
            out = run(["zsh", "-f", "-c", script, "zsh", home])
        self.assertIn("annotate", out)
        self.assertIn("--skip-duplicates", out)


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if not a.startswith("-") and "." not in os.path.basename(a)]
    MANUALS, PROGRAMS = pathlib.Path(arguments[0]).resolve(), [os.path.abspath(a) for a in arguments[1:]]
    unittest.main(argv=[sys.argv[0]] + [a for a in sys.argv[1:] if a not in arguments], verbosity=2)
