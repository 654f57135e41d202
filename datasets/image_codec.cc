#include "datasets/image_codec.h"

#include <gif_lib.h>
#include <turbojpeg.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <new>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <stdexcept>

#include "datasets/content_kind.h"
#include "datasets/internal/image_header.h"
#include "datasets/internal/other_formats.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/memory_fault.h"

namespace auforge::datasets {
namespace {

using Bytes = std::span<const std::uint8_t>;
using JpegHandle = std::unique_ptr<void, int (*)(tjhandle)>;

DecodedImage Failed(Outcome status, std::string message, int width = 0, int height = 0) {
  return {{}, status, std::move(message), width, height};
}

// What is wrong with that size, if anything.
std::optional<DecodedImage> CheckSize(std::uint64_t width, std::uint64_t height, const DecodeOptions& options) {
  const std::string size = std::to_string(width) + "x" + std::to_string(height) + " pixels";
  const auto clamp = [](std::uint64_t v) { return static_cast<int>(std::min<std::uint64_t>(v, 1U << 30)); };
  if (width == 0 || height == 0) return Failed(Outcome::kUndecodable, "an image of " + size);
  if (height > options.max_pixels / width) {
    return Failed(Outcome::kTooLarge, size + "; the limit is " + std::to_string(options.max_pixels) + " pixels in all",
                  clamp(width), clamp(height));
  }
  if (std::min(width, height) < static_cast<std::uint64_t>(options.min_side)) {
    return Failed(Outcome::kTooSmall, size + "; a face needs at least " + std::to_string(options.min_side) + " a side",
                  clamp(width), clamp(height));
  }
  return std::nullopt;
}

// EXIF orientation to upright.
cv::Mat Upright(const cv::Mat& image, int orientation) {
  cv::Mat turned = image;
  if (orientation >= 5) cv::transpose(image, turned);
  cv::Mat result;
  switch (orientation) {
    case 2: case 6: cv::flip(turned, result, 1); break;
    case 3: case 7: cv::flip(turned, result, -1); break;
    case 4: case 8: cv::flip(turned, result, 0); break;
    default: result = turned;
  }
  return result;
}

// CMYK as Adobe writes it in JPEG: stored inverted, so that colour = ink * black / 255.
cv::Mat BgrFromCmyk(const cv::Mat& cmyk) {
  cv::Mat bgr(cmyk.size(), CV_8UC3);
  for (int y = 0; y < cmyk.rows; ++y) {
    const auto* in = cmyk.ptr<cv::Vec4b>(y);
    auto* out = bgr.ptr<cv::Vec3b>(y);
    for (int x = 0; x < cmyk.cols; ++x) {
      for (int c = 0; c < 3; ++c) out[x][2 - c] = static_cast<std::uint8_t>(in[x][c] * in[x][3] / 255);
    }
  }
  return bgr;
}

DecodedImage DecodeJpeg(Bytes bytes, const DecodeOptions& options) {
  const JpegHandle jpeg(tjInitDecompress(), tjDestroy);
  if (!jpeg) throw std::bad_alloc();  // the one reason there is
  int width = 0, height = 0, subsampling = 0, colourspace = 0;
  if (tjDecompressHeader3(jpeg.get(), bytes.data(), bytes.size(), &width, &height, &subsampling, &colourspace) != 0) {
    return Failed(Outcome::kUndecodable, std::string("damaged JPEG: ") + tjGetErrorStr2(jpeg.get()));
  }
  const int orientation = Orientation(bytes, ImageFormat::kJpeg);
  if (auto fault = CheckSize(static_cast<std::uint64_t>(width), static_cast<std::uint64_t>(height), options)) {
    if (orientation >= 5) std::swap(fault->width, fault->height);
    return *std::move(fault);
  }
  const bool is_cmyk = colourspace == TJCS_CMYK || colourspace == TJCS_YCCK;
  int divisor = 1;
  while (divisor < 8 && 1.0 / (2 * divisor) >= options.least_scale) divisor *= 2;
  const tjscalingfactor factor{1, divisor};
  const int columns = TJSCALED(width, factor), rows = TJSCALED(height, factor);
  cv::Mat pixels(rows, columns, is_cmyk ? CV_8UC4 : CV_8UC3);
  // A damaged file may decode "with warnings" into grey blocks: that is no picture to label. The scan limit keeps
  // progressive bombs short.
  const int flags = TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS | TJFLAG_ACCURATEDCT;
  if (tjDecompress2(jpeg.get(), bytes.data(), bytes.size(), pixels.data, columns, static_cast<int>(pixels.step), rows,
                    is_cmyk ? TJPF_CMYK : TJPF_BGR, flags) != 0) {
    return Failed(Outcome::kUndecodable, std::string("damaged JPEG: ") + tjGetErrorStr2(jpeg.get()), width, height);
  }
  DecodedImage image;
  image.bgr = Upright(is_cmyk ? BgrFromCmyk(pixels) : pixels, orientation);
  image.width = orientation >= 5 ? height : width;
  image.height = orientation >= 5 ? width : height;
  image.scale = 1.0 / divisor;
  return image;
}

struct GifCursor {
  Bytes bytes;
  std::size_t at = 0;
};

int ReadGifBytes(GifFileType* gif, GifByteType* out, int count) {
  auto* cursor = static_cast<GifCursor*>(gif->UserData);
  const std::size_t left = cursor->bytes.size() - cursor->at;
  const std::size_t take = std::min(left, static_cast<std::size_t>(count));
  std::memcpy(out, cursor->bytes.data() + cursor->at, take);
  cursor->at += take;
  return static_cast<int>(take);
}

// The first frame on white. Record by record instead of DGifSlurp, which would decode every frame.
DecodedImage DecodeGif(Bytes bytes, const DecodeOptions& options, const ImageHeader& header) {
  GifCursor cursor{bytes};
  const auto close = [](GifFileType* gif) { DGifCloseFile(gif, nullptr); };
  int error = 0;
  const std::unique_ptr<GifFileType, decltype(close)> gif(DGifOpen(&cursor, ReadGifBytes, &error), close);
  const auto damaged = [&] {
    if ((gif ? gif->Error : error) == D_GIF_ERR_NOT_ENOUGH_MEM) throw std::bad_alloc();
    return Failed(Outcome::kUndecodable, "damaged GIF", static_cast<int>(header.width), static_cast<int>(header.height));
  };
  if (!gif) return damaged();
  cv::Mat canvas(static_cast<int>(header.height), static_cast<int>(header.width), CV_8UC3, cv::Scalar::all(255));
  int transparent = NO_TRANSPARENT_COLOR;
  GifRecordType type = UNDEFINED_RECORD_TYPE;
  while (DGifGetRecordType(gif.get(), &type) == GIF_OK && type != TERMINATE_RECORD_TYPE) {
    if (type == EXTENSION_RECORD_TYPE) {
      int code = 0;
      GifByteType* data = nullptr;
      if (DGifGetExtension(gif.get(), &code, &data) != GIF_OK) return damaged();
      GraphicsControlBlock control;
      if (code == GRAPHICS_EXT_FUNC_CODE && data != nullptr && DGifExtensionToGCB(data[0], data + 1, &control) == GIF_OK) {
        transparent = control.TransparentColor;
      }
      while (data != nullptr) {
        if (DGifGetExtensionNext(gif.get(), &data) != GIF_OK) return damaged();
      }
      continue;
    }
    if (type != IMAGE_DESC_RECORD_TYPE || DGifGetImageDesc(gif.get()) != GIF_OK) return damaged();
    const GifImageDesc& frame = gif->Image;
    const ColorMapObject* colours = frame.ColorMap != nullptr ? frame.ColorMap : gif->SColorMap;
    if (colours == nullptr || frame.Width <= 0 || frame.Height <= 0) return damaged();
    if (CheckSize(static_cast<std::uint64_t>(frame.Width), static_cast<std::uint64_t>(frame.Height),
                  {.max_pixels = options.max_pixels, .min_side = 1})) {
      return damaged();
    }
    std::vector<GifPixelType> line(static_cast<std::size_t>(frame.Width));
    constexpr int kFirst[] = {0, 4, 2, 1}, kStep[] = {8, 8, 4, 2};
    for (int pass = 0; pass < (frame.Interlace ? 4 : 1); ++pass) {
      const int step = frame.Interlace ? kStep[pass] : 1;
      for (int row = frame.Interlace ? kFirst[pass] : 0; row < frame.Height; row += step) {
        if (DGifGetLine(gif.get(), line.data(), frame.Width) != GIF_OK) return damaged();
        const int y = frame.Top + row;
        if (y >= canvas.rows) continue;
        for (int column = 0; column < frame.Width; ++column) {
          const int x = frame.Left + column;
          const int index = line[static_cast<std::size_t>(column)];
          if (x >= canvas.cols || index == transparent || index >= colours->ColorCount) continue;
          const GifColorType& c = colours->Colors[index];
          canvas.at<cv::Vec3b>(y, x) = {c.Blue, c.Green, c.Red};
        }
      }
    }
    return {canvas, Outcome::kOk, {}, canvas.cols, canvas.rows};
  }
  return damaged();
}

// Any depth and channel count to 8-bit BGR; transparent parts on white.
cv::Mat ToBgr(const cv::Mat& any) {
  cv::Mat image = any;
  if (image.depth() == CV_16U) {
    image.convertTo(image, CV_8U, 1.0 / 257);
  } else if (image.depth() != CV_8U) {
    double low = 0, high = 0;
    cv::minMaxLoc(image.reshape(1), &low, &high);
    const double scale = high > low ? 255 / (high - low) : 0;
    image.convertTo(image, CV_8U, scale, -low * scale);
  }
  if (image.channels() == 1) cv::cvtColor(image, image, cv::COLOR_GRAY2BGR);
  if (image.channels() == 4) {
    cv::Mat bgr(image.size(), CV_8UC3);
    for (int y = 0; y < image.rows; ++y) {
      const auto* in = image.ptr<cv::Vec4b>(y);
      auto* out = bgr.ptr<cv::Vec3b>(y);
      for (int x = 0; x < image.cols; ++x) {
        for (int c = 0; c < 3; ++c) {
          out[x][c] = static_cast<std::uint8_t>((in[x][c] * in[x][3] + 255 * (255 - in[x][3]) + 127) / 255);
        }
      }
    }
    image = bgr;
  }
  return image;
}

// By OpenCV; 8-bit BGR as it is stored, not turned.
DecodedImage DecodeStored(Bytes bytes, std::string_view format) {
  const std::string name(format);
  if (!ReadsOtherFormats()) {
    return Failed(Outcome::kUnsupported, name + ", which this program, built without the annotator, does not read; it reads JPEG");
  }
  try {
    const cv::Mat any = DecodeOtherFormat(bytes);
    if (any.empty()) return Failed(Outcome::kUndecodable, "damaged " + name);
    DecodedImage image;
    image.bgr = ToBgr(any);
    if (image.bgr.type() != CV_8UC3) return Failed(Outcome::kUndecodable, name + " with unusual channels");
    return image;
  } catch (const cv::Exception& error) {
    if (storage::IsOutOfMemory(error)) throw;
    return Failed(Outcome::kUndecodable, "damaged " + name + ": " + error.err);
  }
}

// OpenCV does not read animations: the first frame is decoded as a picture of its own and laid on white.
DecodedImage DecodeAnimatedWebp(Bytes bytes, const ImageHeader& header) {
  const auto damaged = [] { return Failed(Outcome::kUndecodable, "damaged WebP: its first frame is not whole"); };
  const std::optional<WebpFrame> frame = FirstWebpFrame(bytes);
  if (!frame || frame->x + frame->width > header.width || frame->y + frame->height > header.height) return damaged();
  const ImageHeader inner = ReadImageHeader(frame->still);
  if (inner.width != frame->width || inner.height != frame->height) return damaged();
  const DecodedImage still = DecodeStored(frame->still, "WebP");
  if (still.status != Outcome::kOk) return still;
  DecodedImage image;
  image.bgr = cv::Mat(static_cast<int>(header.height), static_cast<int>(header.width), CV_8UC3, cv::Scalar::all(255));
  const cv::Rect place(static_cast<int>(frame->x), static_cast<int>(frame->y), still.bgr.cols, still.bgr.rows);
  still.bgr.copyTo(image.bgr(place));
  return image;
}

DecodedImage DecodeOther(Bytes bytes, const DecodeOptions& options, const ImageHeader& header) {
  const int orientation = Orientation(bytes, header.format);
  if (auto fault = CheckSize(header.width, header.height, options)) {
    if (orientation >= 5) std::swap(fault->width, fault->height);
    return *std::move(fault);
  }
  // A small picture may lie in a tile of gigabytes.
  if (header.tile_width > 0 && header.tile_height > options.max_pixels / header.tile_width)
    return Failed(Outcome::kTooLarge, "tiles of " + std::to_string(header.tile_width) + "x" + std::to_string(header.tile_height) + " pixels");
  DecodedImage image;
  if (IsAnimatedWebp(bytes)) {
    image = DecodeAnimatedWebp(bytes, header);
  } else if (header.format == ImageFormat::kTiff && orientation != 1) {
    // libtiff and OpenCV each turn some kinds of TIFF: none of it, so that each is turned once.
    image = DecodeStored(WithoutTiffOrientation(bytes), FormatName(header.format));
  } else {
    image = DecodeStored(bytes, FormatName(header.format));
  }
  if (image.status != Outcome::kOk) return image;
  image.bgr = Upright(image.bgr, orientation);
  image.width = image.bgr.cols;
  image.height = image.bgr.rows;
  return image;
}

// What is no format that is read: a picture of another kind, or none.
DecodedImage Foreign(Bytes bytes) {
  const ContentKind kind = TellContent(bytes.first(std::min(bytes.size(), kContentHead)));
  const std::string name(kind.name);
  if (kind.content == Content::kForeignPicture) {
    return Failed(Outcome::kUnsupported, name + ", which is not read; convert it to JPEG or PNG");
  }
  return Failed(Outcome::kUndecodable, (name.empty() ? "not an image" : "not an image but " + name) +
                                           ": none of JPEG, PNG, WebP, BMP, TIFF, GIF by its first bytes");
}

DecodedImage DecodeKnown(Bytes bytes, const DecodeOptions& options, const ImageHeader& header) {
  if (header.format == ImageFormat::kJpeg) return DecodeJpeg(bytes, options);
  if (header.format != ImageFormat::kGif) return DecodeOther(bytes, options, header);
  if (auto fault = CheckSize(header.width, header.height, options)) return *std::move(fault);
  return DecodeGif(bytes, options, header);
}

// A decoder that gets no memory calls the picture damaged, which would be written down for good. What tells is its
// text, where it has one, and errno: a failed allocation sets it, and nothing but another failure changes it.
bool IsWantOfMemory(const DecodedImage& image, int error) {
  return image.status == Outcome::kUndecodable &&
         (error == ENOMEM || storage::IsOutOfMemory(std::runtime_error(image.message)));
}

// A damaged TIFF may ask for more than any machine has; the others ask for what their pixels need, which is known to be
// within bounds.
void RequireMemoryOfTiff(const ImageHeader& header) {
  constexpr std::uint64_t kBytesAPixel = 16;  // four floats
  storage::RequireMemory(kBytesAPixel * header.width * header.height);
}

}  // namespace

void DecodeOptions::Validate() const {
  if (max_pixels < 1 || max_pixels > (1ULL << 30)) {
    throw std::invalid_argument("max_pixels = " + std::to_string(max_pixels) + "; must be in 1..1073741824");
  }
  if (!(least_scale > 0 && least_scale <= 1)) {
    throw std::invalid_argument("least_scale = " + std::to_string(least_scale) + "; must be in 0..1");
  }
  if (min_side < 1) throw std::invalid_argument("min_side = " + std::to_string(min_side) + "; must be >= 1 pixel");
}

DecodedImage DecodeImage(Bytes bytes, const DecodeOptions& options) {
  if (bytes.empty()) return Failed(Outcome::kUndecodable, "an empty file");
  if (bytes.size() > (1ULL << 31) - 1) return Failed(Outcome::kTooLarge, "more than 2 GB of encoded data");
  const ImageHeader header = ReadImageHeader(bytes);
  if (header.format == ImageFormat::kUnknown) return Foreign(bytes);
  if (header.is_raw) return Failed(Outcome::kUnsupported, "a camera's raw file, which is not read; convert it to JPEG or PNG");
  errno = 0;
  DecodedImage image = DecodeKnown(bytes, options, header);
  const int error = errno;
  if (!IsWantOfMemory(image, error)) return image;
  if (header.format != ImageFormat::kTiff) throw std::bad_alloc();
  RequireMemoryOfTiff(header);
  return image;
}

DecodedImage TakePixels(const cv::Mat& bgr, const DecodeOptions& options) {
  if (auto fault = CheckSize(static_cast<std::uint64_t>(bgr.cols), static_cast<std::uint64_t>(bgr.rows), options)) {
    return *std::move(fault);
  }
  return {bgr, Outcome::kOk, {}, bgr.cols, bgr.rows};
}

PictureSize PeekSize(Bytes bytes) {
  const ImageHeader header = ReadImageHeader(bytes);
  return {header.width, header.height};
}

std::vector<std::uint8_t> EncodeJpeg(const cv::Mat& bgr, int quality) {
  if (bgr.type() != CV_8UC3 && bgr.type() != CV_8UC1) throw std::invalid_argument("encode: needs CV_8UC3 or CV_8UC1");
  const bool is_grey = bgr.channels() == 1;
  const int subsampling = is_grey ? TJSAMP_GRAY : quality >= 90 ? TJSAMP_444 : TJSAMP_420;
  const JpegHandle jpeg(tjInitCompress(), tjDestroy);
  if (!jpeg) throw std::bad_alloc();  // the one reason there is
  std::vector<std::uint8_t> out(tjBufSize(bgr.cols, bgr.rows, subsampling));
  unsigned char* data = out.data();
  unsigned long size = out.size();
  if (tjCompress2(jpeg.get(), bgr.data, bgr.cols, static_cast<int>(bgr.step), bgr.rows, is_grey ? TJPF_GRAY : TJPF_BGR,
                  &data, &size, subsampling, quality, TJFLAG_NOREALLOC | TJFLAG_ACCURATEDCT) != 0) {
    throw std::runtime_error(std::string("JPEG encoding failed: ") + tjGetErrorStr2(jpeg.get()));
  }
  out.resize(size);
  return out;
}

void WritePng(const std::string& path, const cv::Mat& bgr) {
  const std::vector<std::uint8_t> bytes = PngOf(bgr);
  if (bytes.empty()) throw std::runtime_error(path + ": the picture cannot be encoded as PNG");
  storage::WriteFileAtomically(path, std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace auforge::datasets
