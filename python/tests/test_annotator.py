"""Annotator: every kind of image, the same bits as the program's, order, laziness, errors."""

import os
import pathlib
import pickle
import subprocess
import sys

import numpy
import pytest

import auforge


def same_faces(a, b):
    assert len(a) == len(b)
    for x, y in zip(a, b):
        for name in ("box", "pose", "landmarks", "au_intensity", "au_probability", "au_present", "au_visible", "au_left", "au_right", "crop_from_image"):
            one, other = getattr(x, name), getattr(y, name)
            assert one.tobytes() == other.tobytes(), name
        assert (x.quality, x.emotion, x.emotion_score, x.crop_jpeg) == (y.quality, y.emotion, y.emotion_score, y.crop_jpeg)


def test_a_path_bytes_and_a_memoryview_say_the_same(annotator, people_jpg):
    by_path = annotator.annotate(people_jpg)
    assert by_path.status == "ok" and by_path.message == "" and len(by_path) >= 6
    assert by_path.key == str(people_jpg)
    data = people_jpg.read_bytes()
    for image in (str(people_jpg), data, bytearray(data), memoryview(data), numpy.frombuffer(data, numpy.uint8)):
        same_faces(annotator.annotate(image), by_path)


def test_shapes_types_and_ranges(annotator, people):
    result = annotator.annotate(people)
    a = len(annotator.au_names)
    assert a == 22 and "AU12" in annotator.au_names
    assert (result.width, result.height) == (people.shape[1], people.shape[0])
    assert result.au_intensity.shape == (len(result), a) == result.au_present.shape
    assert result.landmarks.shape == (len(result), 68, 2)
    for face in result:
        assert face.box.shape == (4,) and face.pose.shape == (3,) and face.crop_from_image.shape == (2, 3)
        assert face.landmarks.shape == (68, 2) and face.landmarks.dtype == numpy.float32
        assert face.au_intensity.shape == face.au_probability.shape == face.au_present.shape == (a,)
        assert ((face.au_intensity >= 0) & (face.au_intensity <= 5)).all()
        assert (face.au_present == (face.au_intensity >= 1)).all()
        assert 0 <= face.quality <= 1 and 0 <= face.emotion_score <= 1
        assert face.emotion in annotator.emotion_names
        assert face.crop.shape == (128, 128, 3) and face.crop.dtype == numpy.uint8
        assert list(face.aus) == list(annotator.au_names)
        assert face.au_left.shape == (a,) and numpy.isnan(face.au_left).any()
    # Views: of one block of numbers.
    assert numpy.shares_memory(result[0].au_intensity, result.au_intensity)


def test_the_same_bits_as_the_program(annotator, pictures, shards):
    """Every number and every byte of every crop of every shard, by another reader of HDF5."""
    h5py = pytest.importorskip("h5py")
    results = list(annotator.annotate(auforge.read_images(pictures)))
    faces = [face for result in results for face in result]
    at = sample = 0
    for path in sorted(shards.glob("*.h5")):
        with h5py.File(path) as file:
            statuses = [name.decode() for name in file["samples/status"].attrs["names"]]
            for row, key in enumerate(file["samples/key"][:]):
                assert results[sample].key == key.decode()
                assert results[sample].status == statuses[file["samples/status"][row]]
                assert results[sample].sha256 == file["samples/sha256"][row].tobytes()
                sample += 1
            for row in range(len(file["faces/sample"])):
                face = faces[at]
                for name in ("box", "pose", "landmarks", "au_intensity", "au_probability", "au_present", "au_visible", "au_left", "au_right", "crop_from_image"):
                    assert getattr(face, name).tobytes() == file["faces"][name][row].tobytes(), (name, at)
                assert numpy.float32(face.quality) == file["faces/quality"][row]
                assert numpy.float32(face.emotion_score) == file["faces/emotion_score"][row]
                names = [name.decode() for name in file["faces/emotion"].attrs["names"]]
                assert face.emotion == names[file["faces/emotion"][row]]
                begin, end = file["faces/image_offsets"][row : row + 2]
                assert face.crop_jpeg == file["faces/image_bytes"][begin:end].tobytes()
                at += 1
    assert at == len(faces) > 10 and sample == len(results)


def test_options_are_those_of_the_program(pictures, auforge_program, tmp_path):
    h5py = pytest.importorskip("h5py")
    subprocess.run(
        [auforge_program, "annotate", str(pictures), "-o", str(tmp_path / "out"), "-q", "--min-face", "40",
         "--min-quality", "0.4", "--crop-size", "96", "--jpeg-quality", "80", "--full-size"],
        check=True, stdout=subprocess.DEVNULL)
    annotator = auforge.Annotator(jobs=1, min_face=40, min_quality=0.4, crop_size=96, jpeg_quality=80, full_size=True)
    faces = [face for result in annotator.annotate(auforge.read_images(pictures)) for face in result]
    with h5py.File(tmp_path / "out/00000.h5") as file:
        assert b"".join(face.crop_jpeg for face in faces) == file["faces/image_bytes"][:].tobytes()
        assert [numpy.float32(face.quality) for face in faces] == list(file["faces/quality"])


