// Reads what dlib::serialize(shape_predictor) writes. dlib's own reader takes 0.7 s for the 100 MB, byte by
// byte through a stream buffer; a start-up budget of half a second needs this one.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <stdexcept>

#include "annotator/internal/landmark_ensemble.h"
#include "annotator/landmark_fault.h"
#include "datasets/storage/bad_content.h"

namespace auforge::annotator {

std::string LandmarkFault(const std::string& path, const std::string& what) {
  return path + ": " + what +
         ". Landmark weights come with Debian's package libdlib-data; AUFORGE_LANDMARKS (or --landmarks of "
         "annotate) names another file, of dlib's shape_predictor_68_face_landmarks.dat.";
}

namespace {

using Cascade = LandmarkCascade;

constexpr std::size_t kLargestForest = 1 << 16;      // trees of a cascade
constexpr std::size_t kLargestTree = (1 << 12) - 1;  // splits of a tree

// The bytes are at fault.
[[noreturn]] void Fail(const std::string& name, const std::string& what) {
  throw datasets::storage::BadContent(LandmarkFault(name, what));
}

// 2^exponent for normal floats.
float PowerOfTwo(int exponent) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(exponent + 127) << 23);
}

// dlib's portable numbers: an integer is a control byte (0x80: negative; low bits: how many bytes) and those
// bytes, little endian; a float is an integer mantissa and an integer exponent of two.
class Parser {
 public:
  Parser(const std::uint8_t* bytes, std::size_t size, const std::string& name)
      : at_(bytes), end_(bytes + size), name_(name) {}

  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  [[noreturn]] void Damaged(const char* what) const {
    Fail(name_, std::string("is damaged or not a dlib shape predictor (") + what + ")");
  }

  std::int64_t Integer() {
    if (at_ == end_) Damaged("it ends early");
    const std::uint8_t control = *at_++;
    const std::size_t size = control & 0x0F;
    if ((control & 0x70) != 0 || size < 1 || size > 8) Damaged("not a number of its format");
    if (left() < size) Damaged("it ends early");
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= static_cast<std::uint64_t>(at_[i]) << (8 * i);
    at_ += size;
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      Damaged("a number is too large");
    return (control & 0x80) != 0 ? -static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
  }

  // A count of things that take at least `least_bytes` each.
  std::size_t Count(std::size_t most, std::size_t least_bytes, const char* what) {
    const std::int64_t value = Integer();
    if (value < 0 || static_cast<std::uint64_t>(value) > most ||
        static_cast<std::uint64_t>(value) > left() / least_bytes) {
      Damaged(what);
    }
    return static_cast<std::size_t>(value);
  }

  float Float() {
    // Nearly all are 3 bytes of mantissa and 1 of a negative exponent.
    if (left() >= 8 && (at_[0] & 0x7F) == 3 && at_[4] == 0x81) {
      const std::uint32_t magnitude = at_[1] | at_[2] << 8 | at_[3] << 16;
      const int exponent = -static_cast<int>(at_[5]);
      if (exponent >= -126) {
        const float value = static_cast<float>(magnitude) * PowerOfTwo(exponent);
        const bool is_negative = (at_[0] & 0x80) != 0;
        at_ += 6;
        return is_negative ? -value : value;
      }
    }
    const std::int64_t mantissa = Integer();
    const std::int64_t exponent = Integer();
    if (exponent < -1000 || exponent > 1000) Damaged("a number that is not finite");
    const float value = std::ldexp(static_cast<float>(mantissa), static_cast<int>(exponent));
    if (!std::isfinite(value)) Damaged("a number that is not finite");
    return value;
  }

