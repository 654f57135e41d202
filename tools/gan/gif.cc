#include "tools/gan/gif.h"

#include <gif_lib.h>

#include <algorithm>
#include <memory>
#include <opencv2/core.hpp>
#include <stdexcept>

#include "datasets/storage/atomic_file.h"

namespace auforge::tools {
namespace {

constexpr int kColours = 256;

// A palette of 256 for all frames by k-means on a sample of their pixels: one palette keeps still parts
// still.
cv::Mat Palette(const std::vector<cv::Mat>& frames) {
  std::vector<cv::Vec3f> sample;
  std::size_t total = 0;
  for (const cv::Mat& frame : frames) total += frame.total();
  const std::size_t step = std::max<std::size_t>(1, total / 8192);
  std::size_t at = 0;
  for (const cv::Mat& frame : frames) {
    for (int y = 0; y < frame.rows; ++y) {
      for (int x = 0; x < frame.cols; ++x) {
        if (at++ % step == 0) sample.emplace_back(frame.at<cv::Vec3b>(y, x));
      }
    }
  }
  cv::Mat points(static_cast<int>(sample.size()), 3, CV_32F, sample.data());
  const int colours = std::min(kColours, points.rows);
  cv::Mat labels, centres;
  cv::theRNG().state = 1;
  cv::kmeans(points, colours, labels, {cv::TermCriteria::COUNT, 8, 0}, 1, cv::KMEANS_PP_CENTERS, centres);
  return centres;
}

GifByteType Nearest(const cv::Mat& palette, const cv::Vec3b& pixel) {
  int best = 0;
  float least = 1e30F;
  for (int i = 0; i < palette.rows; ++i) {
    float sum = 0;
    for (int c = 0; c < 3; ++c) {
      const float d = palette.at<float>(i, c) - static_cast<float>(pixel[c]);
      sum += d * d;
    }
    if (sum < least) {
      least = sum;
      best = i;
    }
  }
  return static_cast<GifByteType>(best);
}

struct MapDeleter {
  void operator()(ColorMapObject* map) const { GifFreeMapObject(map); }
};
using Map = std::unique_ptr<ColorMapObject, MapDeleter>;

Map ToMap(const cv::Mat& palette) {
  Map map(GifMakeMapObject(kColours, nullptr));
  if (!map) throw std::runtime_error("gif: out of memory");
  for (int i = 0; i < kColours; ++i) {
    const int row = std::min(i, palette.rows - 1);
    const auto value = [&](int c) { return cv::saturate_cast<std::uint8_t>(palette.at<float>(row, c)); };
    map->Colors[i] = {value(2), value(1), value(0)};
  }
  return map;
}

int Append(GifFileType* gif, const GifByteType* bytes, int count) {
  static_cast<std::string*>(gif->UserData)
      ->append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
  return count;
}

void Require(int status) {
  if (status == GIF_ERROR) throw std::runtime_error("gif: cannot be encoded");
}

void PutFrame(GifFileType* gif, const cv::Mat& frame, const cv::Mat& palette, int hundredths) {
  GraphicsControlBlock control{DISPOSE_DO_NOT, false, hundredths, NO_TRANSPARENT_COLOR};
  GifByteType extension[4];
  EGifGCBToExtension(&control, extension);
  Require(EGifPutExtension(gif, GRAPHICS_EXT_FUNC_CODE, sizeof(extension), extension));
  Require(EGifPutImageDesc(gif, 0, 0, frame.cols, frame.rows, false, nullptr));
  std::vector<GifByteType> line(static_cast<std::size_t>(frame.cols));
  for (int y = 0; y < frame.rows; ++y) {
    for (int x = 0; x < frame.cols; ++x)
      line[static_cast<std::size_t>(x)] = Nearest(palette, frame.at<cv::Vec3b>(y, x));
    Require(EGifPutLine(gif, line.data(), frame.cols));
  }
}

}  // namespace

void WriteGif(const std::string& path, const std::vector<cv::Mat>& frames, int hundredths_a_frame) {
  if (frames.empty()) throw std::invalid_argument("gif: no frames");
  for (const cv::Mat& frame : frames) {
    if (frame.type() != CV_8UC3 || frame.size() != frames.front().size())
      throw std::invalid_argument("gif: frames differ");
  }
  const cv::Mat palette = Palette(frames);
  const Map map = ToMap(palette);
  std::string bytes;
  int error = 0;
  GifFileType* gif = EGifOpen(&bytes, Append, &error);
  if (gif == nullptr) throw std::runtime_error("gif: cannot be encoded");
  try {
    EGifSetGifVersion(gif, true);
    Require(EGifPutScreenDesc(gif, frames.front().cols, frames.front().rows, 8, 0, map.get()));
    // Netscape's extension: loop for ever.
    const GifByteType loop[3] = {1, 0, 0};
    Require(EGifPutExtensionLeader(gif, APPLICATION_EXT_FUNC_CODE));
    Require(EGifPutExtensionBlock(gif, 11, "NETSCAPE2.0"));
    Require(EGifPutExtensionBlock(gif, sizeof(loop), loop));
    Require(EGifPutExtensionTrailer(gif));
    for (const cv::Mat& frame : frames) PutFrame(gif, frame, palette, hundredths_a_frame);
  } catch (...) {
    EGifCloseFile(gif, &error);
    throw;
  }
  if (EGifCloseFile(gif, &error) == GIF_ERROR) throw std::runtime_error("gif: cannot be encoded");
  datasets::storage::WriteFileAtomically(path, bytes);
}

}  // namespace auforge::tools
