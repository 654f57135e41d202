"""The package's types, as mypy sees them."""

import os
import subprocess
import sys

import pytest

import conftest

USE = """
import pathlib
import auforge

annotator = auforge.Annotator(min_face=40, jobs=2)
result: auforge.Result = annotator.annotate("a.jpg")
for other in annotator.annotate([pathlib.Path("a.jpg"), b"bytes"]):
    face: auforge.Face = other[0]
    print(face.landmarks.shape, face.aus["AU12"] + 1, face.emotion.upper(), result.status)
faces: auforge.ShardDataset = auforge.open_shards("shards").filter("AU12 > 1")
print(faces.to_pandas().describe(), [batch.au_intensity.mean() for batch in faces.iter_batches(8)])
print(auforge.render_face({"AU12": (3, 0)}).image.shape, auforge.edit("a.jpg", {"AU12": 1}).shape)
"""


def test_types(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "use.py").write_text(USE)
    command = [sys.executable, "-m", "mypy", "--ignore-missing-imports", "--cache-dir", str(tmp_path / "cache")]
    environment = {**os.environ, "MYPYPATH": str(conftest.SOURCE / "python")}
    check = lambda *what: subprocess.run([*command, *what], capture_output=True, text=True, cwd=tmp_path, env=environment)
    for what in (["-p", "auforge"], ["use.py"]):
        said = check(*what)
        assert said.returncode == 0, said.stdout
    (tmp_path / "misuse.py").write_text("import auforge\nauforge.Annotator(min_face='much')\nauforge.open_shards(3)\n")
    assert check("misuse.py").stdout.count("error:") == 2
