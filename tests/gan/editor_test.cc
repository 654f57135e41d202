// A trained generator applied to one face.
#include "gan/editor.h"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <opencv2/core.hpp>

#include "tests/gan/small_training.h"
#include "tests/support/faces.h"
#include "tests/support/tar_file.h"

namespace auforge::gan {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class EditorTest : public SmallTraining {};

TEST_F(EditorTest, AttentionOfOneKeepsTheInput) {
  TrainOptions options = Options("run");
  options.max_steps = 2;
  const std::string path = TrainQuietly(options).checkpoint;
  const Editor editor(options.run);
  EXPECT_EQ(editor.path(), path);
  EXPECT_EQ(editor.image_size(), 32);
  const cv::Mat crop = tests::Texture(32, 32, 3, 5);
  const std::vector<float> aus(17, 0.5F);
  const EditedFace edited = editor.Edit(crop, aus);
  ASSERT_EQ(edited.face.size(), crop.size());
  double low = 0, high = 0;
  cv::minMaxLoc(edited.attention, &low, &high);
  EXPECT_GE(low, 0);
  EXPECT_LE(high, 1);
  // The picture is attention * input + (1 - attention) * colour: it cannot differ by more than 1 - attention.
  for (int y = 0; y < 32; ++y) {
    for (int x = 0; x < 32; ++x) {
      for (int c = 0; c < 3; ++c) {
        const float in = static_cast<float>(crop.at<cv::Vec3b>(y, x)[c]) / 255;
        EXPECT_LE(std::abs(edited.face.at<cv::Vec3f>(y, x)[c] - in),
                  1.0F - edited.attention.at<float>(y, x) + 1e-4F);
      }
    }
  }
  EXPECT_THROW(editor.Edit(crop, std::vector<float>(3)), std::invalid_argument);
}

TEST_F(EditorTest, NamesAFolderWithoutCheckpointsAndAFileThatIsNone) {
  fs::create_directories(dir_ / "empty");
  EXPECT_THAT(Message<std::runtime_error>([&] { Editor e(dir_ / "empty"); }), HasSubstr("empty"));
  tests::WriteText(dir_ / "text.h5", "not HDF5");
  EXPECT_THAT(Message<std::runtime_error>([&] { Editor e(dir_ / "text.h5"); }), HasSubstr("text.h5"));
}

}  // namespace
}  // namespace auforge::gan
