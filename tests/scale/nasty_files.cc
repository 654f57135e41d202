#include "tests/scale/nasty_files.h"

#include <gif_lib.h>
#include <turbojpeg.h>

#include <cstring>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <random>
#include <stdexcept>

#include "tests/support/picture_files.h"

namespace auforge::tests {
namespace {

using Files = std::vector<NastyFile>;

std::string Text(const std::vector<std::uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

void PutNumber(std::string& bytes, std::size_t at, std::uint64_t value, int size, bool little) {
  for (int i = 0; i < size; ++i) {
    const int shift = 8 * (little ? i : size - 1 - i);
    bytes.at(at + static_cast<std::size_t>(i)) = static_cast<char>(value >> shift & 0xFF);
  }
}

void Whole(const cv::Mat& photo, Files& files) {
  const auto add = [&files](const std::string& name, const std::string& content) {
    files.push_back({"whole-" + name, content, {"ok"}});
  };
  cv::Mat grey, alpha, deep, deep_grey, palette;
  cv::cvtColor(photo, grey, cv::COLOR_BGR2GRAY);
  cv::cvtColor(photo, alpha, cv::COLOR_BGR2BGRA);
  photo.convertTo(deep, CV_16UC3, 257);
  grey.convertTo(deep_grey, CV_16UC1, 257);
  add("colour.jpg", EncodeAs(photo, ".jpg"));
  add("grey.jpg", EncodeAs(grey, ".jpg"));
  add("progressive.jpg", EncodeAs(photo, ".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1}));
  add("optimised.jpg", EncodeAs(photo, ".jpg", {cv::IMWRITE_JPEG_OPTIMIZE, 1, cv::IMWRITE_JPEG_QUALITY, 70}));
  add("restart.jpg", EncodeAs(photo, ".jpg", {cv::IMWRITE_JPEG_RST_INTERVAL, 8}));
  add("cmyk.jpg", EncodeCmykJpeg(photo));
  for (int orientation = 1; orientation <= 8; ++orientation) {
    add("turned" + std::to_string(orientation) + ".jpg", EncodeTurned(photo, orientation));
  }
  add("colour.png", EncodeAs(photo, ".png"));
  add("grey.png", EncodeAs(grey, ".png"));
  add("alpha.png", EncodeAs(alpha, ".png"));
  add("deep.png", EncodeAs(deep, ".png"));
  add("deep-grey.png", EncodeAs(deep_grey, ".png"));
  add("lossy.webp", EncodeAs(photo, ".webp", {cv::IMWRITE_WEBP_QUALITY, 80}));
  add("lossless.webp", EncodeAs(alpha, ".webp", {cv::IMWRITE_WEBP_QUALITY, 101}));
  add("one.gif", EncodeGif(photo, false));
  add("animated.gif", EncodeGif(photo, true));
  add("plain.tif", EncodeAs(photo, ".tif", {cv::IMWRITE_TIFF_COMPRESSION, 1}));
  add("lzw.tif", EncodeAs(photo, ".tif", {cv::IMWRITE_TIFF_COMPRESSION, 5}));
  add("deflate.tif", EncodeAs(deep, ".tif", {cv::IMWRITE_TIFF_COMPRESSION, 8}));
  add("colour.bmp", EncodeAs(photo, ".bmp"));
  add("grey.bmp", EncodeAs(grey, ".bmp"));
  // By content, not by name.
  add("really-png.jpg", EncodeAs(photo, ".png"));
  add("really-jpeg.png", EncodeAs(photo, ".jpg"));
  add("really-webp.gif", EncodeAs(photo, ".webp"));
  add("really-gif.tiff", EncodeGif(photo, false));
  add("SHOUTED.JPG", EncodeAs(photo, ".jpg"));
  add("größe-日本-\xF0\x9F\x98\x80.jpg", EncodeAs(photo, ".jpg"));
  add("trailing-rubbish.jpg", EncodeAs(photo, ".jpg") + std::string(5000, 'x'));
  add(std::string(200, 'n') + ".jpg", EncodeAs(photo, ".jpg"));
}

// Pictures under names that do not say so, or say it as crawlers do; tags that turn; what is known and not read.
void Habits(const cv::Mat& photo, Files& files) {
  const std::string jpeg = EncodeAs(photo, ".jpg");
  for (const char* name : {"no-ending", "x.jpg?w=200", "x.jpg_large", "x.jpg:orig", "x.jpg.1", "x.jfif", "photo.txt", "page.php", ".hidden.jpg",
                           "My Photo 2.0 (final).jpg", "Mr. Smith", "data.parquet", "shard.tar.jpg"}) {
    files.push_back({name, jpeg, {"ok"}});
  }
  for (const int orientation : {2, 3, 6, 8}) {
    const cv::Mat stored = TurnedBack(photo, orientation);
    const std::string number = std::to_string(orientation);
    files.push_back({"turned" + number + ".png", PngWithOrientation(EncodeAs(stored, ".png"), orientation), {"ok"}});
    files.push_back({"turned" + number + ".webp", WebpWithOrientation(EncodeAs(stored, ".webp"), stored.cols, stored.rows, orientation), {"ok"}});
    files.push_back({"turned" + number + ".tif", MakeTiff(stored, orientation, false), {"ok"}});
  }
  const std::string webp = EncodeAs(photo, ".webp");
  const std::string animated = AnimatedWebp(webp, webp, photo.size(), {4, 6}, photo.size() + cv::Size(20, 30));
  files.push_back({"animated.webp", animated, {"ok"}});
  files.push_back({"animated-cut.webp", animated.substr(0, animated.size() / 4), {"undecodable"}});
  files.push_back({"animated-empty.webp", animated.substr(0, 44), {"undecodable"}});
  files.push_back({"big.tif", MakeTiff(photo, 1, true), {"ok"}});
  const std::pair<const char*, std::string> foreign[] = {{"x.heic", MediaFile("heic")},
                                                         {"really-heic.jpg", MediaFile("heic")},
                                                         {"x.avif", MediaFile("avif")},
                                                         {"avif-without-ending", MediaFile("avif")},
                                                         {"x.jxl", "\xFF\x0A" + std::string(300, 'x')},
                                                         {"x.psd", std::string("8BPS\0\1", 6) + std::string(300, 'x')},
                                                         {"x.pgm", "P5\n2 2\n255\nabcd"},
                                                         {"x.cr2", std::string("II*\0\x10\0\0\0CR", 10) + std::string(300, 'x')}};
  for (const auto& [name, content] : foreign) files.push_back({name, content, {"unsupported"}});
  files.push_back({"empty-without-ending", "", {"undecodable"}});
  files.push_back({"noise-without-ending", std::string("\x90\x01\0\x03\xC3", 5), {"undecodable"}});
  files.push_back({"sub/404.jpg?w=1", "<html>404 Not Found</html>", {"undecodable"}});
}

void Damaged(const cv::Mat& photo, Files& files) {
  cv::Mat small;
  cv::resize(photo, small, cv::Size(64, 48), 0, 0, cv::INTER_AREA);
  const std::vector<std::pair<std::string, std::string>> samples{
      {"jpg", EncodeAs(small, ".jpg")},
      {"progressive.jpg", EncodeAs(small, ".jpg", {cv::IMWRITE_JPEG_PROGRESSIVE, 1})},
      {"png", EncodeAs(small, ".png")},
      {"webp", EncodeAs(small, ".webp")},
      {"gif", EncodeGif(small, false)},
      {"tif", EncodeAs(small, ".tif")},
      {"bmp", EncodeAs(small, ".bmp")}};
  std::mt19937 random(11);
  for (const auto& [ending, whole] : samples) {
    for (const int percent : {0, 1, 10, 40, 70}) {
      // So little of a file may lack its size, which then counts as zero.
      files.push_back({"cut-" + std::to_string(percent) + "." + ending,
                       whole.substr(0, whole.size() * percent / 100),
                       {"undecodable"}});
    }
    for (int i = 0; i < 14; ++i) {
      std::string changed = whole;
      for (int k = 0; k <= i; ++k) changed[random() % changed.size()] = static_cast<char>(random());
      // Whether it is noticed depends on where it hit; that it is one of these does not.
      files.push_back({"changed-" + std::to_string(i) + "." + ending,
                       changed,
                       {"no_face", "undecodable", "too_large", "too_small", "ok"}});
    }
    files.push_back({"doubled." + ending, whole + whole, {"no_face", "undecodable"}});
  }
}

void Rubbish(Files& files) {
  std::mt19937 random(5);
  std::string noise(20000, ' ');
  for (char& c : noise) c = static_cast<char>(random());
  const auto add = [&files](const std::string& name, const std::string& content) {
    files.push_back({"rubbish-" + name, content, {"undecodable"}});
  };
  add("empty.jpg", "");
  add("one-byte.jpg", "\xFF");
  add("html.jpg", "<!DOCTYPE html><html><body>404 Not Found</body></html>");
  add("text.png", "this is no picture");
  add("noise.webp", noise);
  add("zeros.bmp", std::string(1000, '\0'));
  add("pdf.jpg", "%PDF-1.4\n" + noise);
  add("zip.png", "PK\x03\x04" + noise);
  add("svg.gif", "<svg xmlns='http://www.w3.org/2000/svg' width='99999' height='99999'/>");
  add("elf.tif", std::string("\x7F") + "ELF" + noise);
  for (const char* magic :
       {"\xFF\xD8\xFF\xE0", "\x89PNG\r\n\x1A\n", "GIF89a", "II*\0\x08\0\0\0", "RIFF\0\0\0\0WEBPVP8 "}) {
    add("magic-" + std::to_string(files.size()) + ".jpg",
        std::string(magic, std::strlen(magic)) + std::string(300, '\0'));
  }
}

void Bombs(const cv::Mat& photo, Files& files) {
  cv::Mat small;
  cv::resize(photo, small, cv::Size(64, 48), 0, 0, cv::INTER_AREA);
  const auto too_large = [&files](const std::string& name, std::string content) {
    files.push_back({"bomb-" + name, std::move(content), {"too_large"}});
  };
  // Headers that lie.
  std::string png = EncodeAs(small, ".png");
  PutNumber(png, 16, 60000, 4, false), PutNumber(png, 20, 60000, 4, false);
  too_large("header.png", png);
  std::string bmp = EncodeAs(small, ".bmp");
  PutNumber(bmp, 18, 2000000000, 4, true), PutNumber(bmp, 22, 2000000000, 4, true);
  too_large("header.bmp", bmp);
  std::string gif = EncodeGif(small, false);
  PutNumber(gif, 6, 65535, 2, true), PutNumber(gif, 8, 65535, 2, true);
  too_large("header.gif", gif);
  std::string jpeg = EncodeAs(small, ".jpg");
  const std::size_t frame = jpeg.find("\xFF\xC0");
  PutNumber(jpeg, frame + 5, 65500, 2, false), PutNumber(jpeg, frame + 7, 65500, 2, false);
  too_large("header.jpg", jpeg);
  too_large("tile.tif", TiffOfAHugeTile());
  // Real ones: a few kilobytes that become gigabytes, and the largest that is still taken.
  too_large("real.png", EncodeAs(cv::Mat(12000, 12000, CV_8UC1, cv::Scalar(7)), ".png",
                                 {cv::IMWRITE_PNG_COMPRESSION, 9}));
  files.push_back(
      {"large-flat.png", EncodeAs(cv::Mat(8000, 8000, CV_8UC1, cv::Scalar(7)), ".png"), {"no_face"}});
  files.push_back(
      {"large-flat.jpg", EncodeAs(cv::Mat(9000, 9000, CV_8UC1, cv::Scalar(7)), ".jpg"), {"no_face"}});
  files.push_back(
      {"panorama.jpg", EncodeAs(cv::Mat(40, 60000, CV_8UC1, cv::Scalar(7)), ".jpg"), {"no_face"}});
  for (const cv::Size size : {cv::Size(1, 1), cv::Size(15, 400), cv::Size(400, 15), cv::Size(1, 3000)}) {
    for (const char* ending : {".png", ".jpg"}) {
      files.push_back({"small-" + std::to_string(size.width) + "x" + std::to_string(size.height) + ending,
                       EncodeAs(cv::Mat(size, CV_8UC3, cv::Scalar::all(90)), ending),
                       {"too_small"}});
    }
  }
  files.push_back(
      {"bytes.bmp", EncodeAs(cv::Mat(2000, 2000, CV_8UC3, cv::Scalar::all(90)), ".bmp"), {"too_large"}});
}

}  // namespace

std::string EncodeAs(const cv::Mat& picture, const std::string& ending, const std::vector<int>& how) {
  std::vector<std::uint8_t> bytes;
  if (!cv::imencode(ending, picture, bytes, how)) throw std::runtime_error("cannot encode " + ending);
  return Text(bytes);
}

std::string EncodeCmykJpeg(const cv::Mat& bgr) {
  // As Adobe stores it: inverted inks; with full white for black, each ink is its colour.
  cv::Mat cmyk(bgr.size(), CV_8UC4);
  for (int y = 0; y < bgr.rows; ++y) {
    for (int x = 0; x < bgr.cols; ++x) {
      const cv::Vec3b p = bgr.at<cv::Vec3b>(y, x);
      cmyk.at<cv::Vec4b>(y, x) = {p[2], p[1], p[0], 255};
    }
  }
  tjhandle jpeg = tjInitCompress();
  unsigned char* data = nullptr;
  unsigned long size = 0;
  tjCompress2(jpeg, cmyk.data, cmyk.cols, static_cast<int>(cmyk.step), cmyk.rows, TJPF_CMYK, &data, &size,
              TJSAMP_444, 90, 0);
  std::string bytes(reinterpret_cast<const char*>(data), size);
  tjFree(data);
  tjDestroy(jpeg);
  return bytes;
}

std::string EncodeGif(const cv::Mat& bgr, bool second_frame) {
  std::string bytes;
  const auto write = [](GifFileType* gif, const GifByteType* data, int size) {
    static_cast<std::string*>(gif->UserData)
        ->append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    return size;
  };
  int error = 0;
  GifFileType* gif = EGifOpen(&bytes, write, &error);
  ColorMapObject* colours = GifMakeMapObject(256, nullptr);
  for (int i = 0; i < 252; ++i) {  // 6 x 7 x 6 levels
    colours->Colors[i] = {static_cast<GifByteType>(i / 42 * 51), static_cast<GifByteType>(i / 6 % 7 * 42),
                          static_cast<GifByteType>(i % 6 * 51)};
  }
  EGifPutScreenDesc(gif, bgr.cols, bgr.rows, 256, 0, colours);
  std::vector<GifPixelType> line(static_cast<std::size_t>(bgr.cols));
  for (int frame = 0; frame < (second_frame ? 2 : 1); ++frame) {
    EGifPutImageDesc(gif, 0, 0, bgr.cols, bgr.rows, false, nullptr);
    for (int y = 0; y < bgr.rows; ++y) {
      for (int x = 0; x < bgr.cols; ++x) {
        const cv::Vec3b p = bgr.at<cv::Vec3b>(y, x);
        const int index = (p[2] + 25) / 51 * 42 + (p[1] + 21) / 42 * 6 + (p[0] + 25) / 51;
        line[static_cast<std::size_t>(x)] = static_cast<GifPixelType>(frame == 0 ? std::min(index, 251) : 0);
      }
      EGifPutLine(gif, line.data(), bgr.cols);
    }
  }
  GifFreeMapObject(colours);
  EGifCloseFile(gif, &error);
  return bytes;
}

std::string EncodeTurned(const cv::Mat& upright, int orientation) {
  const cv::Mat stored = TurnedBack(upright, orientation);
  const std::string jpeg = EncodeAs(stored, ".jpg");
  std::string exif(
      "\xFF\xE1\x00\x22"
      "Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x01\0\0\0\0\0\0\0",
      36);
  exif[28] = static_cast<char>(orientation);
  return jpeg.substr(0, 2) + exif + jpeg.substr(2);
}

std::vector<NastyFile> NastyFiles(const cv::Mat& photo) {
  Files files;
  Whole(photo, files);
  Habits(photo, files);
  Damaged(photo, files);
  Rubbish(files);
  Bombs(photo, files);
  return files;
}

}  // namespace auforge::tests
