"""examples/faces.ipynb runs from end to end."""

import pathlib

import pytest

import conftest


def test_the_notebook_runs(annotator, shards, face_model, monkeypatch, tmp_path):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("matplotlib")
    pytest.importorskip("pandas")
    path = conftest.SOURCE / "examples/faces.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.get("outputs") for cell in notebook.cells), "the notebook is kept without outputs"
    monkeypatch.setenv("AUFORGE_SHARDS", str(shards))
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}}).execute()
    pictures = [
        output.data["image/png"] for cell in notebook.cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
    ]
    assert len(pictures) == 5
    nbformat.write(notebook, tmp_path / "faces.ipynb")
    text = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    assert "ShardDataset" in text and pathlib.Path(tmp_path / "faces.ipynb").stat().st_size > 100_000