  // A column vector of kShapeSize floats.
  void Shape(float* out) {
    const std::int64_t rows = Integer(), columns = Integer();
    const std::int64_t landmarks = std::abs(rows) / 2;
    if (std::abs(rows) != static_cast<std::int64_t>(kShapeSize) || std::abs(columns) != 1) {
      Fail(name_, "has " + std::to_string(landmarks) + " landmarks; 68 are needed");
    }
    for (std::size_t i = 0; i < kShapeSize; ++i) out[i] = Float();
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  const std::string& name_;
};

constexpr std::size_t kLeastSplit = 8;                    // encoded bytes: two integers and a float of 2 + 2
constexpr std::size_t kLeastLeaf = 4 * (kShapeSize + 1);  // encoded bytes of a leaf

void ReadTree(Parser& parser, const std::string& name, bool is_first, Cascade& cascade) {
  const std::size_t splits = parser.Count(kLargestTree, kLeastSplit, "absurd number of splits");
  if (is_first) {
    if (((splits + 1) & splits) != 0) Fail(name, "has a tree that is not complete");
    cascade.splits_per_tree = splits;
  } else if (splits != cascade.splits_per_tree) {
    Fail(name, "has trees of different depths");
  }
  for (std::size_t i = 0; i < splits; ++i) {
    const std::int64_t first = parser.Integer(), second = parser.Integer();
    if (first < 0 || first > 65535 || second < 0 || second > 65535)
      Fail(name, "has a split beyond its pixels");
    cascade.splits.push_back(
        {static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(second), parser.Float()});
  }
  const std::size_t leaves = parser.Count(kLargestTree + 1, kLeastLeaf, "absurd number of leaves");
  if (leaves != splits + 1) Fail(name, "has trees of different depths");
}

// Anchors and offsets of the probes; known only after all trees.
void ReadProbes(Parser& parser, const std::string& name, std::vector<Cascade>& cascades) {
  if (parser.Count(cascades.size(), 1, "inconsistent number of cascades") != cascades.size()) {
    Fail(name, "has an inconsistent number of cascades");
  }
  for (Cascade& cascade : cascades) {
    cascade.anchor.resize(parser.Count(65535, 2, "absurd number of probes"));
    for (std::uint8_t& anchor : cascade.anchor) {
      const std::int64_t landmark = parser.Integer();
      if (landmark < 0 || landmark >= static_cast<std::int64_t>(features::kLandmarkCount)) {
        Fail(name, "refers to a landmark beyond 67");
      }
      anchor = static_cast<std::uint8_t>(landmark);
    }
  }
  if (parser.Count(cascades.size(), 1, "inconsistent number of cascades") != cascades.size()) {
    Fail(name, "has an inconsistent number of cascades");
  }
  for (Cascade& cascade : cascades) {
    if (parser.Count(65535, 4, "absurd number of probes") != cascade.anchor.size())
      Fail(name, "has a malformed cascade");
    cascade.delta.resize(cascade.anchor.size());
    for (features::Point2& delta : cascade.delta) {
      delta.x = parser.Float();
      delta.y = parser.Float();
    }
    for (const Cascade::Split& split : cascade.splits) {
      if (split.first >= cascade.anchor.size() || split.second >= cascade.anchor.size()) {
        Fail(name, "has a split beyond its pixels");
      }
    }
  }
}

// A file in memory, read-only.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) throw std::runtime_error(LandmarkFault(path, std::string("cannot be opened: ") + std::strerror(errno)));
    struct stat status {};
    const bool is_file = fstat(file, &status) == 0 && S_ISREG(status.st_mode);
    if (is_file && status.st_size > 0) {
      size_ = static_cast<std::size_t>(status.st_size);
      bytes_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    }
    const int error = errno;
    close(file);
    if (!is_file) throw std::runtime_error(LandmarkFault(path, "is not a file"));
    if (size_ == 0) Fail(path, "is empty");
    if (bytes_ == MAP_FAILED) throw std::runtime_error(path + ": cannot be read: " + std::strerror(error));
    madvise(bytes_, size_, MADV_SEQUENTIAL);
    madvise(bytes_, size_, MADV_WILLNEED);
  }
  ~MappedFile() { munmap(bytes_, size_); }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  const std::uint8_t* data() const { return static_cast<const std::uint8_t*>(bytes_); }
  std::size_t size() const { return size_; }

 private:
  void* bytes_ = MAP_FAILED;
  std::size_t size_ = 0;
};

}  // namespace

LeafStore::LeafStore(std::size_t size) {
  constexpr std::size_t kHugePage = 2 << 20, kCacheLine = 64;
  const std::size_t wanted = std::max<std::size_t>(size, 1) * sizeof(float);
  const std::size_t page = wanted < kHugePage ? kCacheLine : kHugePage;
  const std::size_t bytes = (wanted + page - 1) / page * page;
  void* memory = std::aligned_alloc(page, bytes);
  if (memory == nullptr) throw std::bad_alloc();
  if (page == kHugePage) madvise(memory, bytes, MADV_HUGEPAGE);  // a wish; without it the store works, slower
  values_.reset(static_cast<float*>(memory));
}

void LeafStore::Free::operator()(float* p) const { std::free(p); }

LandmarkEnsemble ParseLandmarkEnsemble(const std::uint8_t* bytes, std::size_t size, const std::string& name) {
  Parser parser(bytes, size, name);
  if (parser.Integer() != 1) Fail(name, "is not a dlib shape predictor of version 1");
  // Every leaf takes at least this many bytes: room for all that can come, the last of them cut off.
  LandmarkEnsemble ensemble{{}, {}, LeafStore((size / kLeastLeaf + 1) * kShapeSize)};
  parser.Shape(ensemble.mean.data());
  ensemble.cascades.resize(parser.Count(1000, 2, "absurd number of cascades"));
  if (ensemble.cascades.empty()) Fail(name, "has no cascades");
  std::size_t leaf = 0;
  for (Cascade& cascade : ensemble.cascades) {
    cascade.first_leaf = leaf;
    cascade.trees = parser.Count(kLargestForest, 2, "absurd number of trees");
    if (cascade.trees == 0) Fail(name, "has a malformed cascade");
    for (std::size_t t = 0; t < cascade.trees; ++t) {
      ReadTree(parser, name, t == 0, cascade);
      for (std::size_t i = 0; i < cascade.LeavesPerTree(); ++i)
        parser.Shape(ensemble.leaves.data() + kShapeSize * leaf++);
    }
  }
  ReadProbes(parser, name, ensemble.cascades);
  return ensemble;
}

LandmarkEnsemble ReadLandmarkEnsemble(const std::string& path) {
  const MappedFile file(path);
  return ParseLandmarkEnsemble(file.data(), file.size(), path);
}

}  // namespace auforge::annotator
