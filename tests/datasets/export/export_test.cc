// Every exported form, read back: by our own readers, by plain Python without our code, by the system's tar.
#include "datasets/export/exporter.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "datasets/export/face_text.h"
#include "datasets/storage/atomic_file.h"
#include "tests/datasets/query/crawl.h"
#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets {
namespace {

namespace fs = std::filesystem;

bool HavePython(const std::string& module) {
  return std::system(("/usr/bin/python3 -c 'import " + module + "' 2>/dev/null").c_str()) == 0;
}

class Export : public testing::Test {
 protected:
  Export() {
    options_.images = 40;
    options_.pictures = true;
    options_.aus = features::CatalogueSchema().numbers();
    tests::WriteCrawl(dir_ / "shards", options_);
  }
  // Exports every second face of each shard and returns how many.
  std::size_t Run(const std::string& format, const std::string& output, int faces_per_tar = 10000) {
    ExportOptions options{format, dir_ / output, faces_per_tar, 0.25};
    const auto exporter = MakeExporter(options);
    std::size_t count = 0;
    for (const std::string& path : FindShards({dir_ / "shards"})) {
      const ShardReader shard(path);
      std::vector<std::uint32_t> faces;
      for (std::uint32_t i = 0; i < shard.FaceCount(); i += 2) faces.push_back(i);
      exporter->Add(shard, faces);
      count += faces.size();
    }
    notes_ = exporter->Finish();
    return count;
  }
  // Runs Python with the given arguments behind the script.
  int Python(const std::string& script, const std::string& arguments) {
    tests::WriteText(dir_ / "check.py", script);
    return std::system(("/usr/bin/python3 " + (dir_ / "check.py") + " " + arguments).c_str());
  }

  tests::TempDir dir_;
  tests::CrawlOptions options_;
  std::vector<std::string> notes_;
};

TEST_F(Export, CsvIsReadByPythonAndRunsNothing) {
  const std::size_t count = Run("csv", "faces.csv");
  EXPECT_EQ(Python(R"py(
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline="", encoding="utf-8")))
assert len(rows) == int(sys.argv[2]), len(rows)
for row in rows:
    assert None not in row and None not in row.values(), row
    assert 0 <= float(row["AU12_intensity"]) <= 5 and 0 <= float(row["AU12_probability"]) <= 1
    assert (float(row["AU12_intensity"]) >= 1) == (row["AU12_present"] == "1")
    assert all(not row[name].startswith(("=", "+", "-", "@")) for name in ("key", "url", "keywords")), row
assert any(row["keywords"] == "'=1+1" for row in rows), "the hostile caption is gone"
assert any(row["keywords"] == "\"quoted\" fear of heights" for row in rows)
)py",
                   (dir_ / "faces.csv") + " " + std::to_string(count)),
            0);
}

TEST_F(Export, JsonLinesGiveTheSameFloatsBack) {
  const std::size_t count = Run("jsonl", "faces.jsonl");
  if (!HavePython("h5py")) GTEST_SKIP() << "python3-h5py is not installed; tools/install-deps.sh installs it";
  EXPECT_EQ(Python(R"py(
import json, sys, h5py, numpy as np
lines = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
assert len(lines) == int(sys.argv[2]), len(lines)
shards = {}
for line in lines:
    f = shards.setdefault(line["shard"], h5py.File(sys.argv[3] + "/" + line["shard"]))
    i = line["face"]
    names = [n.decode() if isinstance(n, bytes) else n for n in f.attrs["au_names"]]
    assert [np.float32(line["aus"][n]["intensity"]) for n in names] == list(f["faces/au_intensity"][i])
    assert [np.float32(line["aus"][n]["probability"]) for n in names] == list(f["faces/au_probability"][i])
    assert np.array_equal(np.float32(line["landmarks"]), f["faces/landmarks"][i])
    assert np.array_equal(np.float32(line["box"]), f["faces/box"][i])
    assert np.array_equal(np.float32(line["crop_from_image"]), f["faces/crop_from_image"][i])
    assert line["keywords"].encode() == f["samples/keywords"][f["faces/sample"][i]], line["keywords"]
)py",
                   (dir_ / "faces.jsonl") + " " + std::to_string(count) + " " + (dir_ / "shards")),
            0);
}

