#include "tools/au/labelled_pictures.h"

#include <algorithm>
#include <future>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "datasets/image_source.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/checksum.h"
#include "datasets/video_reader.h"
#include "tools/cli/parallel.h"

namespace auforge::tools {
namespace {

constexpr std::size_t kNamed = 20;

// Numbers of the wanted frames of a video, images[begin, end) of the set: each once, though it may show several
// labelled faces.
std::vector<long> WantedFrames(const datasets::LabelSet& set, std::size_t begin, std::size_t end) {
  std::vector<long> frames;
  for (std::size_t i = begin; i < end; ++i) {
    if (frames.empty() || frames.back() != set.images[i].frame) frames.push_back(set.images[i].frame);
  }
  return frames;
}

// Frames of one video, images[begin, end) of the set, in chunks: one is read while the one before is looked
// at. Returns how many of them the video has, and says so where that is not all. Throws std::runtime_error with both
// numbers where its labels speak of every frame and the video has another number of them.
std::size_t VisitVideo(const datasets::LabelSet& set, std::size_t begin, std::size_t end, int jobs,
                       const Log& log, const Visit& visit) {
  constexpr long kBeyondEveryEnd = 2'000'000'000;
  const std::string& path = set.images[begin].image;
  std::vector<long> frames = WantedFrames(set, begin, end);
  const long last = frames.back();
  const auto whole = set.frames_of_video.find(path);
  // A frame that is not there makes the reader count all that are.
  if (whole != set.frames_of_video.end()) frames.push_back(kBeyondEveryEnd);
  datasets::VideoReader video(path, {.frames = frames, .program = {}});
  std::string fault;
  std::size_t at = begin;
  struct Frame {
    std::vector<std::uint8_t> bytes;
    std::size_t first, last;  // of the set's images
  };
  const auto read = [&] {
    std::vector<Frame> chunk;
    datasets::ImageItem item;
    while (chunk.size() < 2 * static_cast<std::size_t>(std::max(1, jobs)) && video.Next(item)) {
      if (video.frame() == 0) {
        fault = item.message;
        continue;
      }
      while (at < end && set.images[at].frame < video.frame()) ++at;
      const std::size_t first = at;
      while (at < end && set.images[at].frame == video.frame()) ++at;
      chunk.push_back({std::move(item.bytes), first, at});
    }
    return chunk;
  };
  std::size_t done = 0;
  for (std::vector<Frame> chunk = read(); !chunk.empty();) {
    auto next = std::async(std::launch::async, read);
    ParallelFor(chunk.size(), jobs, [&](std::size_t c) {
      for (std::size_t i = chunk[c].first; i < chunk[c].last; ++i) visit(i, chunk[c].bytes);
    });
    for (const Frame& frame : chunk) done += frame.last - frame.first;
    chunk = next.get();
  }
  if (fault.empty() && whole != set.frames_of_video.end() && whole->second != video.frames_read()) {
    throw std::runtime_error(path + ": has " + std::to_string(video.frames_read()) + " frames, its labels speak of " +
                             std::to_string(whole->second) + "; is it the video that was labelled?");
  }
  const std::size_t missing = end - begin - done;
  if (missing == 0 || !log) return done;
  if (fault.empty())
    fault = "ends with frame " + std::to_string(video.frames_read()) + ", its labels with frame " +
            std::to_string(last) + "; is it the video that was labelled?";
  log(path + ": " + fault + " (" + std::to_string(missing) + " labelled frames left out)");
  return done;
}

// Members of one tar by name: images `of` the set. Likewise.
std::size_t VisitTar(const std::string& tar, std::map<std::string, std::size_t> of, int jobs, const Log& log,
                     const Visit& visit) {
  const datasets::ImageSource source = datasets::ImageSource::Plan({tar}, {});
  std::string fault;
  std::vector<std::pair<std::size_t, datasets::ImageItem>> chunk;
  const auto visit_chunk = [&] {
    ParallelFor(chunk.size(), jobs, [&](std::size_t c) { visit(chunk[c].first, chunk[c].second.bytes); });
    chunk.clear();
  };
  for (const datasets::InputShard& shard : source.Shards()) {
    const auto reader = source.Open(shard);
    for (datasets::ImageItem item; reader->Next(item);) {
      if (item.status != datasets::Outcome::kOk) {
        fault = item.message;
        continue;
      }
      const auto wanted = of.find(item.path.substr(std::min(item.path.size(), tar.size() + 1)));
      if (wanted == of.end()) continue;
      chunk.emplace_back(wanted->second, std::move(item));
      of.erase(wanted);
      if (chunk.size() >= 4 * static_cast<std::size_t>(std::max(1, jobs))) visit_chunk();
    }
  }
  visit_chunk();
  if (!of.empty() && log)
    log(tar + ": " + (fault.empty() ? "no longer holds " + of.begin()->first : fault) + " (" +
        std::to_string(of.size()) + " labelled pictures left out)");
  return of.size();
}

}  // namespace

std::size_t VisitPictures(const datasets::LabelSet& set, int jobs, const Log& log, const Visit& visit) {
  std::vector<std::size_t> pictures;
  std::map<std::string, std::map<std::string, std::size_t>> tars;
  std::size_t missing = 0;
  for (std::size_t i = 0; i < set.images.size();) {
    std::size_t end = i + 1;
    const datasets::LabelledImage& image = set.images[i];
    if (!image.member.empty()) {
      tars[image.image].emplace(image.member, i);
    } else if (image.frame == 0) {
      pictures.push_back(i);
    } else {
      while (end < set.images.size() && set.images[end].image == image.image) ++end;
      missing += end - i - VisitVideo(set, i, end, jobs, log, visit);
    }
    i = end;
  }
  ParallelFor(pictures.size(), jobs, [&](std::size_t p) {
    const std::string bytes = datasets::storage::ReadFile(set.images[pictures[p]].image);
    visit(pictures[p], {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  });
  for (const auto& [tar, of] : tars) missing += VisitTar(tar, of, jobs, log, visit);
  return missing;
}

std::size_t DropRepeated(datasets::LabelSet& set, const Log& log) {
  std::vector<std::string> digests(set.images.size());
  datasets::LabelSet stills;
  std::vector<std::size_t> at;  // of each still in the set
  for (std::size_t i = 0; i < set.images.size(); ++i) {
    if (set.images[i].frame != 0) continue;
    stills.images.push_back(set.images[i]);
    at.push_back(i);
  }
  VisitPictures(stills, 1, {}, [&](std::size_t s, std::span<const std::uint8_t> encoded) {
    digests[at[s]] = datasets::storage::HexDigest(datasets::storage::Sha256(encoded));
  });
  std::map<std::string, std::size_t> first;
  std::vector<datasets::LabelledImage> kept;
  std::size_t repeated = 0;
  for (std::size_t i = 0; i < set.images.size(); ++i) {
    const datasets::LabelledImage& image = set.images[i];
    const auto [before, is_first] = first.try_emplace(digests[i], i);
    if (digests[i].empty() || is_first) {
      kept.push_back(image);
      continue;
    }
    const datasets::LabelledImage& same = set.images[before->second];
    ++repeated;
    if (log && repeated <= kNamed)
      log(NameOf(image) + ": is the same picture as " + NameOf(same) +
          (PartOf(image) == PartOf(same) ? "" : ", which is in the other part") + "; left out");
  }
  set.images = std::move(kept);
  return repeated;
}

}  // namespace auforge::tools
