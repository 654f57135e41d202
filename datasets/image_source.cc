#include "datasets/image_source.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>

#include "datasets/content_kind.h"
#include "datasets/internal/crawl_table.h"
#include "datasets/internal/file_reader.h"
#include "datasets/internal/input_list.h"
#include "datasets/internal/tar_reader.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"
#include "datasets/video_reader.h"
#include "features/number.h"

namespace auforge::datasets {
namespace {

namespace fs = std::filesystem;

// The list's text; "-" is standard input.
std::string ReadListText(const std::string& path) {
  std::string text;
  if (path == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    std::error_code error;
    std::ifstream file(path, std::ios::binary);
    if (!file || fs::is_directory(path, error)) throw std::runtime_error(path + ": the list cannot be read");
    text.assign(std::istreambuf_iterator<char>(file), {});
  }
  const auto head = std::span(reinterpret_cast<const std::uint8_t*>(text.data()), std::min(text.size(), kContentHead));
  const ContentKind kind = TellContent(head);
  if (kind.content != Content::kUnknown && !IsTextKind(kind)) {
    throw std::invalid_argument((path == "-" ? "standard input" : path) + " holds " + std::string(kind.name) +
                                "; a list of paths was expected, one a line. Name a picture or an archive by its path");
  }
  return text;
}

// As much of the ends of the paths as tells them apart: {a/one, b/one, two} -> {a/one, b/one, two}. The same path twice
// gets the same name twice.
std::vector<std::string> DistinctNames(const std::vector<std::string>& paths) {
  std::vector<fs::path> whole;
  for (const std::string& path : paths) {
    std::error_code error;
    fs::path absolute = fs::absolute(path, error).lexically_normal();
    if (!absolute.has_filename()) absolute = absolute.parent_path();
    whole.push_back(absolute.relative_path());
  }
  std::vector<fs::path> rest, names;
  for (const fs::path& path : whole) {
    names.push_back(path.filename());
    rest.push_back(path.parent_path());
  }
  for (bool again = true; again;) {
    std::map<fs::path, std::set<fs::path>> owners;
    for (std::size_t i = 0; i < paths.size(); ++i) owners[names[i]].insert(whole[i]);
    again = false;
    for (std::size_t i = 0; i < paths.size(); ++i) {
      if (owners[names[i]].size() < 2 || rest[i].empty()) continue;
      names[i] = rest[i].filename() / names[i];
      rest[i] = rest[i].parent_path();
      again = true;
    }
  }
  std::vector<std::string> texts;
  for (const fs::path& name : names) texts.push_back(name.generic_string());
  return texts;
}

}  // namespace

std::vector<std::string> ExpandBraces(const std::string& text) {
  constexpr std::uint64_t kMost = 10'000'000;
  const std::size_t open = text.find('{');
  const std::size_t dots = text.find("..", open == std::string::npos ? 0 : open);
  const std::size_t close = text.find('}', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || dots == std::string::npos || close == std::string::npos || dots > close) return {text};
  const std::string first = text.substr(open + 1, dots - open - 1);
  const std::string last = text.substr(dots + 2, close - dots - 2);
  const auto is_number = [](const std::string& s) {
    return !s.empty() && s.size() <= 12 && std::all_of(s.begin(), s.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (!is_number(first) || !is_number(last)) return {text};
  const std::uint64_t low = features::ParseCount(first).value_or(0), high = features::ParseCount(last).value_or(0);
  if (low > high || high - low >= kMost) {
    throw std::runtime_error(text + ": the range in braces is empty or has more than 10,000,000 members");
  }
  const std::vector<std::string> tails = ExpandBraces(text.substr(close + 1));
  std::vector<std::string> all;
  for (std::uint64_t i = low; i <= high; ++i) {
    std::string number = std::to_string(i);
    if (number.size() < first.size()) number.insert(0, first.size() - number.size(), '0');
    for (const std::string& tail : tails) all.push_back(text.substr(0, open) + number + tail);
  }
  return all;
}

void SourceOptions::Validate() const {
  if (shard_size < 1) throw std::invalid_argument("shard_size = 0; must be >= 1");
  if (max_bytes < 1) throw std::invalid_argument("max_bytes = 0; must be >= 1");
  fetch.Validate();
}

void LeftOut::Add(std::uint64_t more, const std::string& name) {
  if (example.empty()) example = name;
  count += more;
}

void SideNotes::Leave(const std::string& kind, const std::string& name, std::uint64_t count) {
  left_out[kind].Add(count, name);
}

void SideNotes::Add(const SideNotes& other) {
  metadata += other.metadata;
  damaged_metadata += other.damaged_metadata;
  lone_metadata += other.lone_metadata;
  for (const auto& [kind, left] : other.left_out) Leave(kind, left.example, left.count);
  for (const auto& [status, tried] : other.crawl) crawl[status].Add(tried.count, tried.example);
  unread_tables.Add(other.unread_tables.count, other.unread_tables.example);
}

std::string SideNotes::LeftOutText() const {
  std::string text;
  for (const auto& [kind, left] : left_out) {
    text += (text.empty() ? "" : ", ") + std::to_string(left.count) + " " + kind;
    if (!left.example.empty()) text += " (" + left.example + (left.count > 1 ? ", …)" : ")");
  }
  return text;
}

struct ImageSource::Impl {
  // What is read as a stream of its own and makes a shard.
  struct Stream {
    std::string path;
    enum class Kind { kTar, kVideo, kFetched } kind = Kind::kTar;
  };
  // A path that was named, or a line of a list.
  struct Input {
    std::string path;
    bool from_list = false;
    bool is_folder = false;
    std::optional<Stream> stream = {};
    bool is_address = false;
  };

  SourceOptions options;
  std::vector<InputShard> shards;
  std::vector<Stream> streams;     // the first shards
  std::vector<FileEntry> files;    // the others, shard_size each
  std::vector<Input> inputs;       // in order, lists and braces as what they stand for
  SideNotes notes;
  std::set<std::string> keys;
  std::string files_name;

  void AddFile(const std::string& path, const std::string& key, int error = 0, bool look_beside = true, bool is_address = false) {
    // The same name in two inputs: the second gets a number, so that no image is lost or counted twice.
    std::string unique = key;
    for (int n = 2; !keys.insert(unique).second; ++n) unique = key + "#" + std::to_string(n);
    files.push_back({path, unique, error, look_beside && !is_address, is_address});
  }

  void AddFolder(const std::string& path, const std::string& prefix, bool from_list) {
    const PictureFolder found = ListPictures(path);
    if (found.error != 0) {
      if (!from_list) throw std::runtime_error(path + ": cannot be listed: " + std::strerror(found.error));
      return AddFile(path, prefix, found.error);
    }
    for (const std::string& tar : found.tars) streams.push_back({tar});
    for (const PictureFile& picture : found.pictures) {
      AddFile(picture.path, prefix + picture.name, picture.error, found.has_side_files);
    }
    notes.Add(found.notes);
  }

  void Add(const std::string& input) {
    std::error_code error;
    if (input == "-" || (input.starts_with('@') && !fs::exists(input, error))) {
      AddList(input == "-" ? input : input.substr(1));
      return;
    }
    // A file whose name has braces in it is that file.
    for (const std::string& path : fs::exists(input, error) ? std::vector{input} : ExpandBraces(input)) AddPath(path, false);
  }

  void AddList(const std::string& list) {
    for (const ListLine& line : ReadListLines(ReadListText(list))) {
      std::error_code error;
      const bool as_it_stands = line.path != line.verbatim && !fs::exists(line.path, error) && fs::exists(line.verbatim, error);
      if (line.is_remark && !as_it_stands && !fs::exists(line.path, error)) continue;
      AddPath(as_it_stands ? line.verbatim : line.path, true);
    }
  }

  // What cannot be fetched as a whole is said before the work; lines of a list were written by many hands, and are tried.
  void AddAddress(const std::string& address, bool from_list) {
    if (options.fetch.command.empty()) {
      throw std::invalid_argument(address + ": is an address; auforge annotate reads it with --fetch, for example "
                                            "--fetch 'curl -sf {}'");
    }
    const std::string name(AddressName(address));
    const bool is_archive = NamePromisesArchive(name);
    if (!from_list && name.ends_with('/'))
      throw std::invalid_argument(address + ": is a folder's address; name archives, with braces, or a @list of addresses");
    if (!from_list && LooksLikeVideo(name))
      throw std::invalid_argument(address + ": videos are read from files; fetch it to one");
    const bool is_stream = is_archive || (!from_list && !NamePromisesPicture(name));
    inputs.push_back({.path = address, .from_list = from_list, .is_address = true});
    if (is_stream) inputs.back().stream = Stream{address, Stream::Kind::kFetched};
  }

  void AddPath(const std::string& path, bool from_list) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (IsAddress(path) && !fs::exists(status)) return AddAddress(path, from_list);
    if (status.type() == fs::file_type::not_found || status.type() == fs::file_type::none) {
      // A list of a million paths with a hole in it is a crawl; a mistyped argument is a mistake.
      if (from_list) return inputs.push_back({path, true});
      if (status.type() == fs::file_type::not_found) throw std::runtime_error(path + ": no such file or folder");
      throw std::runtime_error(path + ": " + error.message());
    }
    const bool is_folder = status.type() == fs::file_type::directory;
    inputs.push_back({path, from_list, is_folder, is_folder ? std::nullopt : AsStream(path)});
  }

  static std::optional<Stream> AsStream(const std::string& path) {
    if (NamePromisesArchive(path)) return Stream{path};
    const bool is_video = LooksLikeVideo(path);
    if (!is_video && NamePromisesPicture(path)) return std::nullopt;
    int error = 0;
    const Content content = TellFile(path, error).content;
    if (content == Content::kArchive) return Stream{path};
    if (content == Content::kVideo || (is_video && content != Content::kPicture)) return Stream{path, Stream::Kind::kVideo};
    return std::nullopt;
  }

  // Where several folders are given, keys begin with the folder's name; files of one name get theirs, too.
  void AddInputs() {
    std::vector<std::string> folders, loose;
    for (const Input& input : inputs) {
      if (!input.from_list && !input.stream) (input.is_folder ? folders : loose).push_back(input.path);
    }
    const std::vector<std::string> folder_names = DistinctNames(folders), file_names = DistinctNames(loose);
    std::size_t folder = 0, file = 0;
    for (const Input& input : inputs) {
      if (input.stream) {
        streams.push_back(*input.stream);
      } else if (input.from_list && !input.is_folder) {
        AddFile(input.path, input.path, 0, true, input.is_address);
      } else if (input.from_list) {
        AddFolder(input.path, input.path.ends_with('/') ? input.path : input.path + "/", true);
      } else if (input.is_folder) {
        AddFolder(input.path, folders.size() > 1 ? folder_names[folder] + "/" : "", false);
        ++folder;
      } else {
        AddFile(input.path, file_names[file++], 0, true, input.is_address);
      }
    }
    inputs.clear();
  }

  void MakeShards(const std::vector<std::string>& named) {
    for (const Stream& stream : streams) shards.push_back({static_cast<int>(shards.size()), stream.path, 0, {}});
    std::sort(files.begin(), files.end(), [](const FileEntry& a, const FileEntry& b) { return a.key < b.key; });
    for (std::size_t i = 1; i < files.size(); ++i) files[i].begins_folder = TablePathOf(files[i].path) != TablePathOf(files[i - 1].path);
    for (const std::string& input : named) {
      const std::string_view name = IsAddress(input) ? AddressName(input) : input;
      if (!NamePromisesArchive(name) && !LooksLikeVideo(std::string(name))) files_name += (files_name.empty() ? "" : " ") + input;
    }
    for (std::size_t begin = 0; begin < files.size(); begin += options.shard_size) {
      const std::size_t count = std::min(options.shard_size, files.size() - begin);
      const std::string range = std::to_string(begin) + ".." + std::to_string(begin + count - 1);
      std::string keys_text;
      for (std::size_t i = begin; i < begin + count; ++i) keys_text += files[i].key + "\n";
      shards.push_back({static_cast<int>(shards.size()), "images " + range + " of " + files_name, count,
                        storage::Sha256Hex(keys_text).substr(0, 16)});
    }
  }
};

ImageSource::ImageSource() : impl_(std::make_unique<Impl>()) {}
ImageSource::ImageSource(ImageSource&&) noexcept = default;
ImageSource& ImageSource::operator=(ImageSource&&) noexcept = default;
ImageSource::~ImageSource() = default;

ImageSource ImageSource::Plan(const std::vector<std::string>& inputs, const SourceOptions& options) {
  options.Validate();
  ImageSource source;
  source.impl_->options = options;
  for (const std::string& input : inputs) source.impl_->Add(input);
  source.impl_->AddInputs();
  source.impl_->MakeShards(inputs);
  if (source.impl_->shards.empty()) {
    std::string names;
    for (const std::string& input : inputs) names += (names.empty() ? "" : ", ") + input;
    const std::string others = source.impl_->notes.LeftOutText();
    throw storage::BadContent(names + ": no image in it" + (others.empty() ? "" : "; what there is: " + others));
  }
  return source;
}

const std::vector<InputShard>& ImageSource::Shards() const { return impl_->shards; }
const SideNotes& ImageSource::Notes() const { return impl_->notes; }

std::vector<std::string> ImageSource::Files(const InputShard& shard) const {
  const auto index = static_cast<std::size_t>(shard.index);
  std::error_code error;
  if (index < impl_->streams.size()) {
    const Impl::Stream& stream = impl_->streams[index];
    const std::string table = stream.kind == Impl::Stream::Kind::kTar ? CrawlTable::PathFor(stream.path) : "";
    if (table.empty() || !fs::exists(table, error)) return {stream.path};
    return {stream.path, table};
  }
  const std::size_t begin = (index - impl_->streams.size()) * impl_->options.shard_size;
  std::vector<std::string> paths, beside;
  std::string table;
  for (std::size_t i = begin; i < begin + shard.count; ++i) {
    const FileEntry& file = impl_->files[i];
    paths.push_back(file.path);
    if (file.is_address) continue;
    if (const std::string path = TablePathOf(file.path); path != table) {
      table = path;
      if (!path.empty() && fs::exists(path, error)) beside.push_back(path);
    }
    if (!file.look_beside) continue;
    for (const std::string& path : FilesBeside(file.path)) {
      if (fs::exists(path, error) || error) beside.push_back(path);
    }
  }
  paths.insert(paths.end(), beside.begin(), beside.end());
  return paths;
}

std::unique_ptr<ItemReader> ImageSource::Open(const InputShard& shard) const {
  const auto index = static_cast<std::size_t>(shard.index);
  if (index < impl_->streams.size()) {
    const Impl::Stream& stream = impl_->streams[index];
    switch (stream.kind) {
      case Impl::Stream::Kind::kVideo: return std::make_unique<VideoReader>(stream.path, VideoOptions{});
      case Impl::Stream::Kind::kFetched: return FetchTar(stream.path, impl_->options.fetch, impl_->options.max_bytes);
      case Impl::Stream::Kind::kTar: break;
    }
    return OpenTar(stream.path, impl_->options.max_bytes);
  }
  const std::size_t begin = (index - impl_->streams.size()) * impl_->options.shard_size;
  const FileEntry* files = impl_->files.data();
  return std::make_unique<FileReader>(files + begin, files + begin + shard.count, impl_->options.max_bytes, impl_->options.fetch);
}

}  // namespace auforge::datasets