// The header that OpenFace's documentation gives, reduced to what we measure; written out, not computed.
std::string DocumentedHeader(const std::string& first) {
  std::string header = first + ", pose_Rx, pose_Ry, pose_Rz";
  for (const char* axis : {"x", "y"}) {
    for (int i = 0; i < 68; ++i) header += std::string(", ") + axis + "_" + std::to_string(i);
  }
  return header +
         ", AU01_r, AU02_r, AU04_r, AU05_r, AU06_r, AU07_r, AU09_r, AU10_r, AU12_r, AU14_r, AU15_r, AU17_r, "
         "AU20_r, AU23_r, "
         "AU25_r, AU26_r, AU45_r, AU01_c, AU02_c, AU04_c, AU05_c, AU06_c, AU07_c, AU09_c, AU10_c, AU12_c, "
         "AU14_c, AU15_c, "
         "AU17_c, AU20_c, AU23_c, AU25_c, AU26_c, AU28_c, AU45_c";
}

TEST_F(Export, OpenFaceTableHasTheDocumentedColumns) {
  const std::size_t count = Run("openface", "faces.csv");
  EXPECT_TRUE(notes_.empty());
  const std::string text = tests::ReadText(dir_ / "faces.csv");
  EXPECT_EQ(text.substr(0, text.find('\n')),
            DocumentedHeader("frame, face_id, timestamp, confidence, success"));
  // As scripts for OpenFace's output read it: split at the comma, names stripped, rows kept where success
  // is 1.
  EXPECT_EQ(Python(R"py(
import csv, math, sys
rows = list(csv.reader(open(sys.argv[1])))
names = [name.strip() for name in rows[0]]
kept = 0
for row in rows[1:]:
    assert len(row) == len(names), (len(row), len(names))
    values = {name: float(value) for name, value in zip(names, row)}
    if values["success"] != 1 or values["confidence"] < 0: continue
    kept += 1
    aus = [name for name in names if name.endswith("_r")]
    assert len(aus) == 17 and all(0 <= values[name] <= 5 for name in aus)
    assert all(values[name] in (0, 1) for name in names if name.endswith("_c"))
    assert abs(values["pose_Ry"]) <= math.radians(61)
    xs = [values["x_%d" % i] for i in range(68)]
    assert max(xs) - min(xs) > 50
assert kept == int(sys.argv[2]), kept
frames = list(csv.DictReader(open(sys.argv[1][:-4] + "_frames.csv")))
assert len(frames) == len({row[0] for row in rows[1:]}) and frames[0]["frame"] == "1" and frames[0]["key"]
)py",
                   (dir_ / "faces.csv") + " " + std::to_string(count)),
            0);
}

TEST_F(Export, OpenFaceValuesAreOurs) {
  Run("openface", "faces.csv");
  const ShardReader shard(FindShards({dir_ / "shards"})[0]);
  std::istringstream lines(tests::ReadText(dir_ / "faces.csv"));
  std::string header, row;
  std::getline(lines, header);
  std::getline(lines, row);
  const auto value = [&](const std::string& name) {
    std::istringstream names(header), values(row);
    for (std::string n, v; std::getline(names, n, ',') && std::getline(values, v, ',');) {
      if (n == " " + name) return std::stof(v);
    }
    ADD_FAILURE() << "no column " << name;
    return 0.0F;
  };
  EXPECT_NEAR(value("x_30"), shard.Landmarks(0)[30].x - 0.5F, 0.051);
  EXPECT_NEAR(value("y_8"), shard.Landmarks(0)[8].y - 0.5F, 0.051);
  EXPECT_NEAR(value("pose_Rx"), -shard.Pose(0).pitch * 3.14159265F / 180, 0.0011);
  EXPECT_NEAR(value("pose_Ry"), -shard.Pose(0).yaw * 3.14159265F / 180, 0.0011);
  EXPECT_NEAR(value("pose_Rz"), shard.Pose(0).roll * 3.14159265F / 180, 0.0011);
  EXPECT_NEAR(value("AU12_r"), shard.AuIntensity()[*shard.header().schema.Find(12)], 0.0051);
  EXPECT_EQ(value("AU28_c"), static_cast<float>(shard.AuPresent()[*shard.header().schema.Find(28)]));
}

