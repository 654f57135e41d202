// What `auforge serve` answers: questions to an index as JSON, crops as pictures, and a page that shows them.
// No address of a request ever names a file: shards are numbers, pages are in the program.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "datasets/query/face_index.h"
#include "tools/crawl/serve_http.h"

namespace auforge::tools {

// Changes the Action Units of a crop; an implementation asks auforge-gan. Thread-safe.
class FaceEditor {
 public:
  virtual ~FaceEditor() = default;
  // FACS numbers that can be asked for.
  virtual std::vector<int> Aus() const = 0;
  // crop: JPEG or PNG. intensity: what the face shows now and, in `wanted`, what it shall show; FACS number
  // and 0..5. Returns a PNG. Throws std::runtime_error when the generator failed or took too long.
  virtual std::string Edit(const std::vector<std::uint8_t>& crop,
                           const std::vector<std::pair<int, float>>& shown,
                           const std::vector<std::pair<int, float>>& wanted) = 0;
};

struct ExplorerOptions {
  std::string title = "shards";  // shown on top
  std::chrono::milliseconds longest_query{10'000};
  std::size_t kept_selections = 16;     // latest questions whose answers are kept, >= 1, while they
  std::size_t kept_bytes = 256U << 20;  // take no more than this; the latest is always kept
  void Validate() const;
};

class Explorer {
 public:
  // editor: may be null. index and editor must outlive this object. Handle may be called from many threads.
  Explorer(const datasets::query::FaceIndex& index, FaceEditor* editor, const ExplorerOptions& options);
  ~Explorer();
  HttpResponse Handle(const HttpRequest& request) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auforge::tools
