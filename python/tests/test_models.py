"""fit_readout, render_face, edit."""

import os
import stat
import subprocess
import sys
import textwrap
import time

import numpy
import pytest

import auforge
import auforge._load
import conftest

pytestmark = pytest.mark.usefixtures("face_model")


def test_a_face_shows_what_is_asked(annotator):
    rest = auforge.render_face({}, seed=3)
    smile = auforge.render_face({"AU12": 4, "AU6": 3}, seed=3)
    assert smile.image.shape == (256, 256, 3) and smile.image.dtype == numpy.uint8
    assert smile.landmarks.shape == (68, 2) and smile.aus["AU12"] == 4 and rest.aus["AU12"] == 0
    width = lambda face: numpy.linalg.norm(face.landmarks[54] - face.landmarks[48])
    assert width(smile) > 1.1 * width(rest)
    seen = [annotator.annotate(face.image) for face in (rest, smile)]
    assert all(len(result) == 1 for result in seen)
    assert seen[1][0].aus["AU12"] > seen[0][0].aus["AU12"] + 1
    assert numpy.abs(seen[1][0].landmarks - smile.landmarks).mean() < 8


def test_seeds_halves_sizes():
    draw = lambda **options: auforge.render_face({"AU12": 3}, size=96, **options)
    assert (draw(seed=1).image == draw(seed=1).image).all()
    assert (draw(seed=1).image != draw(seed=2).image).any()
    one_sided = auforge.render_face({"AU12": (3, 0)}, seed=1, size=96)
    at = one_sided.au_names.index("AU12")
    assert (one_sided.au_left[at], one_sided.au_right[at], one_sided.au_intensity[at]) == (3, 0, 3)
    turned = draw(seed=1, yaw=30, skin=2.0)
    assert turned.image.shape == (96, 96, 3) and (turned.image != draw(seed=1).image).mean() > 0.1


@pytest.mark.parametrize(
    "aus, options, kind, says",
    [
        ({"AU99": 1}, {}, auforge.UsageError, "AU99: not an AU of the catalogue"),
        ({"AU12": 6}, {}, auforge.UsageError, "must be 0..5"),
        ({"AU12": "much"}, {}, auforge.UsageError, "AU12 = 'much'"),
        ({"AU12": (1, 2, 3)}, {}, auforge.UsageError, "left, right"),
        ({}, {"skin": 9}, auforge.UsageError, "skin = 9"),
        ({}, {"size": 10}, auforge.UsageError, "size"),
        ({}, {"face_model": "nowhere.h5"}, auforge.Error, "nowhere.h5.*auforge synth import-model"),
    ],
)
def test_what_cannot_be_drawn_is_said(aus, options, kind, says):
    with pytest.raises(kind, match=says):
        auforge.render_face(aus, **options)


