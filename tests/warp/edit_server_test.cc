// auforge-gan edit-server behind the explorer, moving the crops' own pixels.
#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "datasets/image_codec.h"
#include "features/au_schema.h"
#include "tests/support/temp_dir.h"
#include "tests/synthetic/imported_model.h"
#include "tools/crawl/edit_process.h"

namespace auforge::tools {
namespace {

TEST(WarpEditServer, WarpsCropsOfAnySize) {
  const datasets::synthetic::FaceModel* model = datasets::synthetic::ImportedModel();
  if (model == nullptr) GTEST_SKIP() << "AUFORGE_DATA has no face model";
  const tests::TempDir dir;
  model->Save(dir / "face.h5");
  const auto editor = StartEditor({AUFORGE_GAN_PROGRAM, "edit-server", "--face-model", dir / "face.h5"}, 60, 60);
  EXPECT_EQ(editor->Aus(), features::CatalogueSchema().numbers());
  cv::Mat crop(96, 96, CV_8UC3);
  cv::randu(crop, 0, 255);
  std::vector<std::uint8_t> sent;
  cv::imencode(".png", crop, sent);
  const auto edited = [&](float smile) {
    const std::string png = editor->Edit(sent, {{1, 2}, {12, 0}, {16, 5}}, {{12, smile}});
    return datasets::DecodeImage(std::vector<std::uint8_t>(png.begin(), png.end()), {}).bgr;
  };
  EXPECT_EQ(cv::norm(edited(0), crop, cv::NORM_INF), 0) << "as it is";
  EXPECT_GT(cv::norm(edited(5), crop, cv::NORM_INF), 0);
  EXPECT_THROW(editor->Edit({1, 2, 3}, {}, {{12, 1}}), std::runtime_error) << "no picture";
}

}  // namespace
}  // namespace auforge::tools
