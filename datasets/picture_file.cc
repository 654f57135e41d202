#include "datasets/picture_file.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <opencv2/imgcodecs.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

#include "datasets/colour_profile.h"
#include "datasets/storage/atomic_file.h"

namespace auforge::datasets {
namespace {

constexpr int kLossyQuality = 92;

std::string EndingOf(const std::string& path) {
  std::string ending = std::filesystem::path(path).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending;
}

// OpenCV's name of the encoder.
std::string FormatOf(const std::string& path) {
  static const std::map<std::string, std::string> kFormats{
      {".png", ".png"}, {".jpg", ".jpg"}, {".jpeg", ".jpg"}, {".webp", ".webp"},
      {".bmp", ".bmp"}, {".tif", ".tiff"}, {".tiff", ".tiff"}};
  const storage::OutputTarget target = storage::FollowOutput(path);
  // A link may have a name without an ending, as "latest".
  for (const std::string& name : {path, target.path}) {
    const auto found = kFormats.find(EndingOf(name));
    if (found != kFormats.end() && cv::haveImageWriter(found->second)) return found->second;
  }
  if (target.is_stream) return ".png";
  const std::string ending = EndingOf(path);
  throw std::invalid_argument(path + ": " + (ending.empty() ? "has no ending that says" : ending + " is not") +
                              " a picture format that can be written; name a .png, .jpg, .webp, .bmp or .tif");
}

}  // namespace

void RequirePictureFile(const std::string& path) {
  storage::RequireOutputFile(path);
  FormatOf(path);
}

void WritePicture(const std::string& path, const cv::Mat& bgr, std::span<const std::uint8_t> profile) {
  const std::string format = FormatOf(path);
  std::vector<int> options;
  if (format == ".jpg") options = {cv::IMWRITE_JPEG_QUALITY, kLossyQuality};
  if (format == ".webp") options = {cv::IMWRITE_WEBP_QUALITY, kLossyQuality};
  std::vector<std::uint8_t> bytes;
  const auto refuse = [&](const std::string& why) {
    throw std::runtime_error(path + ": a picture of " + std::to_string(bgr.cols) + " x " + std::to_string(bgr.rows) +
                             " pixels cannot be encoded as " + format + why);
  };
  try {
    if (!cv::imencode(format, bgr, bytes, options)) refuse("");
  } catch (const cv::Exception& error) {
    if (error.code == cv::Error::StsNoMem) throw;
    refuse(": " + error.err);
  }
  bytes = WithColourProfile(std::move(bytes), profile);
  storage::WriteFileAtomically(path, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

std::vector<std::uint8_t> EncodePng(const cv::Mat& bgr) {
  std::vector<std::uint8_t> bytes;
  if (!cv::imencode(".png", bgr, bytes)) throw std::runtime_error("a picture cannot be encoded as PNG");
  return bytes;
}

}  // namespace auforge::datasets
