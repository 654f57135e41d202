// TensorBoard event files: records (length, masked CRC-32C, bytes, masked CRC-32C) of the protocol buffer
// "Event", of which this writes what TensorBoard needs for curves and pictures. One writer, one file; used by
// one thread.
#pragma once

#include <cstdint>
#include <fstream>
#include <map>
#include <opencv2/core/mat.hpp>
#include <string>

namespace auforge::gan {

class EventWriter {
 public:
  // Starts FOLDER/events.out.tfevents.SECONDS.auforge.PID. resumed_at: steps from here on that older files of
  // the folder hold are void (TensorBoard drops them). Throws std::runtime_error naming the file.
  EventWriter(const std::string& folder, std::int64_t resumed_at);
  // Appends and flushes. Tags such as "loss/d_real".
  void Scalars(std::int64_t step, const std::map<std::string, double>& values);
  // bgr: CV_8UC3.
  void Image(std::int64_t step, const std::string& tag, const cv::Mat& bgr);
  const std::string& path() const { return path_; }

 private:
  void Record(const std::string& event);
  std::string path_;
  std::ofstream file_;
};

// The record's checksum: CRC-32C, rotated and offset as the format wants it.
std::uint32_t MaskedCrc32c(const std::string& bytes);

}  // namespace auforge::gan
