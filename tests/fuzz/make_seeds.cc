// Writes small valid inputs for the fuzz targets: make_seeds DIR gives DIR/image, DIR/tar, DIR/shard, …
#include <archive.h>
#include <archive_entry.h>
#include <dlib/image_processing/shape_predictor.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "annotator/internal/au_model_file.h"
#include "annotator/internal/au_model_weights.h"
#include "datasets/image_codec.h"
#include "datasets/shard.h"
#include "features/learnt_net.h"
#include "tests/support/learnt_net.h"

namespace {

using namespace auforge;
namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

void WriteBytes(const fs::path& path, const void* data, std::size_t size) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary)
      .write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
}

cv::Mat Picture(int type) {
  cv::Mat picture(24, 32, type);
  cv::randu(picture, 0, 255);
  cv::blur(picture, picture, {5, 5});
  return picture;
}

void Images(const fs::path& folder) {
  const auto save = [&folder](const char* name, const cv::Mat& picture, const char* ending,
                              const std::vector<int>& how = {}) {
    Bytes bytes;
    cv::imencode(ending, picture, bytes, how);
    WriteBytes(folder / name, bytes.data(), bytes.size());
  };
  const cv::Mat colour = Picture(CV_8UC3), grey = Picture(CV_8UC1), alpha = Picture(CV_8UC4);
  cv::Mat deep;
  colour.convertTo(deep, CV_16UC3, 200);
  save("colour.jpg", colour, ".jpg");
  save("grey.jpg", grey, ".jpg");
  save("progressive.jpg", colour, ".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1});
  save("colour.png", colour, ".png");
  save("grey.png", grey, ".png");
  save("alpha.png", alpha, ".png");
  save("deep.png", deep, ".png");
  save("lossy.webp", colour, ".webp", {cv::IMWRITE_WEBP_QUALITY, 50});
  save("lossless.webp", alpha, ".webp", {cv::IMWRITE_WEBP_QUALITY, 101});
  save("colour.bmp", colour, ".bmp");
  save("grey.bmp", grey, ".bmp");
  save("colour.tif", colour, ".tif");
  save("deep.tif", deep, ".tif", {cv::IMWRITE_TIFF_COMPRESSION, 8});
  const std::uint8_t gif[] = {'G',  'I', 'F', '8', '9', 'a', 2,    0,    2,    0,   0x91, 0,   0,
                              255,  0,   0,   0,   255, 0,   0,    0,    255,  255, 255,  255, 0x21,
                              0xF9, 4,   1,   0,   0,   3,   0,    0x2C, 0,    0,   0,    0,   2,
                              0,    2,   0,   0,   2,   3,   0x44, 0x34, 0x05, 0,   0x3B};
  WriteBytes(folder / "frame.gif", gif, sizeof(gif));
}

void Tar(const fs::path& path, int format, int filter) {
  fs::create_directories(path.parent_path());
  archive* out = archive_write_new();
  archive_write_set_format(out, format);
  archive_write_add_filter(out, filter);
  archive_write_open_filename(out, path.c_str());
  const std::pair<std::string, std::string> members[] = {
      {"000.jpg", "\xFF\xD8\xFF"},
      {"000.txt", "a caption"},
      {"000.json", R"({"url":"http://x/","license":"CC0","caption":"c"})"},
      {"../é/" + std::string(120, 'n') + ".png", "\x89PNG"},
      {"000.jpg", "again"},
      {"My Photo 2.0 (final).jpg", "\xFF\xD8\xFF"},
      {"no ending", "\x89PNG\r\n\x1A\n"},
      {"000.link.jpg", ""},
      {"My Photo 2.0 (final).txt", "caf\xE9"},
      {"__meta__.json", "{}"}};
  for (const auto& [name, content] : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    if (name == "000.link.jpg") archive_entry_set_hardlink(entry, "000.jpg");
    archive_write_header(out, entry);
    archive_write_data(out, content.data(), content.size());
    archive_entry_free(entry);
  }
  archive_write_free(out);
}

void Shard(const fs::path& folder) {
  const fs::path made = folder.parent_path() / "shard-made";
  datasets::ShardHeader header;
  header.schema = features::AuSchema::FromNames({"AU01", "AU12"});
  header.emotion_names = {"none", "happy"};
  datasets::ShardWriter writer(made.string(), 0, header);
  datasets::SampleRecord sample;
  sample.key = "a.jpg";
  sample.url = "http://x/";
  datasets::FaceRecord face;
  face.sample = writer.AddSample(sample);
  sample.status = datasets::Outcome::kNoFace;
  writer.AddSample(sample);
  face.image = datasets::EncodeJpeg(cv::Mat(16, 16, CV_8UC3, cv::Scalar::all(90)), 90);
  face.aus.intensity = {0.5F, 2};
  face.aus.probability = {0.2F, 0.9F};
  face.aus.present = {0, 1};
  face.aus.left = {0.5F, 0.25F};
  face.aus.right = {0.25F, 2};
  face.emotion_score = 0.5F;
  face.emotion_rule = 1;
  writer.AddFace(face);
  writer.Finish();
  fs::create_directories(folder);
  fs::copy_file(made / "00000.h5", folder / "small.h5", fs::copy_options::overwrite_existing);
  fs::remove_all(made);
}

features::LearntNet SmallNet() {
  return features::LearntNet::FromWeights(tests::RandomNet({16, 4, 2, {{8, 2}, {3, 1}}}, 1));
}

annotator::Head ModelHead(const std::string& name, const features::FeatureExtractor& extractor) {
  annotator::Head head;
  head.name = name;
  for (const auto& block : extractor.Blocks()) {
    annotator::BlockProjection projection{
        block.name, 1, {}, std::vector<float>(block.size, 0.5F), std::vector<float>(block.size, 0.1F), {}};
    for (std::size_t c = block.begin; c < block.begin + block.size; ++c) {
      projection.columns.insert(projection.columns.end(), 2, static_cast<std::uint32_t>(c));
    }
    head.blocks.push_back(std::move(projection));
    ++head.components;
  }
  head.gamma = 0.5F;
  head.centre_count = 2;
  head.centres.assign(2 * head.components, 1);
  head.coefficients = {1, -1};
  head.bias = {0.5F};
  return head;
}

// What every model of one AU has: one head, no optional part.
std::unique_ptr<annotator::AuModel::Weights> ModelWeights() {
  auto w = std::make_unique<annotator::AuModel::Weights>();
  w->info.schema = features::AuSchema::FromNames({"AU12"});
  w->info.features.shape = features::ShapeKind::kNone;
  w->info.features.gabor_options.wavelengths = {8};
  w->info.features.gabor_options.orientations = 1;
  w->info.learner = "nystrom";
  w->info.confidence = {"weak"};
  w->info.looks_at = {"whole"};
  w->heads.push_back(ModelHead("whole", features::FeatureExtractor(w->info.features)));
  w->mix = {1};
  w->calibration = {{0.5F, 1, 1, 0, 1}};
  return w;
}

// Plain, with every optional part, and of the learner that stores other parts; compressed as models are, and
// not, so that single numbers can be damaged.
void AuModels(const fs::path& folder) {
  const auto save = [&folder](std::unique_ptr<annotator::AuModel::Weights> weights, const std::string& name) {
    const annotator::AuModel model(std::move(weights));  // checks them and makes the digest
    fs::create_directories(folder);
    annotator::SaveAuModel(model.weights(), folder / (name + ".h5"), annotator::kAuModelGzip);
    annotator::SaveAuModel(model.weights(), folder / (name + "-flat.h5"), 0);
  };
  save(ModelWeights(), "small");

  auto old = ModelWeights();
  old->has_halves = false;
  save(std::move(old), "old");

  auto learnt = ModelWeights();
  learnt->info.features.net = std::make_shared<const features::LearntNet>(SmallNet());
  learnt->heads = {ModelHead("whole", features::FeatureExtractor(learnt->info.features))};
  save(std::move(learnt), "learnt");

  auto full = ModelWeights();
  full->heads.push_back(ModelHead("upper", features::FeatureExtractor(full->info.features)));
  full->info.looks_at = {"whole+upper"};
  full->info.held_out = {{0.7F, 0.6F, 0.5F, 0.9F, 0.8F}};
  full->info.provenance = "seed";
  full->mix = {0.5F, 0.5F};
  full->seen_coefficients = {0.5F, -0.5F};
  full->seen_bias = {0.5F};
  full->quality.coefficients.assign(2 + 2 * annotator::kQualityCues, 0.1F);
  full->quality.bias = 1;
  full->quality.centre.assign(annotator::kQualityCues, 0.5F);
  full->quality.spread.assign(annotator::kQualityCues, 2);
  full->quality.slope = 3;
  save(std::move(full), "full");

  auto sides = ModelWeights();
  const annotator::Head& first = sides->heads[0];
  sides->sides.aus = {0};
  sides->sides.blocks = first.blocks;
  for (annotator::BlockProjection& block : sides->sides.blocks) block.mean.assign(block.inputs(), 0.0F);
  sides->sides.components = first.components;
  sides->sides.centre_count = 2;
  sides->sides.even_centres = sides->sides.odd_centres = first.centres;
  sides->sides.coefficients.assign(first.components + 2, 0.5F);
  sides->sides.scale = {1};
  sides->sides.half = first;
  save(std::move(sides), "sides");

  auto ksda = ModelWeights();
  ksda->info.learner = "ksda";
  ksda->heads[0].coefficients.clear();
  ksda->heads[0].bias.clear();
  annotator::KsdaClassifier classifier;
  classifier.gamma = 0.5F;
  classifier.rows = 2;
  classifier.dimensions = 1;
  classifier.vectors = {1, -1};
  classifier.means = {0.1F, 0.9F};
  classifier.letters = {0, 3};
  auto nearest = std::make_unique<annotator::AuModel::Weights>(*ksda);
  nearest->ksda = {classifier};
  save(std::move(nearest), "ksda-nearest");
  classifier.readout = {1, 0.5F};
  ksda->ksda = {classifier};
  save(std::move(ksda), "ksda");
}

void Landmarks(const fs::path& path) {
  dlib::matrix<float, 0, 1> mean(136);
  for (long i = 0; i < 136; ++i) mean(i) = static_cast<float>(i) / 136;
  std::vector<std::vector<dlib::impl::regression_tree>> forests(2);
  for (auto& forest : forests) {
    forest.resize(1);
    forest[0].splits.resize(1);
    forest[0].splits[0].idx1 = 0;
    forest[0].splits[0].idx2 = 1;
    forest[0].splits[0].thresh = 0.125F;
    forest[0].leaf_values.assign(2, mean);
  }
  const std::vector<std::vector<unsigned long>> anchors(2, {30, 8});
  const std::vector<std::vector<dlib::vector<float, 2>>> deltas(2, {{0.1F, -0.2F}, {-0.05F, 0.0F}});
  fs::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  const int version = 1;
  dlib::serialize(version, out);
  dlib::serialize(mean, out);
  dlib::serialize(forests, out);
  dlib::serialize(anchors, out);
  dlib::serialize(deltas, out);
}

void LearntNets(const fs::path& path) {
  const Bytes bytes = SmallNet().Serialise();
  WriteBytes(path, bytes.data(), bytes.size());
}

void GridNets(const fs::path& path) {
  const Bytes bytes = features::GridNet::FromWeights(tests::RandomGridNet({4, 8, 5, 8, 3, 6, 9}, 5)).Serialise();
  WriteBytes(path, bytes.data(), bytes.size());
}

// The first byte is the layout's number in label_fuzz.cc.
void Labels(const fs::path& folder) {
  std::string bp4d = "0";
  for (int au = 1; au < 100; ++au) bp4d += "," + std::to_string(au);
  bp4d += "\n10";
  for (int au = 1; au < 100; ++au) bp4d += au == 12 ? ",1" : ",9";
  std::string automatic = "http://a.org/N_1.jpg\thttp://b.org/N_1.jpg", ganimation = "one.jpg";
  for (int au = 1; au <= 60; ++au) automatic += au % 3 == 0 ? "\t1" : "\t999";
  for (int au = 0; au < 17; ++au) ganimation += ",0.5";
  const std::vector<std::string> contents = {
      "image,subject,AU1,AU12\na.jpg,s1,0,2.5\n",
      "face, confidence, AU01_r, AU12_r, AU12_c\n0, 0.98, 0.00, 2.31, 1.00\n",
      "URL,URL orig,'AU 1','AU 12'\nhttp://a.org/N_1.jpg,http://b.org/N_1.jpg,0,999\n",
      automatic + "\n",
      "image,1,2,12,25\n09_110_2555.jpg,1,0,0,1\n",
      ganimation + "\n",
      "1,0\n2,3\n",
      "# a comment\n000.jpg 3\n",
      "   1.2000000e+01   3.0000000e+00   0.0000000e+00   0.0000000e+00\n",
      "   4.0000000e+00   0.0000000e+00\n",
      bp4d + "\n",
      "sep=;\nimage;AU12\r\n\"a.jpg\";2,5\r\n",
      "frame, face_id, timestamp, confidence, success, AU01_r\n1, 0, 0, 0.98, 1, 0.5\n"};
  // Of layouts 0 and 1 once more.
  const std::vector<std::size_t> layouts = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 1};
  for (std::size_t i = 0; i < contents.size(); ++i) {
    const std::string input = std::string(1, static_cast<char>(layouts[i])) + contents[i];
    WriteBytes(folder / std::to_string(i), input.data(), input.size());
  }
}

void Texts(const fs::path& folder, const std::vector<std::string>& texts) {
  for (std::size_t i = 0; i < texts.size(); ++i) WriteBytes(folder / std::to_string(i), texts[i].data(), texts[i].size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_seeds DIR\n");
    return 2;
  }
  const fs::path folder = argv[1];
  cv::theRNG().state = 1;
  Images(folder / "image");
  Tar(folder / "tar/pax.tar", ARCHIVE_FORMAT_TAR_PAX_RESTRICTED, ARCHIVE_FILTER_NONE);
  Tar(folder / "tar/gnu.tar", ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_NONE);
  Tar(folder / "tar/gnu.tar.gz", ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_GZIP);
  Tar(folder / "tar/pax.tar.zst", ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_ZSTD);
  Shard(folder / "shard");
  AuModels(folder / "au_model");
  Landmarks(folder / "landmark/small.dat");
  LearntNets(folder / "learnt_net/small.net");
  GridNets(folder / "grid_net/small.net");
  int number = 0;
  for (const std::string& text : std::vector<std::string>{
           "AU12>=2 & !AU4", "(AU1 | AU2>0.5) & emotion=happiness & keyword:\"big smile\"",
           "quality>=0.5 & -10<=yaw<=10"}) {
    WriteBytes(folder / "query_expression" / std::to_string(number++), text.data(), text.size());
  }
  number = 0;
  for (const std::string& text : std::vector<std::string>{
           "0.8", "-1e-3", "+2,5", "18446744073709551615", "0x10", "nan", "1e999", "AU12=0.8,AU6=0.5", "AU12=1/2",
           "csv:labels.csv,fold=1,folds=3,part=train,scale=1", "landmarks:face.h5,count=1000,seed=7"}) {
    WriteBytes(folder / "number" / std::to_string(number++), text.data(), text.size());
  }
  Labels(folder / "label");
  fs::create_directories(folder / "parquet");
  for (const auto& file : fs::directory_iterator(AUFORGE_GOLDEN "/parquet")) {
    if (file.path().extension() == ".parquet")
      fs::copy_file(file.path(), folder / "parquet" / file.path().filename(), fs::copy_options::overwrite_existing);
  }
  Texts(folder / "metadata", {R"({"url": "http://x/", "caption": "a smile", "license": "CC0", "exif": {"a": [1, {}]}})",
                              R"({"similarity": NaN, 'caption': ['joy \ud83d\ude00', "\ud83d"], "url": "http:\/\/x", "x": -Infinity,})",
                              "{\"caption\": \"caf\xE9\", \"licence\": None", "a caption of \x93two\x94\r\nlines\r\n",
                              std::string("\xFF\xFEh\0i\0", 6)});
  Texts(folder / "input_list", {"a.jpg\nb/c.d.png\r\n# remark\n\"quoted name.jpg?w=200\"\n", "\xEF\xBB\xBF" "My Photo 2.0 (final).jpg\n000.seg.png\n",
                                std::string("\xFF\xFE" "a\0.\0j\0p\0g\0\r\0\n\0", 16), std::string("a.jpg\0b\n.txt\0", 13)});
  return 0;
}
