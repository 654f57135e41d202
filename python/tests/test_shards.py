"""open_shards: what is read is what stands there; slices, queries, pandas, torch, workers."""

import multiprocessing
import pickle
import shutil
import subprocess
import threading

import numpy
import pytest

import auforge
from test_processes import in_child


@pytest.fixture
def faces(shards):
    return auforge.open_shards(shards)


def keys(faces):
    return [(face.key, face.face_index) for face in faces]


def test_faces_are_those_that_were_annotated(faces, annotator, pictures):
    expected = [face for result in annotator.annotate(auforge.read_images(pictures)) for face in result]
    assert len(faces) == len(expected) and len(faces.files) == 2
    assert faces.au_names == annotator.au_names
    for got, wanted in zip(faces, expected):
        for name in ("box", "pose", "landmarks", "au_intensity", "au_probability", "au_present", "au_visible", "au_left", "au_right", "crop_from_image"):
            assert getattr(got, name).tobytes() == getattr(wanted, name).tobytes(), name
        assert (got.quality, got.emotion, got.emotion_rule, got.emotion_score, got.crop_jpeg, got.face_index) == (
            wanted.quality, wanted.emotion, wanted.emotion_rule, wanted.emotion_score, wanted.crop_jpeg, wanted.face_index)
        assert got.key.endswith(".jpg") and got.image_width > 0 and got.shard in faces.files


def test_places(faces):
    everything = keys(faces)
    assert keys([faces[i] for i in range(len(faces))]) == everything
    assert keys(faces[2:9]) == everything[2:9]
    assert keys(faces[::-3]) == everything[::-3]
    assert keys(faces[[5, 1, -1]]) == [everything[5], everything[1], everything[-1]]
    assert keys(faces[numpy.arange(len(faces)) % 2 == 0]) == everything[::2]
    assert keys(faces[4:][1:3]) == everything[5:7]
    assert faces[-1].key == everything[-1][0]
    assert len(faces[[]]) == 0 and list(faces[0:0]) == []
    for bad in (len(faces), -len(faces) - 1):
        with pytest.raises(IndexError, match=f"of {len(faces)}"):
            faces[bad]


def test_queries_are_those_of_the_program(faces, shards, auforge_program):
    for where in ("AU12 >= 2 and quality > .5", "", "AU12>=1 | AU4>=1", "!AU25 & emotion_score > 0.2", "AU6 > AU12"):
        said = subprocess.run([auforge_program, "query", str(shards), "-q", "--where", where, "--count"],
                              check=True, capture_output=True, text=True).stdout
        assert len(faces.filter(where)) == int(said), where
    smiles = faces.filter("AU12 >= 2 and quality > .5")
    at = faces.au_names.index("AU12")
    assert keys(smiles) == [(f.key, f.face_index) for f in faces if f.au_intensity[at] >= 2 and f.quality > 0.5]
    listed = subprocess.run([auforge_program, "query", str(shards), "-q", "--list", "--sort", "AU12"],
                            check=True, capture_output=True, text=True).stdout.splitlines()[1:]
    assert [str(face.row) for face in faces.filter("", sort="AU12")] == [line.split("\t")[1] for line in listed]


def test_queries_of_parts(faces):
    part = faces[3:]
    assert keys(part.filter("AU12 >= 1")) == [k for k in keys(faces.filter("AU12 >= 1")) if k in keys(part)]
    backwards = faces[::-1].filter("AU12 >= 1")
    assert keys(backwards) == keys(faces.filter("AU12 >= 1"))[::-1]
    strongest = faces.filter("AU12 >= 1").filter("quality > 0", sort="AU12")
    values = [face.aus["AU12"] for face in strongest]
    assert values == sorted(values, reverse=True) and len(values) > 1
    assert keys(faces.filter("AU12 >= 1", sort="random:3")) == keys(faces.filter("AU12 >= 1", sort="random:3"))


def test_queries_that_are_not_understood(faces):
    with pytest.raises(auforge.UsageError, match="--where is not understood") as caught:
        faces.filter("AU12 >= 2 & qualty > 1")
    assert "quality" in str(caught.value) and "^" in str(caught.value)
    with pytest.raises(auforge.UsageError):
        faces.filter("AU12", sort="beauty")
    with pytest.raises(auforge.UsageError):
        faces.filter("AU99 > 1")


def test_files_from_anywhere(faces, shards, tmp_path):
    other = tmp_path / "another name.h5"
    shutil.copy(shards / "00000.h5", other)
    both = auforge.open_shards([shards / "00001.h5", other])
    first = auforge.open_shards(other)
    assert len(both) == len(faces)
    assert keys(both) == keys(faces)[len(first):] + keys(faces)[: len(first)]
    assert len(both.filter("AU12 >= 1")) == len(faces.filter("AU12 >= 1"))
    assert not list(tmp_path.glob("*.sqlite"))


def test_damage_is_said(shards, tmp_path):
    shutil.copytree(shards, tmp_path / "damaged")
    whole = (tmp_path / "damaged/00001.h5").read_bytes()
    (tmp_path / "damaged/00001.h5").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(auforge.BadInputError, match="00001.h5"):
        auforge.open_shards(tmp_path / "damaged")
    rest = auforge.open_shards(tmp_path / "damaged", skip_damaged=True)
    assert len(rest.files) == 1
    # One byte of a picture: its checksum tells.
    at = whole.find(b"\xff\xd8\xff") + 300
    (tmp_path / "damaged/00001.h5").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    with pytest.raises(auforge.BadInputError, match="checksum"):
        for face in auforge.open_shards(tmp_path / "damaged/00001.h5"):
            pass
    with pytest.raises(auforge.Error, match="no such file or folder"):
        auforge.open_shards(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(auforge.Error, match="no finished shard"):
        auforge.open_shards(tmp_path / "empty")
    with pytest.raises(auforge.UsageError):
        auforge.open_shards([])


def test_batches(faces):
    batches = list(faces.iter_batches(5))
    assert [len(batch) for batch in batches] == [5] * (len(faces) // 5) + [len(faces) % 5] * (len(faces) % 5 > 0)
    assert sum((keys(batch) for batch in batches), []) == keys(faces)
    batch = batches[0]
    assert batch.au_intensity.shape == (5, len(faces.au_names)) and batch.landmarks.shape == (5, 68, 2)
    assert batch.crops().shape == (5, 128, 128, 3) and batch.crops().dtype == numpy.uint8
    assert (batch.crops()[3] == batch[3].crop).all()
    shuffled = faces[numpy.random.default_rng(1).permutation(len(faces))]
    for batch in shuffled.iter_batches(7):
        for face in batch:
            assert face.crop_jpeg == auforge.open_shards(face.shard)[face.row].crop_jpeg
    with pytest.raises(auforge.UsageError, match="n = 0"):
        faces.iter_batches(0)


def test_pandas_says_what_the_export_says(faces, shards, auforge_program, tmp_path):
    pandas = pytest.importorskip("pandas")
    subprocess.run([auforge_program, "export", str(shards), "-q", "--format", "csv", "-o", str(tmp_path / "faces.csv")],
                   check=True, stdout=subprocess.DEVNULL)
    exported = pandas.read_csv(tmp_path / "faces.csv", keep_default_na=False, na_values={})
    frame = faces.to_pandas()
    assert list(frame.columns) == list(exported.columns) and len(frame) == len(exported)
    for column in frame.columns:
        if frame[column].dtype.kind == "f":
            numpy.testing.assert_allclose(frame[column], pandas.to_numeric(exported[column]).astype("float32"), rtol=1e-6)
        else:
            assert list(frame[column].astype(str)) == list(exported[column].astype(str)), column
    assert len(faces[0:0].to_pandas()) == 0
    assert list(faces[0:0].to_pandas().columns)[:3] == ["shard", "face", "key"]


@pytest.mark.parametrize("method", [None, "fork", "spawn", "forkserver"])
def test_torch(faces, method):
    torch = pytest.importorskip("torch")
    faces[0].crop  # files are open here
    dataset = faces.to_torch()
    assert isinstance(dataset, torch.utils.data.Dataset) and len(dataset) == len(faces)
    loader = torch.utils.data.DataLoader(
        dataset, batch_size=4, num_workers=2 if method else 0, multiprocessing_context=method)
    seen = 0
    for batch in loader:
        assert batch["image"].shape[1:] == (3, 128, 128) and batch["image"].dtype == torch.float32
        for row in range(len(batch["image"])):
            face = faces[seen]
            assert (batch["au_intensity"][row].numpy() == face.au_intensity).all()
            assert (batch["au_present"][row].numpy() == face.au_present).all()
            assert ((batch["image"][row].numpy() * 255).round().astype("uint8") == face.crop.transpose(2, 0, 1)).all()
            seen += 1
    assert seen == len(faces)


def read_in_worker(faces):
    return [face.crop_jpeg for face in faces]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_read(faces, method):
    expected = [face.crop_jpeg for face in faces]
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(read_in_worker, [faces] * 4) == [expected] * 4
    face = pickle.loads(pickle.dumps(faces[3]))
    assert (face.key, face.row, face.aus) == (faces[3].key, faces[3].row, faces[3].aus)


def test_threads_and_forks_read(faces):
    expected = [face.crop_jpeg for face in faces]
    stop, wrong = threading.Event(), []

    def read():
        while not stop.is_set():
            if [face.crop_jpeg for face in faces] != expected:
                wrong.append(1)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            in_child(lambda: read_in_worker(faces) == expected or 1 / 0)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not wrong


def test_dense_points_where_they_were_asked_for(faces, auforge_program, pictures, tmp_path):
    assert all(face.landmarks_dense is None for face in faces)
    subprocess.run([auforge_program, "annotate", str(pictures), "-o", str(tmp_path / "dense"), "-q", "-j", "2", "--dense"],
                   check=True, capture_output=True)
    with auforge.Annotator(jobs=2, dense=True) as annotator:
        expected = [face for result in annotator.annotate(auforge.read_images(pictures)) for face in result]
        assert len(expected) == len(faces)
    dense = auforge.open_shards(tmp_path / "dense")
    for got, wanted, bare in zip(dense, expected, faces):
        assert got.landmarks_dense.shape == (82, 2)
        assert got.landmarks_dense.tobytes() == wanted.landmarks_dense.tobytes()
        assert got.landmarks.tobytes() == bare.landmarks.tobytes() and got.crop_jpeg == bare.crop_jpeg
        assert pickle.loads(pickle.dumps(got)).landmarks_dense.tobytes() == got.landmarks_dense.tobytes()
    # Beside shards without.
    both = auforge.open_shards([tmp_path / "dense", *faces.files])
    batch = next(iter(both.iter_batches(len(both), crops=False)))
    assert batch.landmarks_dense.shape == (len(both), 82, 2)
    assert numpy.isnan(batch.landmarks_dense[len(dense):]).all() and batch[len(both) - 1].landmarks_dense is None