def test_arrays_of_any_strides(annotator, people):
    expected = annotator.annotate(people)
    assert len(expected) > 0
    read_only = people.copy()
    read_only.flags.writeable = False
    wide = numpy.zeros((people.shape[0], 2 * people.shape[1], 4), numpy.uint8)
    wide[:, ::2, :3] = people
    for name, array in {
        "read-only": read_only,
        "Fortran order": numpy.asfortranarray(people),
        "a part of another": wide[:, ::2, :3],
        "upside down twice": numpy.ascontiguousarray(people[::-1])[::-1],
        "mirrored twice": numpy.ascontiguousarray(people[:, ::-1])[:, ::-1],
        "BGR turned round": numpy.ascontiguousarray(people[..., ::-1])[..., ::-1],
    }.items():
        same_faces(annotator.annotate(array), expected), name


def test_grey_is_grey(annotator, people):
    grey = people.mean(axis=2).astype(numpy.uint8)
    expected = annotator.annotate(numpy.repeat(grey[..., None], 3, axis=2))
    same_faces(annotator.annotate(grey), expected)
    same_faces(annotator.annotate(grey[..., None]), expected)


@pytest.mark.parametrize(
    "array, says",
    [
        (numpy.zeros((64, 64, 3), numpy.float32), r"shape \(64, 64, 3\) and type float32.*uint8"),
        (numpy.zeros((64, 64, 3), numpy.int8), "int8"),
        (numpy.zeros((64, 64), bool), "bool"),
        (numpy.zeros((64, 64, 3), numpy.uint16), "uint16"),
        (numpy.zeros((64, 64, 4), numpy.uint8), "four channels"),
        (numpy.zeros((64, 64, 2), numpy.uint8), "three channels"),
        (numpy.zeros((3, 64, 64), numpy.uint8), "transpose"),
        (numpy.zeros((0, 64, 3), numpy.uint8), "no pixel"),
        (numpy.zeros((64, 0), numpy.uint8), "no pixel"),
        (numpy.zeros((2, 2, 2, 64, 3), numpy.uint8), "H x W x 3"),
        (numpy.zeros((), numpy.uint8), "H x W x 3"),
        (numpy.zeros(100, numpy.float64), "uint8"),
        (42, "not int"),
        (None, "not NoneType"),
    ],
)
def test_what_is_no_picture_is_said(annotator, array, says):
    with pytest.raises(auforge.UsageError, match=says) as caught:
        annotator.annotate([array]).__next__() if getattr(array, "ndim", 0) > 3 else annotator.annotate(array)
    assert isinstance(caught.value, auforge.Error) and isinstance(caught.value, ValueError)


def test_an_array_that_goes_away_or_changes(annotator, people):
    """What was handed over is what is labelled: one buffer for all frames is common."""
    expected = annotator.annotate(people)

    def frames():
        buffer = people.copy()
        for _ in range(3):
            yield buffer
            buffer[:] = 0
            yield buffer
            buffer[:] = people

    results = list(annotator.annotate(frames()))
    assert [result.status for result in results] == ["ok", "no_face"] * 3
    same_faces(results[4], expected)


def test_what_goes_wrong_with_an_image_is_its_status(annotator, blank, people_jpg, tmp_path):
    (tmp_path / "folder.jpg").mkdir()
    data = people_jpg.read_bytes()
    images = [b"", b"rubbish", data[:2000], blank, blank[:8], "nowhere/to/be/found.jpg", tmp_path / "folder.jpg", people_jpg]
    results = list(annotator.annotate(images))
    assert [result.status for result in results] == [
        "undecodable", "undecodable", "undecodable", "no_face", "too_small", "unreadable", "unreadable", "ok"]
    assert all(bool(result.message) == (result.status != "ok") for result in results)
    assert "No such file" in results[5].message and results[5].key == "nowhere/to/be/found.jpg"


def test_one_path_that_is_not_there_is_an_error(annotator):
    with pytest.raises(auforge.NotFoundError, match="nowhere.jpg: no such file or folder") as caught:
        annotator.annotate("nowhere.jpg")
    assert isinstance(caught.value, FileNotFoundError)


def test_iterables_are_read_lazily_in_order(annotator, blank):
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield numpy.full((32 + taken % 50, 40, 3), 100, numpy.uint8)

    results = annotator.annotate(endless())
    assert iter(results) is results and taken == 0
    for i in range(1, 400):
        assert next(results).height == 32 + i % 50
        assert taken <= i + (3 * annotator.jobs + 1) * 16
    results.close()
    assert list(annotator.annotate([])) == []
    assert [r.status for r in annotator.annotate(numpy.zeros((5, 32, 32, 3), numpy.uint8))] == ["no_face"] * 5
    assert len(list(annotator.annotate(blank for _ in range(40)))) == 40


def test_faults_of_the_iterable_come_in_their_place(annotator, blank):
    def broken():
        yield from [blank] * 5
        raise KeyError("mine")

    results = annotator.annotate(broken())
    assert [next(results).status for _ in range(5)] == ["no_face"] * 5
    with pytest.raises(KeyError, match="mine"):
        next(results)
    results = annotator.annotate([blank, blank, "nowhere.jpg", 3.5, blank])
    assert [next(results).status for _ in range(3)] == ["no_face", "no_face", "unreadable"]
    with pytest.raises(auforge.UsageError, match="not float"):
        next(results)


