"""What the tests need: pictures that may be shown (made-up people), the programs, shards of both."""

import os
import pathlib
import shutil
import subprocess

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]


def program(name):
    """An AuForge program: $AUFORGE_BIN, the release build, the PATH; None where there is none."""
    for folder in (os.environ.get("AUFORGE_BIN"), SOURCE / "build/release/bin"):
        if folder and (pathlib.Path(folder) / name).exists():
            return str(pathlib.Path(folder) / name)
    return shutil.which(name)


@pytest.fixture(scope="session")
def auforge_program():
    path = program("auforge")
    if path is None:
        pytest.skip("the program auforge is not built; set AUFORGE_BIN")
    return path


@pytest.fixture(scope="session")
def annotator():
    import auforge

    try:
        annotator = auforge.Annotator(jobs=2)
    except auforge.Error as error:
        if "shape_predictor" not in str(error):
            raise
        pytest.skip(f"no landmark weights here: {error}")
    yield annotator
    annotator.close()


@pytest.fixture(scope="session")
def face_model():
    """render_face's model: $AUFORGE_FACE_MODEL, what tools/fetch-face-model.sh made, or makes of $AUFORGE_DATA."""
    made = SOURCE / "build/release/share/auforge/face.h5"
    archive = pathlib.Path(os.environ.get("AUFORGE_DATA", SOURCE / "../shared/data")) / "ict-facekit/ict-facekit.tar.xz"
    if not os.environ.get("AUFORGE_FACE_MODEL"):
        if not made.exists() and archive.exists() and program("auforge"):
            fetch = [SOURCE / "tools/fetch-face-model.sh", made]
            subprocess.run(fetch, check=True, env={**os.environ, "AUFORGE": program("auforge")})
        if not made.exists():
            pytest.skip("no face model; tools/fetch-face-model.sh gets it")
        os.environ["AUFORGE_FACE_MODEL"] = str(made)


@pytest.fixture(scope="session")
def people_jpg():
    """Twelve made-up people in one picture."""
    return SOURCE / "docs/images/cg-people.jpg"


@pytest.fixture(scope="session")
def people(people_jpg):
    """The same as pixels, H x W x 3 RGB."""
    import numpy

    import auforge._load

    return numpy.array(auforge._load.core().decode_rgb(people_jpg.read_bytes()))


@pytest.fixture(scope="session")
def portrait(annotator, people):
    """One of them, 200 x 200 pixels or so."""
    import numpy

    face = annotator.annotate(people)[0]
    x, y, w, h = face.box
    top, left = max(0, int(y - h / 3)), max(0, int(x - w / 3))
    return numpy.ascontiguousarray(people[top : int(y + 4 * h / 3), left : int(x + 4 * w / 3)])


@pytest.fixture(scope="session")
def blank():
    """A small picture without a face."""
    import numpy

    return numpy.full((32, 32, 3), 128, numpy.uint8)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory, people_jpg):
    """A folder of pictures: faces, no face, rubbish."""
    folder = tmp_path_factory.mktemp("pictures")
    for name in ("cg-people.jpg", "cg-au12.jpg", "cg-occluded.jpg"):
        shutil.copy(people_jpg.parent / name, folder / name)
    (folder / "rubbish.jpg").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="session")
def shards(tmp_path_factory, auforge_program, pictures):
    """That folder, annotated by the program into two shards."""
    folder = tmp_path_factory.mktemp("run") / "shards"
    subprocess.run(
        [auforge_program, "annotate", str(pictures), "-o", str(folder), "-q", "--shard-size", "2"],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder
