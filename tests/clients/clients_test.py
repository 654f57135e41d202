#!/usr/bin/env python3
"""Programs and libraries that people use AuForge with, on what it writes and with what they write.

  clients_test.py AUFORGE PHOTOS [unittest's arguments]      in the environment that make_venv.sh makes

PHOTOS: a folder of photographs with faces (dlib's examples). AUFORGE_CLIENTS_OUT names a folder for the plot.
"""
import contextlib
import csv
import functools
import glob
import http.server
import importlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import unittest
import warnings

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", NO_ALBUMENTATIONS_UPDATE="1", MPLBACKEND="Agg",
                  WANDB_MODE="disabled", GLOG_minloglevel="3")
AUFORGE, PHOTOS = "auforge", "photos"
NAMES = ["2008_001009.jpg", "2008_001322.jpg", "2008_002506.jpg", "2009_004587.jpg", "2008_007676.jpg"]


def auforge(*arguments, cwd=None):
    done = subprocess.run([AUFORGE, *map(str, arguments)], cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"auforge {' '.join(map(str, arguments))}: {done.returncode}\n{done.stderr}")
    return done.stdout


def load(name):
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        raise unittest.SkipTest(f"{name} cannot be loaded: {error}")


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        warnings.simplefilter("ignore")
        cls.dir = pathlib.Path(tempfile.mkdtemp(prefix="auforge-clients-"))
        (cls.dir / "photos").mkdir()
        for name in NAMES:
            shutil.copy(pathlib.Path(PHOTOS) / name, cls.dir / "photos")
            (cls.dir / "photos" / name).with_suffix(".txt").write_text(f"caption of {name}")
        auforge("annotate", "photos", "-o", "shards", "-q", "--min-face", "40", cwd=cls.dir)
        auforge("export", "shards", "-q", "--format", "jsonl", "-o", "faces.jsonl", cwd=cls.dir)
        cls.faces = [json.loads(line) for line in (cls.dir / "faces.jsonl").read_text().splitlines()]
        assert len(cls.faces) >= 8, len(cls.faces)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir, True)

    def test_webdataset(self):
        webdataset = load("webdataset")
        auforge("export", "shards", "-q", "--format", "webdataset", "--faces-per-tar", "3", "-o", "wds", cwd=self.dir)
        tars = sorted(glob.glob(str(self.dir / "wds/*.tar")))
        self.assertGreater(len(tars), 1)
        pipeline = (webdataset.WebDataset(tars, shardshuffle=False, empty_check=False).decode("pil").to_tuple("jpg", "json", "__key__"))
        seen = list(pipeline)
        self.assertEqual(len(seen), len(self.faces))
        for (picture, record, _), face in zip(seen, self.faces):
            self.assertEqual(picture.size[0], picture.size[1])
            self.assertEqual(record["aus"], face["aus"])
            self.assertEqual(record["landmarks"], face["landmarks"])
        # As a trainer would: shuffled, mapped to numbers, in batches.
        batches = (webdataset.WebDataset(tars, shardshuffle=2, empty_check=False).shuffle(100).decode("rgb")
                   .to_tuple("jpg", "json").map_tuple(lambda x: x, lambda r: r["aus"]["AU12"]["intensity"]).batched(4))
        rows = [au for _, aus in batches for au in aus]
        self.assertEqual(sorted(float(r) for r in rows), sorted(f["aus"]["AU12"]["intensity"] for f in self.faces))

    def test_datasets(self):
        datasets = load("datasets")
        cache = str(self.dir / "hf")
        auforge("export", "shards", "-q", "--format", "csv", "-o", "faces.csv", cwd=self.dir)
        auforge("export", "shards", "-q", "--format", "webdataset", "-o", "hfwds", cwd=self.dir)
        lines = datasets.load_dataset("json", data_files=str(self.dir / "faces.jsonl"), split="train", cache_dir=cache)
        self.assertEqual(len(lines), len(self.faces))
        self.assertEqual([r["aus"]["AU6"]["intensity"] for r in lines], [f["aus"]["AU6"]["intensity"] for f in self.faces])
        table = datasets.load_dataset("csv", data_files=str(self.dir / "faces.csv"), split="train", cache_dir=cache)
        self.assertEqual(table["key"][:], [f["key"] for f in self.faces])
        for got, face in zip(table["AU6_intensity"][:], self.faces):
            self.assertAlmostEqual(got, face["aus"]["AU6"]["intensity"], places=5)
        tars = datasets.load_dataset("webdataset", data_files=str(self.dir / "hfwds/*.tar"), split="train", cache_dir=cache)
        self.assertEqual(len(tars), len(self.faces))
        self.assertEqual(tars[0]["jpg"].size[0], tars[0]["jpg"].size[1])
        self.assertEqual(tars[0]["json"]["key"], self.faces[0]["key"])
        smiles = lines.filter(lambda r: r["aus"]["AU12"]["present"])
        self.assertEqual(len(smiles), sum(f["aus"]["AU12"]["present"] for f in self.faces))

    def test_parquet(self):
        """Every number as pyarrow, duckdb and datasets read it is h5py's."""
        pyarrow, duckdb, datasets, h5py, numpy = load("pyarrow.parquet"), load("duckdb"), load("datasets"), load("h5py"), load("numpy")
        path = str(self.dir / "faces.parquet")
        auforge("export", "shards", "-q", "--format", "parquet", "-o", path, cwd=self.dir)
        with h5py.File(self.dir / "shards/00000.h5") as file:
            wanted = self.columns_of(file, numpy)
            version = file.attrs["tool_version"]
        file = pyarrow.ParquetFile(path)
        metadata = file.schema_arrow.metadata
        self.assertEqual(metadata[b"auforge.format"], b"auforge-faces")
        self.assertEqual(metadata[b"auforge.tool_version"], version if isinstance(version, bytes) else version.encode())
        self.assertEqual(file.schema_arrow.names, list(wanted))
        group = file.metadata.row_group(0)
        for i in range(group.num_columns):
            column = group.column(i)
            if column.physical_type == "BYTE_ARRAY" and column.statistics.null_count < group.num_rows:
                self.assertIn("RLE_DICTIONARY", column.encodings, column.path_in_schema)
            if column.physical_type == "FLOAT" and column.statistics.has_min_max:
                name = column.path_in_schema.split(".")[0]
                values = [v for row in wanted[name] for v in (row if isinstance(row, list) else [row]) if v is not None]
                self.assertEqual((column.statistics.min, column.statistics.max), (min(values), max(values)), name)
        table = pyarrow.read_table(path, page_checksum_verification=True)
        table.validate(full=True)
        cursor = duckdb.connect().execute(f"select * from read_parquet('{path}')")
        names = [d[0] for d in cursor.description]
        rows = cursor.fetchall()
        of_duckdb = {name: [row[i] for row in rows] for i, name in enumerate(names)}
        loaded = datasets.load_dataset("parquet", data_files=path, split="train", cache_dir=str(self.dir / "hfparquet"))
        for name, values in wanted.items():
            # 32 bits are compared as such: each reader hands them out as the same double.
            self.assertEqual(table[name].to_pylist(), values, name)
            self.assertEqual([list(v) if isinstance(v, (list, tuple)) else v for v in of_duckdb[name]], values, name)
            self.assertEqual(list(loaded[name]), values, name)
        smiles = duckdb.connect().execute(f"select count(*) from '{path}' where AU12_intensity >= 1").fetchone()[0]
        self.assertEqual(smiles, sum(v >= 1 for v in wanted["AU12_intensity"]))
        # Chosen and sorted faces, several shards.
        auforge("annotate", "photos", "-o", "small", "-q", "--min-face", "40", "--shard-size", "2", cwd=self.dir)
        auforge("export", "small", "-q", "--format", "parquet", "--sort", "AU12", "-o", "sorted.parquet", cwd=self.dir)
        by_smile = pyarrow.read_table(self.dir / "sorted.parquet")
        self.assertEqual(by_smile["AU12_intensity"].to_pylist(), sorted(wanted["AU12_intensity"], reverse=True))
        self.assertGreater(len(set(by_smile["shard"].to_pylist())), 1)

    def columns_of(self, file, numpy):
        """The columns that docs/using-the-crawl.md lists, of one shard, from h5py alone."""
        def plain(array):
            return [None if isinstance(v, float) and v != v else v for v in array.tolist()]

        def text(array):
            return [v.decode() or None for v in array]

        faces, samples = file["faces"], file["samples"]
        of_sample = faces["sample"][:]
        n = len(of_sample)
        aus = [name.decode() if isinstance(name, bytes) else name for name in file.attrs["au_names"]]
        emotions = [e.decode() if isinstance(e, bytes) else e for e in faces["emotion"].attrs["names"]]

        def attribute(name):
            value = file.attrs[name]
            return value.decode() if isinstance(value, bytes) else value

        columns = {"shard": ["00000.h5"] * n, "face": list(range(n))}
        for name in ("key", "url", "keywords"):
            columns[name] = text(samples[name][:][of_sample])
        for name in ("licence", "robots"):
            columns[name] = text(samples[name][:][of_sample]) if name in samples else [None] * n
        columns["sha256"] = [samples["sha256"][s].tobytes().hex() for s in of_sample]
        for side in ("width", "height"):
            columns[f"image_{side}"] = [v or None for v in samples[side][:][of_sample].tolist()]
        columns["frame"] = columns["timestamp"] = [None] * n
        columns["face_index"] = faces["face_index"][:].tolist()
        for i, name in enumerate(("box_x", "box_y", "box_width", "box_height")):
            columns[name] = plain(faces["box"][:, i])
        for i, name in enumerate(("yaw", "pitch", "roll")):
            columns[name] = plain(faces["pose"][:, i])
        columns["quality"], columns["detector_score"] = plain(faces["quality"][:]), plain(faces["detector_score"][:])
        columns["emotion"] = [emotions[e] for e in faces["emotion"][:]]
        columns["emotion_score"] = plain(faces["emotion_score"][:])
        columns["emotion_rule"] = [emotions[e] for e in faces["emotion_rule"][:]]
        for kind in ("intensity", "probability"):
            columns.update({f"{au}_{kind}": plain(faces[f"au_{kind}"][:, i]) for i, au in enumerate(aus)})
        columns.update({f"{au}_present": (faces["au_present"][:, i] != 0).tolist() for i, au in enumerate(aus)})
        columns.update({f"{au}_visible": (faces["au_visible"][:, i] != 0).tolist() for i, au in enumerate(aus)})
        middle = {f"AU{au}" for au in (17, 18, 22, 23, 25, 26, 28)}
        for half in ("left", "right"):
            columns.update({f"{au}_{half}": plain(faces[f"au_{half}"][:, i]) for i, au in enumerate(aus) if au not in middle})
        columns["landmarks"] = faces["landmarks"][:].reshape(n, -1).tolist()
        columns["crop_from_image"] = faces["crop_from_image"][:].reshape(n, -1).tolist()
        columns["source"], columns["model"] = [attribute("source")] * n, [attribute("model_digest")] * n
        return columns

    def serve(self, folder):
        """A server of a folder on this machine: its address."""
        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_address[1]}"

    def crawl(self, output, form="webdataset"):
        """img2dataset's own output of the photographs, captions in the list, one address dead: the addresses that live."""
        load("img2dataset")
        address = self.serve(self.dir / "photos")
        urls = [f"{address}/{name}" for name in NAMES]
        with open(self.dir / "urls.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["url", "caption", "license"])
            writer.writerows([url, f"words of {name}", "CC0-1.0"] for url, name in zip(urls, NAMES))
            writer.writerow([urls[0] + ".gone", "nothing there", "CC0-1.0"])
        program = pathlib.Path(sys.executable).parent / "img2dataset"
        done = subprocess.run([program, "--url_list", "urls.csv", "--input_format", "csv", "--url_col", "url", "--caption_col", "caption",
                               "--save_additional_columns", '["license"]', "--output_folder", output, "--output_format", form,
                               "--resize_mode", "no", "--processes_count", "1", "--thread_count", "2", "--number_sample_per_shard", "3",
                               "--enable_wandb", "False"], cwd=self.dir, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        return urls

    def labelled(self, inputs, output, *options):
        """annotate's summary, and the faces."""
        summary = json.loads(auforge("annotate", *inputs, "-o", output, "-q", "--json", "--min-face", "40", *options, cwd=self.dir))
        auforge("export", output, "-q", "--format", "jsonl", "-o", f"{output}.jsonl", cwd=self.dir)
        return summary, [json.loads(line) for line in (self.dir / f"{output}.jsonl").read_text().splitlines()]

    def test_img2dataset_feeds_us(self):
        urls = self.crawl("crawl")
        tars = sorted(p.name for p in (self.dir / "crawl").glob("*.tar"))
        self.assertEqual(tars, ["00000.tar", "00001.tar"])
        summary, faces = self.labelled(["crawl/{00000..00001}.tar"], "crawled")
        self.assertEqual(summary["images"], len(NAMES))
        self.assertEqual(summary["status"], {"ok": len(NAMES)})
        self.assertEqual(summary["crawl"], {"success": len(NAMES), "failed_to_download": 1})
        self.assertEqual({f["url"] for f in faces}, set(urls))
        self.assertTrue(all(f["keywords"].startswith("words of ") for f in faces))
        # img2dataset writes JPEGs anew, so the pictures are not the same bytes; their faces are the same people.
        self.assertAlmostEqual(len(faces), len(self.faces), delta=1)
        # The folder as a whole: the same, and its tables are nobody's litter.
        summary, again = self.labelled(["crawl"], "crawled-folder")
        self.assertEqual(summary["crawl"], {"success": len(NAMES), "failed_to_download": 1})
        self.assertNotIn("Parquet", summary["left_out"])
        self.assertEqual([f["url"] for f in again], [f["url"] for f in faces])

    def test_img2dataset_tables_tell_what_json_does_not(self):
        urls = self.crawl("bare")
        parquet = load("pyarrow.parquet")
        for tar in sorted((self.dir / "bare").glob("*.tar")):
            with tarfile.open(tar) as old, tarfile.open(str(tar) + ".new", "w") as new:
                for member in old:
                    if member.name.endswith(".jpg"):
                        new.addfile(member, old.extractfile(member))
            os.replace(str(tar) + ".new", tar)
        for form in ("snappy", "gzip", "zstd", "none"):
            summary, faces = self.labelled(["bare/{00000..00001}.tar"], f"bare-{form}")
            self.assertEqual({f["url"] for f in faces}, set(urls), form)
            self.assertTrue(all(f["keywords"].startswith("words of ") for f in faces))
            self.assertEqual(summary["crawl"], {"success": len(NAMES), "failed_to_download": 1})
            for table in (self.dir / "bare").glob("*.parquet"):
                following = {"snappy": "gzip", "gzip": "zstd", "zstd": "none", "none": "brotli"}[form]
                parquet.write_table(parquet.read_table(table), table, compression=following)
        # What is not read is named and costs the texts alone.
        summary, faces = self.labelled(["bare/{00000..00001}.tar"], "bare-brotli")
        self.assertEqual((summary["images"], summary["crawl"]), (len(NAMES), {}))
        self.assertTrue(all(not f["url"] for f in faces))
        said = auforge("annotate", "bare/{00000..00001}.tar", "-o", "bare-said", "-q", "--min-face", "40", cwd=self.dir)
        self.assertIn("crawl tables that could not be read: 2", said)
        self.assertIn("Brotli", said)
        # Its folders of loose files, without the texts beside the pictures.
        urls = self.crawl("loose", "files")
        for text in [*(self.dir / "loose").glob("*/*.json"), *(self.dir / "loose").glob("*/*.txt")]:
            text.unlink()
        summary, faces = self.labelled(["loose"], "loosened")
        self.assertEqual({f["url"] for f in faces}, set(urls))
        self.assertEqual(summary["crawl"], {"success": len(NAMES), "failed_to_download": 1})
        import h5py
        with h5py.File(self.dir / "loosened/00000.h5") as file:
            self.assertEqual({v.decode() for v in file["samples/licence"][:]}, {"CC0-1.0"})

    def test_curl_feeds_us(self):
        """A crawl on a server: curl's stream gives the shards of the files, a dead address fails and is fetched alone the next time."""
        if shutil.which("curl") is None:
            self.skipTest("curl is not installed")
        self.crawl("remote")
        address = self.serve(self.dir / "remote")
        local, faces = self.labelled(["remote/{00000..00001}.tar"], "from-disk")
        summary, fetched = self.labelled([address + "/{00000..00001}.tar"], "from-server", "--fetch", "curl -sf {}")
        self.assertEqual(summary["status"], local["status"])
        for face, other in zip(fetched, faces, strict=True):
            self.assertEqual({**face, "shard": ""}, {**other, "shard": ""})
        (self.dir / "remote/00001.tar").rename(self.dir / "remote/away.tar")
        for command, said in (("curl -sSf {}", "404"), ("curl -s {}", "HTML")):
            done = subprocess.run([AUFORGE, "annotate", "--fetch", command, address + "/{00000..00001}.tar", "-o", "half", "-q", "--min-face", "40"],
                                  cwd=self.dir, capture_output=True, text=True)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn(said, done.stderr)
            self.assertEqual(sorted(p.name for p in (self.dir / "half").glob("*.h5")), ["00000.h5"])
        (self.dir / "remote/away.tar").rename(self.dir / "remote/00001.tar")
        summary, fetched = self.labelled([address + "/{00000..00001}.tar"], "half", "--fetch", "curl -sSf {}")
        self.assertEqual((summary["shards_written"], summary["shards_skipped"]), (1, 1))
        self.assertEqual(len(fetched), len(faces))

    def test_pytorch_trains_on_shards(self):
        torch = load("torch")
        h5py, image, numpy = load("h5py"), load("PIL.Image"), load("numpy")
        self.assertGreaterEqual(int(torch.__version__.split(".")[0]), 2)
        path = str(self.dir / "shards/00000.h5")

        class Shard(torch.utils.data.Dataset):
            """Opened where it is read, so that workers may be forked."""
            file = None

            def __len__(self):
                with h5py.File(path) as file:
                    return len(file["faces/sample"])

            def __getitem__(self, i):
                self.file = self.file or h5py.File(path)
                begin, end = map(int, self.file["faces/image_offsets"][i:i + 2])
                picture = image.open(io.BytesIO(self.file["faces/image_bytes"][begin:end].tobytes())).convert("RGB")
                pixels = torch.tensor(numpy.asarray(picture), dtype=torch.float32).permute(2, 0, 1) / 127.5 - 1
                return pixels, torch.from_numpy(self.file["faces/au_intensity"][i])

        torch.manual_seed(1)
        loader = torch.utils.data.DataLoader(Shard(), batch_size=8, num_workers=2)
        pictures, aus = next(iter(loader))
        self.assertEqual(aus.shape[0], pictures.shape[0])
        model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 5, 4), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(4), torch.nn.Flatten(),
                                    torch.nn.Linear(128, aus.shape[1]))
        optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
        losses = []
        for _ in range(10):
            loss = torch.nn.functional.mse_loss(model(pictures), aus)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        self.assertLess(losses[-1], losses[0])

    def test_tensorboard_reads_our_events(self):
        accumulator = load("tensorboard.backend.event_processing.event_accumulator")
        if not (pathlib.Path(AUFORGE).parent / "auforge-gan").exists():
            self.skipTest("auforge-gan is not built")
        auforge("gan", "train", "shards", "-o", "run", "-q", "-j", "1", "--image-size", "32", "--conv-dim", "4",
                "--critic-layers", "3", "--blocks", "1", "--batch", "4", "--max-steps", "6", cwd=self.dir)
        events = accumulator.EventAccumulator(str(self.dir / "run"), size_guidance={"scalars": 0, "images": 0})
        events.Reload()
        tags = events.Tags()
        self.assertTrue(tags["scalars"])
        with open(self.dir / "run/metrics.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertTrue(rows)
        shared = 0
        for tag in tags["scalars"]:
            values = events.Scalars(tag)
            self.assertEqual([v.step for v in values], sorted(v.step for v in values))
            column = tag if tag in rows[0] else tag.split("/")[-1]
            if column in rows[0]:
                shared += 1
                table = {int(float(r["step"])): float(r[column]) for r in rows if r[column] not in ("", "nan")}
                for v in values:
                    if v.step in table:
                        self.assertAlmostEqual(v.value, table[v.step], delta=1e-3 * max(1, abs(v.value)))
        self.assertGreater(shared, 2, tags["scalars"])
        for tag in tags["images"]:
            picture = events.Images(tag)[0]
            size = load("PIL.Image").open(io.BytesIO(picture.encoded_image_string)).size
            self.assertEqual(size, (picture.width, picture.height))

    def test_pandas_code_for_openface(self):
        pandas = load("pandas")
        auforge("export", "shards", "-q", "--format", "openface", "-o", "openface.csv", cwd=self.dir)
        # The three ways that people read OpenFace's tables, whose names have a blank in front.
        plain = pandas.read_csv(self.dir / "openface.csv")
        self.assertIn(" AU12_r", plain.columns)
        self.assertIn(" success", plain.columns)
        stripped = plain.rename(columns=lambda name: name.strip())
        skipped = pandas.read_csv(self.dir / "openface.csv", skipinitialspace=True)
        self.assertEqual(list(stripped.columns), list(skipped.columns))
        table = skipped
        self.assertEqual(list(table.columns[:5]), ["frame", "face_id", "timestamp", "confidence", "success"])
        intensities = [f"AU{n:02}_r" for n in (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)]
        presences = [name[:4] + "_c" for name in intensities] + ["AU28_c"]
        for name in intensities + presences + [f"{a}_{i}" for a in "xy" for i in range(68)] + ["pose_Rx", "pose_Ry", "pose_Rz"]:
            self.assertIn(name, table.columns)
        good = table[(table["success"] == 1) & (table["confidence"] > 0)]
        self.assertEqual(len(good), len(self.faces))
        self.assertTrue(good[intensities].apply(lambda c: c.between(0, 5).all()).all())
        self.assertTrue(good[presences].isin([0, 1]).all().all())
        happiness = good[["AU06_r", "AU12_r"]].mean(axis=1)
        wanted = [(f["aus"]["AU6"]["intensity"] + f["aus"]["AU12"]["intensity"]) / 2 for f in self.faces]
        for got, want in zip(happiness, wanted):
            self.assertAlmostEqual(got, want, delta=0.006)
        per_frame = good.groupby("frame")["AU12_r"].max()
        self.assertEqual(len(per_frame), len({f["key"] for f in self.faces}))

    def test_mediapipe_beside_us(self):
        """The same faces found by MediaPipe's mesh; its vertices nearest to the 68 points."""
        numpy, image = load("numpy"), load("PIL.Image")
        mediapipe = load("mediapipe")
        if not hasattr(mediapipe, "solutions"):
            self.skipTest("this MediaPipe does not bring its face mesh with it")
        mesh_of_68 = [162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,
                      71, 63, 105, 66, 107, 336, 296, 334, 293, 301, 168, 197, 5, 4, 75, 97, 2, 326, 305,
                      33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
                      61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87]
        inner = list(range(27, 68))  # nose, eyes, mouth: defined alike; jaw and brows are drawn differently
        distances, plots = [], []
        with contextlib.closing(mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=False)) as mesh:
            for face in self.faces:
                picture = image.open(self.dir / "photos" / face["key"]).convert("RGB")
                x, y, w, h = face["box"]
                box = [int(v) for v in (max(0, x - w / 2), max(0, y - h / 2), min(picture.width, x + 1.5 * w), min(picture.height, y + 1.5 * h))]
                cut = picture.crop(box)
                scale = 512 / max(cut.size)
                found = mesh.process(numpy.asarray(cut.resize([round(s * scale) for s in cut.size])))
                if not found.multi_face_landmarks:
                    continue
                points = found.multi_face_landmarks[0].landmark
                theirs = numpy.array([[box[0] + points[i].x * cut.width, box[1] + points[i].y * cut.height] for i in mesh_of_68])
                ours = numpy.array(face["landmarks"])
                eyes = numpy.linalg.norm(ours[36:42].mean(0) - ours[42:48].mean(0))
                distance = numpy.linalg.norm(ours - theirs, axis=1) / eyes
                if numpy.median(distance[inner]) > 0.5:
                    continue  # another face of the crop
                distances.append(distance)
                plots.append((picture.crop(box), ours - box[:2], theirs - box[:2]))
        self.assertGreaterEqual(len(distances), len(self.faces) // 2)
        distances = numpy.array(distances)
        medians = {"all 68 points": numpy.median(distances), "nose, eyes and mouth": numpy.median(distances[:, inner])}
        print(f"\n{len(distances)} faces; median distance of corresponding points, in distances between the eyes: " +
              ", ".join(f"{name} {value:.3f}" for name, value in medians.items()))
        self.assertLess(medians["nose, eyes and mouth"], 0.08)
        self.plot(plots[:8])

    def plot(self, plots):
        pyplot = load("matplotlib.pyplot")
        figure, axes = pyplot.subplots(2, 4, figsize=(16, 8))
        for axis in axes.flat:
            axis.axis("off")
        for axis, (picture, ours, theirs) in zip(axes.flat, plots):
            axis.imshow(picture)
            axis.scatter(*ours.T, s=8, c="orange", label="AuForge")
            axis.scatter(*theirs.T, s=8, c="deepskyblue", label="MediaPipe")
        axes.flat[0].legend(loc="lower left")
        out = pathlib.Path(os.environ.get("AUFORGE_CLIENTS_OUT", self.dir)) / "landmarks.png"
        figure.savefig(out, bbox_inches="tight")
        self.assertGreater(out.stat().st_size, 10_000)


if __name__ == "__main__":
    AUFORGE, PHOTOS = os.path.abspath(sys.argv.pop(1)), os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