@pytest.fixture(scope="session")
def labelled(tmp_path_factory):
    """Photographs, as it were, with their AU12 and AU4."""
    folder = tmp_path_factory.mktemp("labelled")
    (folder / "photos").mkdir()
    lines = ["image,AU12,AU4"]
    for i in range(24):
        aus = {"AU12": 4 * (i % 2), "AU4": 4 * (i // 2 % 2)}
        auforge._load.core().write_png(os.fsencode(folder / f"photos/{i}.png"), auforge.render_face(aus, seed=i).image)
        lines.append(f"{i}.png,{aus['AU12']},{aus['AU4']}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_a_readout_is_that_of_calibrate(labelled, auforge_program, tmp_path):
    spec = f"csv:{labelled}/labels.csv,images={labelled}/photos"
    said = []
    figures = auforge.fit_readout(spec, tmp_path / "ours.h5", log=said.append)
    subprocess.run([auforge_program, "calibrate", "--data", spec, "--refit", "-o", str(tmp_path / "theirs.h5")],
                   check=True, capture_output=True)
    assert (tmp_path / "ours.h5").read_bytes() == (tmp_path / "theirs.h5").read_bytes()
    by_name = {figure["au"]: figure for figure in figures}
    assert by_name["AU12"]["rows"] == 24 and by_name["AU12"]["present"] == 12 and by_name["AU12"]["refitted"]
    assert not by_name["AU1"]["refitted"] and by_name["AU1"]["why"]
    assert said
    assert auforge.Annotator(model=tmp_path / "ours.h5").model_digest != auforge.Annotator().model_digest


def test_a_readout_that_cannot_be_fitted(labelled, tmp_path):
    for spec, kind in (("nonsense:x", auforge.UsageError), (f"csv:{tmp_path}/nowhere.csv", auforge.Error)):
        with pytest.raises(kind):
            auforge.fit_readout(spec, tmp_path / "out.h5")
    with pytest.raises(auforge.UsageError, match="folds"):
        auforge.fit_readout(f"csv:{labelled}/labels.csv,images={labelled}/photos", tmp_path / "out.h5", folds=1)
    with pytest.raises(auforge.Error):
        auforge.fit_readout(f"csv:{labelled}/labels.csv,images={labelled}/photos", tmp_path / "nowhere/out.h5")
    assert not list(tmp_path.iterdir())


def fake_gan(folder, body):
    path = folder / "auforge-gan"
    path.write_text("#!/bin/sh\n" + textwrap.dedent(body))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_without_the_program_edit_says_so(monkeypatch, people_jpg, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("AUFORGE_GAN", raising=False)
    with pytest.raises(auforge.NotFoundError, match="auforge-gan is not installed.*AUFORGE_GAN"):
        auforge.edit(people_jpg, {"AU12": 1})


def test_what_the_program_says_is_raised(monkeypatch, people_jpg, tmp_path):
    for status, kind in ((1, auforge.Error), (2, auforge.UsageError), (3, auforge.BadInputError)):
        monkeypatch.setenv("AUFORGE_GAN", fake_gan(tmp_path, f"echo 'auforge-gan edit: that is wrong' >&2; exit {status}"))
        with pytest.raises(kind, match="that is wrong") as caught:
            auforge.edit(people_jpg, {"AU12": 1})
        assert type(caught.value) is kind


def test_images_reach_the_program_and_come_back(monkeypatch, people, people_jpg, tmp_path):
    # As if nothing was to be changed: edit PHOTO -o OUT.
    monkeypatch.setenv("AUFORGE_GAN", fake_gan(tmp_path, 'echo "$@" > "$(dirname "$0")/said"; cp "$2" "$4"'))
    assert (auforge.edit(people, {"AU12": 0.8, "AU6": 0.5}, checkpoint="run/") == people).all()
    said = (tmp_path / "said").read_text()
    assert "--au AU12=0.8,AU6=0.5" in said and "--checkpoint run/" in said
    for image in (people_jpg, people_jpg.read_bytes(), next(auforge.read_images(people_jpg))):
        assert (auforge.edit(image, {"AU12": 1}) == people).all()


def test_ctrl_c_ends_the_program(people_jpg, tmp_path):
    # exec: the program itself waits, no child of a shell that would outlive it.
    program = fake_gan(tmp_path, 'echo $$ > "$(dirname "$0")/begun"; mv "$(dirname "$0")/begun" "$(dirname "$0")/pid"; exec sleep 600')
    code = f"import auforge\ntry: auforge.edit({str(people_jpg)!r}, {{'AU12': 1}})\nexcept KeyboardInterrupt: print('interrupted')"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env={**os.environ, "AUFORGE_GAN": program})
    pid_file = tmp_path / "pid"
    while not pid_file.exists():
        assert child.poll() is None
        os.sched_yield()
    begin = time.monotonic()
    child.send_signal(2)
    assert child.communicate()[0] == "interrupted\n" and time.monotonic() - begin < 1
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


def test_edits_of_the_program_itself(people):
    program = conftest.program("auforge-gan")
    if program is None:
        pytest.skip("auforge-gan is not built")
    os.environ["AUFORGE_GAN"] = program
    try:
        part = people[:400, :400]
        edited = auforge.edit(part, {"AU12": 1})
        assert edited.shape == part.shape and 0 < (edited != part).mean() < 0.9
        with pytest.raises(auforge.UsageError, match="AU99"):
            auforge.edit(part, {"AU99": 1})
    finally:
        del os.environ["AUFORGE_GAN"]
