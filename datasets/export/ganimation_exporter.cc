// The published GANimation's folder: imgs/, train_ids.csv, test_ids.csv, and the AUs as the files of OpenFace
// that its prepare_au_annotations.py turns into aus.pkl: "face, confidence", 17 intensities, then presence.
#include "datasets/export/face_text.h"
#include "datasets/export/internal/exporters.h"
#include "features/au_schema.h"

namespace auforge::datasets {
namespace {

class GanimationExporter : public FaceExporter {
 public:
  explicit GanimationExporter(const ExportOptions& options)
      : output_(options.output), test_share_(options.test_share), faces_("name,shard,face,key,url\n") {}

  void Add(const ShardReader& shard, std::span<const std::uint32_t> faces) override {
    for (const int au : features::GanSchema().numbers()) {
      if (!shard.header().schema.Find(au)) {
        throw std::runtime_error(shard.path() + ": does not measure AU" + std::to_string(au) +
                                 ", which GANimation's 17 need");
      }
    }
    for (const std::uint32_t face : faces) AddFace(shard, face);
  }

  std::vector<std::string> Finish() override {
    output_.Write("train_ids.csv", train_);
    output_.Write("test_ids.csv", test_);
    output_.Write("faces.csv", faces_);
    output_.Finish();
    return {};
  }

 private:
  void AddFace(const ShardReader& shard, std::uint32_t face) {
    const std::vector<std::uint8_t> picture = shard.FaceImage(face);
    const std::string name = FaceFileName(shard, face);
    const std::string file = name + "." + PictureEnding(picture);
    output_.Write("imgs/" + file, picture);
    output_.Write("aus/" + name + ".csv", "face, confidence" + OpenFaceAuHeader(shard.header().schema) +
                                              "\n0, " + NumberText(shard.Quality()[face]) +
                                              OpenFaceAus(shard, face) + "\n");
    // Spread evenly: face k is a test face when the count of them passes a whole number there.
    const auto passed = [this](std::uint64_t k) {
      return static_cast<std::uint64_t>(static_cast<double>(k) * test_share_);
    };
    (passed(count_ + 1) > passed(count_) ? test_ : train_) += file + "\n";
    ++count_;
    const SampleRecord& sample = shard.Sample(static_cast<std::size_t>(shard.FaceSample()[face]));
    faces_ += file + "," + CsvText(shard.header().source) + "," + std::to_string(face) + "," +
              CsvText(sample.key) + "," + CsvText(sample.url) + "\n";
  }

  FolderOutput output_;
  double test_share_;
  std::uint64_t count_ = 0;
  std::string train_, test_, faces_;
};

}  // namespace

std::unique_ptr<FaceExporter> MakeGanimationExporter(const ExportOptions& options) {
  return std::make_unique<GanimationExporter>(options);
}

}  // namespace auforge::datasets