def test_what_offers_its_pixels_otherwise(annotator, people, people_jpg):
    image = pytest.importorskip("PIL.Image")
    expected = annotator.annotate(people)
    same_faces(annotator.annotate(image.fromarray(people)), expected)
    with pytest.raises(auforge.UsageError, match="convert"):
        annotator.annotate(image.fromarray(people).convert("P"))
    assert [r.status for r in annotator.annotate(numpy.array([str(people_jpg)]))] == ["ok"]


@pytest.mark.parametrize(
    "options, kind, says",
    [
        ({"min_face": 5}, auforge.UsageError, "min-face = 5; must be 20..2000 pixels"),
        ({"detector": "cnn"}, auforge.UsageError, "detector = cnn; must be auforge, hog or yunet"),
        ({"detector": "yunet"}, auforge.UsageError, "needs its model"),
        ({"jobs": -1}, auforge.UsageError, "jobs = -1"),
        ({"batch": 0}, auforge.UsageError, "batch = 0"),
        ({"min_quality": 2}, auforge.UsageError, "min-quality"),
        ({"crop_size": 3}, auforge.UsageError, "size = 3"),
        ({"model": "nowhere.h5"}, auforge.Error, "nowhere.h5"),
        ({"landmarks": "nowhere.dat"}, auforge.Error, "nowhere.dat.*libdlib-data"),
    ],
)
def test_options_that_make_no_sense(options, kind, says):
    with pytest.raises(kind, match=says):
        auforge.Annotator(**options)


def test_a_file_of_another_kind_is_bad_input(people_jpg, auforge_program, tmp_path):
    """The text is the program's own."""
    said = subprocess.run([auforge_program, "annotate", str(people_jpg), "-o", str(tmp_path / "o"), "--model", str(people_jpg)],
                          capture_output=True, text=True)
    with pytest.raises(auforge.Error) as caught:
        auforge.Annotator(model=people_jpg)
    assert str(caught.value) in said.stderr
    assert isinstance(caught.value, auforge.BadInputError) == (said.returncode == 3)


def test_results_and_annotators_can_be_pickled(annotator, people):
    result = annotator.annotate(people)
    again = pickle.loads(pickle.dumps(result))
    same_faces(again, result)
    assert again.status == result.status and repr(again) == repr(result)
    face = pickle.loads(pickle.dumps(result[1]))
    same_faces([face], [result[1]])
    assert len(pickle.dumps(result[1])) < 40_000  # itself, not the picture's other faces
    other = pickle.loads(pickle.dumps(annotator))
    same_faces(other.annotate(people), result)
    other.close()


def test_close_and_again(people_jpg):
    with auforge.Annotator(jobs=1) as annotator:
        assert len(annotator.annotate(people_jpg)) > 0
    assert len(annotator.annotate(people_jpg)) > 0
    annotator.close()
    annotator.close()


def test_an_iterator_whose_annotator_was_closed_says_so(people):
    annotator = auforge.Annotator(jobs=1)
    results = annotator.annotate([people] * 40)
    next(results)
    annotator.close()
    with pytest.raises(auforge.Error, match="stopped"):
        for _ in results:
            pass
    assert len(annotator.annotate(people)) > 0
    annotator.close()


def test_the_import_is_quick_and_loads_nothing_heavy():
    code = (
        "import sys, time; start = time.process_time(); import auforge; took = time.process_time() - start;"
        "heavy = [m for m in ('numpy', 'pandas', 'torch', 'auforge._core') if m in sys.modules]; print(took, heavy)"
    )
    outputs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout for _ in range(3)]
    assert all("[]" in output for output in outputs), outputs
    assert min(float(output.split()[0]) for output in outputs) < 0.3


def test_a_processor_that_is_too_old_is_told_before_it_is_asked(monkeypatch):
    from auforge import _load

    assert _load._missing_flags("processor : 0\nflags : fpu sse avx fma bmi1 f16c movbe\n") == ["avx2", "bmi2"]
    assert _load._missing_flags("nothing of the kind") == []
    monkeypatch.setattr(_load, "_missing_flags", lambda text: ["avx2"])
    with pytest.raises(ImportError, match="x86-64-v3.*lacks avx2.*AUFORGE_ARCH"):
        _load._check_processor()


def test_help_reads_like_documentation():
    import pydoc

    text = pydoc.plain(pydoc.render_doc(auforge.Annotator))
    for word in ("landmarks", "H x W x 3 RGB", "UsageError", "pixels", "non-commercial", "annotate(self, images"):
        assert word in text
    for thing in (auforge.Annotator, auforge.Result, auforge.Face):
        for name, member in vars(thing).items():
            if not name.startswith("_"):
                assert member.__doc__, f"{thing.__name__}.{name} has no documentation"
    assert pathlib.Path(os.path.dirname(auforge.__file__), "py.typed").exists()