TEST_F(Export, OpenFaceFolderHasAFileAnImageWithASafeName) {
  ShardHeader header = tests::CrawlHeader(options_);
  ShardWriter writer(dir_ / "hostile", 0, header);
  const ShardReader from(FindShards({dir_ / "shards"})[0]);
  for (const char* key : {"../../etc/passwd", "/root/.ssh/x", ".hidden", "a b", "a/b", ""}) {
    SampleRecord sample;
    sample.key = key;
    FaceRecord face = from.Face(0);
    face.image = from.FaceImage(0);
    face.sample = writer.AddSample(sample);
    writer.AddFace(std::move(face));
  }
  writer.Finish();
  const auto exporter = MakeExporter({"openface", dir_ / "out"});
  const ShardReader shard(dir_ / "hostile/00000.h5");
  const std::vector<std::uint32_t> all{0, 1, 2, 3, 4, 5};
  exporter->Add(shard, all);
  exporter->Finish();
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(dir_ / "out")) {
    ASSERT_TRUE(entry.is_regular_file());
    EXPECT_EQ(entry.path().parent_path(), fs::path(dir_ / "out"));
    EXPECT_NE(entry.path().filename().string()[0], '.');
    ++files;
  }
  EXPECT_EQ(files, 6U);
  const std::string text = tests::ReadText(dir_ / "out/a_b.csv");
  EXPECT_EQ(text.substr(0, text.find('\n')), DocumentedHeader("face, confidence"));
}

TEST_F(Export, OpenFaceLeavesOutWhatIsNotMeasured) {
  tests::CrawlOptions few;
  few.aus = {1, 12};
  tests::WriteCrawl(dir_ / "few", few);
  const auto exporter = MakeExporter({"openface", dir_ / "few.csv"});
  const std::vector<std::uint32_t> first{0};
  exporter->Add(ShardReader(FindShards({dir_ / "few"})[0]), first);
  const auto notes = exporter->Finish();
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_NE(notes[0].find("AU28"), std::string::npos);
  const std::string text = tests::ReadText(dir_ / "few.csv");
  EXPECT_NE(text.find("y_67, AU01_r, AU12_r, AU01_c, AU12_c\n"), std::string::npos);
}

TEST_F(Export, GanimationFolderIsReadAsItsOwnPreparationReadsIt) {
  const std::size_t count = Run("ganimation", "gan");
  if (!HavePython("numpy"))
    GTEST_SKIP() << "python3-numpy is not installed; tools/install-deps.sh installs it";
  EXPECT_EQ(Python(R"py(
import glob, os, sys, numpy as np
root = sys.argv[1]
aus = {}
for path in sorted(glob.glob(root + "/aus/*.csv")):
    # np.loadtxt(path, delimiter=", ", skiprows=1) of the numpy of its time; today's takes one character only.
    row = np.array([float(value) for value in open(path).read().splitlines()[1].split(", ")])
    aus[os.path.basename(path)[:-4]] = row[2:19]
train = np.loadtxt(root + "/train_ids.csv", dtype=str, ndmin=1)
test = np.loadtxt(root + "/test_ids.csv", dtype=str, ndmin=1)
assert len(train) + len(test) == int(sys.argv[2]) and abs(len(test) - 0.25 * int(sys.argv[2])) <= 1
for name in list(train) + list(test):
    assert open(root + "/imgs/" + name, "rb").read(2) == b"\xff\xd8"
    values = aus[os.path.splitext(name)[0]]
    assert values.shape == (17,) and (values >= 0).all() and (values <= 5).all()
)py",
                   (dir_ / "gan") + " " + std::to_string(count)),
            0);
}

TEST_F(Export, WebdatasetTarsHoldPairsThatFollowEachOther) {
  const std::size_t count = Run("webdataset", "tars", 10);
  EXPECT_EQ(Python(R"py(
import glob, io, json, sys, tarfile
seen = 0
paths = sorted(glob.glob(sys.argv[1] + "/*.tar"))
assert [p[-9:] for p in paths] == ["%05d.tar" % i for i in range(len(paths))]
for path in paths:
    with tarfile.open(path) as tar:
        members = tar.getmembers()
        assert len(members) <= 20 and all(m.isreg() and "/" not in m.name for m in members)
        for picture, text in zip(members[::2], members[1::2]):
            assert picture.name.split(".")[0] == text.name.split(".")[0]
            assert tar.extractfile(picture).read(2) == b"\xff\xd8"
            face = json.load(tar.extractfile(text))
            assert set(face["aus"]["AU12"]) == {"intensity", "probability", "present", "left", "right"}
            seen += 1
assert seen == int(sys.argv[2]), seen
)py",
                   (dir_ / "tars") + " " + std::to_string(count)),
            0);
  const std::size_t again = Run("webdataset", "again", 10);
  EXPECT_EQ(again, count);
  EXPECT_EQ(tests::ReadText(dir_ / "tars/00000.tar"), tests::ReadText(dir_ / "again/00000.tar"))
      << "not the same bytes";
}

