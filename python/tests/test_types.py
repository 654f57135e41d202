"""The package's types, as mypy sees them."""

import os
import subprocess
import sys

import pytest

import auforge

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
    check = lambda *what: subprocess.run([sys.executable, "-m", "mypy", "--ignore-missing-imports", "--cache-dir", str(tmp_path / "cache"), *what],
                                         capture_output=True, text=True, cwd=tmp_path)
    package = os.path.dirname(os.path.realpath(os.path.join(os.path.dirname(auforge.__file__), "__init__.py")))
    said = check(package, "use.py")
    assert said.returncode == 0, said.stdout
    (tmp_path / "misuse.py").write_text("import auforge\nauforge.Annotator(min_face='much')\nauforge.open_shards(3)\n")
    assert check(package, "misuse.py").stdout.count("error:") == 2
