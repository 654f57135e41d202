#include "gan/event_writer.h"

#include <unistd.h>

#include <bit>
#include <chrono>
#include <filesystem>
#include <stdexcept>

#include "datasets/image_codec.h"
#include "datasets/storage/checksum.h"

namespace auforge::gan {
namespace {

// Protocol buffer wire format: a key (field << 3 | type), then a varint (0), 8 bytes (1), length and bytes
// (2) or 4 bytes (5), little-endian.
enum WireType : std::uint64_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void PutVarint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>((value & 0x7f) | 0x80));
  out.push_back(static_cast<char>(value));
}

void PutFixed(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

void PutKey(std::string& out, std::uint64_t field, WireType type) { PutVarint(out, field << 3 | type); }

void PutInteger(std::string& out, std::uint64_t field, std::int64_t value) {
  PutKey(out, field, kVarint);
  PutVarint(out, static_cast<std::uint64_t>(value));
}

void PutBytes(std::string& out, std::uint64_t field, const std::string& bytes) {
  PutKey(out, field, kBytes);
  PutVarint(out, bytes.size());
  out += bytes;
}

// Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; SessionLog
// session_log = 7 }
std::string Event(std::int64_t step) {
  std::string event;
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  PutKey(event, 1, kFixed64);
  PutFixed(event, std::bit_cast<std::uint64_t>(now), 8);
  PutInteger(event, 2, step);
  return event;
}

}  // namespace

std::uint32_t MaskedCrc32c(const std::string& bytes) {
  const std::uint32_t crc =
      datasets::storage::Crc32c({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  return (crc >> 15 | crc << 17) + 0xa282ead8U;
}

EventWriter::EventWriter(const std::string& folder, std::int64_t resumed_at) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  const std::string name =
      "events.out.tfevents." + std::to_string(seconds) + ".auforge." + std::to_string(getpid());
  path_ = (std::filesystem::path(folder) / name).string();
  file_.open(path_, std::ios::binary | std::ios::app);
  if (!file_) throw std::runtime_error(path_ + ": cannot be written");
  std::string version = Event(resumed_at);
  PutBytes(version, 3, "brain.Event:2");
  Record(version);
  // SessionLog { Status status = 1 }, START = 1.
  std::string start = Event(resumed_at), log;
  PutInteger(log, 1, 1);
  PutBytes(start, 7, log);
  Record(start);
}

void EventWriter::Scalars(std::int64_t step, const std::map<std::string, double>& values) {
  // Summary { repeated Value value = 1 }, Value { string tag = 1; float simple_value = 2; Image image = 4 }
  std::string summary;
  for (const auto& [tag, number] : values) {
    std::string value;
    PutBytes(value, 1, tag);
    PutKey(value, 2, kFixed32);
    PutFixed(value, std::bit_cast<std::uint32_t>(static_cast<float>(number)), 4);
    PutBytes(summary, 1, value);
  }
  std::string event = Event(step);
  PutBytes(event, 5, summary);
  Record(event);
}

void EventWriter::Image(std::int64_t step, const std::string& tag, const cv::Mat& bgr) {
  // Image { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4 }
  const std::vector<std::uint8_t> jpeg = datasets::EncodeJpeg(bgr, 92);
  std::string image, value, summary;
  PutInteger(image, 1, bgr.rows);
  PutInteger(image, 2, bgr.cols);
  PutInteger(image, 3, 3);
  PutBytes(image, 4, std::string(jpeg.begin(), jpeg.end()));
  PutBytes(value, 1, tag);
  PutBytes(value, 4, image);
  PutBytes(summary, 1, value);
  std::string event = Event(step);
  PutBytes(event, 5, summary);
  Record(event);
}

void EventWriter::Record(const std::string& event) {
  std::string header;
  PutFixed(header, event.size(), 8);
  std::string record = header;
  PutFixed(record, MaskedCrc32c(header), 4);
  record += event;
  PutFixed(record, MaskedCrc32c(event), 4);
  file_.write(record.data(), static_cast<std::streamsize>(record.size()));
  file_.flush();
}

}  // namespace auforge::gan