TEST_F(Export, ShardsKeepEverythingOfTheirFaces) {
  ShardHeader header = tests::CrawlHeader(options_);
  const ShardReader from(FindShards({dir_ / "shards"})[0]);
  {
    ShardWriter writer(dir_ / "exact", 0, header);
    for (std::size_t i = 0; i < 5; ++i) {
      FaceRecord face = from.Face(i);
      face.image = from.FaceImage(i);
      face.sample = writer.AddSample(from.Sample(static_cast<std::size_t>(face.sample)));
      writer.AddFace(std::move(face));
    }
    writer.AddExtra(ExtraDataset{"/synthetic/light", {5, 2}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}});
    writer.AddExtra(ExtraStrings{"/synthetic/person", {"a", "b", "c", "d", "e"}});
    writer.AddExtra(ExtraDataset{"/synthetic/once", {1}, {7}});
    writer.Finish();
  }
  const auto exporter = MakeExporter({"shards", dir_ / "chosen"});
  const std::vector<std::uint32_t> chosen{1, 4};
  exporter->Add(ShardReader(dir_ / "exact/00000.h5"), chosen);
  exporter->Finish();
  const std::string path = dir_ / "chosen/00000.h5";
  EXPECT_TRUE(VerifyShard(path).empty());
  const ShardReader shard(path);
  ASSERT_EQ(shard.FaceCount(), 2U);
  EXPECT_EQ(shard.FaceImage(1), from.FaceImage(4));
  EXPECT_EQ(shard.Face(0).aus.intensity, from.Face(1).aus.intensity);
  EXPECT_EQ(shard.Sample(static_cast<std::size_t>(shard.FaceSample()[1])).key,
            from.Sample(static_cast<std::size_t>(from.FaceSample()[4])).key);
  EXPECT_EQ(shard.Extra("/synthetic/light")->values, (std::vector<float>{2, 3, 8, 9}));
  EXPECT_EQ(shard.ExtraText("/synthetic/person")->values, (std::vector<std::string>{"b", "e"}));
  EXPECT_EQ(shard.Extra("/synthetic/once")->values, std::vector<float>{7}) << "of no face, and still not lost";
}

TEST_F(Export, NothingIsSeenBeforeItIsWhole) {
  for (const std::string& format : ExportFormats()) {
    const std::string output = dir_ / ("half-" + format);
    {
      const auto exporter = MakeExporter({format, output});
      const std::vector<std::uint32_t> first{0};
      exporter->Add(ShardReader(FindShards({dir_ / "shards"})[0]), first);
      EXPECT_FALSE(fs::exists(output)) << format;
    }
    for (const auto& entry : fs::directory_iterator(dir_.path())) {
      EXPECT_EQ(entry.path().filename().string().find("half-"), std::string::npos)
          << entry.path() << " was left behind";
    }
  }
}

TEST_F(Export, RefusesWhatWouldBeLost) {
  fs::create_directories(dir_ / "full");
  tests::WriteText(dir_ / "full/precious", "x");
  for (const char* format : {"ganimation", "webdataset", "shards", "openface"}) {
    EXPECT_THROW(MakeExporter({format, dir_ / "full"}), std::invalid_argument) << format;
  }
  EXPECT_THROW(MakeExporter({"csv", dir_ / "full"}), std::invalid_argument);
  EXPECT_THROW(MakeExporter({"xml", dir_ / "x"}), std::invalid_argument);
  EXPECT_THROW(MakeExporter({"csv", ""}), std::invalid_argument);
  EXPECT_THROW(MakeExporter({"webdataset", dir_ / "x", 0}), std::invalid_argument);
  EXPECT_THROW(MakeExporter({"ganimation", dir_ / "x", 1, 2}), std::invalid_argument);
  EXPECT_TRUE(fs::exists(dir_ / "full/precious"));
}

TEST(FaceText, QuotesWhatOthersWrote) {
  EXPECT_EQ(CsvText("plain"), "plain");
  EXPECT_EQ(CsvText("a,b"), "\"a,b\"");
  EXPECT_EQ(CsvText("say \"x\"\n"), "\"say \"\"x\"\"\n\"");
  EXPECT_EQ(CsvText("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
  EXPECT_EQ(CsvText("@SUM(1,2)"), "\"'@SUM(1,2)\"");
  EXPECT_EQ(JsonText("a\"b\\\n\x01"), R"("a\"b\\\n\u0001")");
  EXPECT_EQ(JsonText("bad \xff"), "\"bad \xEF\xBF\xBD\"");
  EXPECT_EQ(NumberText(0.1F), "0.1");
  EXPECT_EQ(NumberText(2.0F), "2");
}

}  // namespace
}  // namespace auforge::datasets
