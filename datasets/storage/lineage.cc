#include "datasets/storage/lineage.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "datasets/storage/atomic_file.h"
#include "datasets/storage/bad_content.h"
#include "datasets/storage/checksum.h"
#include "datasets/storage/hdf5_file.h"

namespace auforge::datasets::storage {
namespace {

using nlohmann::json;

// An attribute of HDF5 has 64 KB, its name and type included.
constexpr std::size_t kMostBytes = 60'000;
// No text that a person or a plan wrote is larger; a file of gigabytes named by mistake is not parsed.
constexpr std::size_t kLargestFile = 64'000'000;

bool IsDigest(const json& value) {
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsTime(const json& value) {
  constexpr std::string_view kPattern = "0000-00-00T00:00:00Z";
  if (!value.is_string() || value.get_ref<const std::string&>().size() != kPattern.size()) return false;
  const auto& text = value.get_ref<const std::string&>();
  return std::equal(kPattern.begin(), kPattern.end(), text.begin(), [](char pattern, char c) {
    return pattern == '0' ? c >= '0' && c <= '9' : c == pattern;
  });
}

bool IsData(const json& value) {
  if (value.is_array()) return std::all_of(value.begin(), value.end(), IsDigest);
  return value.is_object() && value.size() == 2 && value.contains("count") && value["count"].is_number_unsigned() &&
         value.contains("sha256") && IsDigest(value["sha256"]);
}

json Summed(const json& digests) {
  std::string lines;
  for (const json& digest : digests) lines += digest.get<std::string>() + "\n";
  return {{"count", digests.size()}, {"sha256", Sha256Hex(lines)}};
}

}  // namespace

std::string CanonicalLineage(const std::string& text, const std::string& name) {
  const auto refuse = [&name](const std::string& what) { throw BadContent(name + ": is no lineage: " + what); };
  json lineage = json::parse(text, nullptr, false);
  if (!lineage.is_object()) refuse("not a JSON object");
  for (const char* key : {"data", "plan", "round"})
    if (!lineage.contains(key)) refuse(std::string("\"") + key + "\" is missing");
  for (const auto& [key, value] : lineage.items()) {
    if (key == "parent") {
      if (!value.is_null() && !IsDigest(value)) refuse("\"parent\" is neither null nor a SHA-256 of 64 small hexadecimal digits");
    } else if (key == "data") {
      if (!IsData(value)) refuse("\"data\" is not a list of SHA-256 of 64 small hexadecimal digits each");
    } else if (key == "plan") {
      if (!IsDigest(value)) refuse("\"plan\" is not a SHA-256 of 64 small hexadecimal digits");
    } else if (key == "round") {
      if (!value.is_number_unsigned()) refuse("\"round\" is not a whole number of 0 or more");
    } else if (key == "created") {
      if (!IsTime(value)) refuse("\"created\" is not a time like 2026-01-31T12:00:00Z");
    } else {
      refuse("\"" + key + "\" is not known; it has parent, data, plan, round and created");
    }
  }
  if (lineage.dump().size() > kMostBytes) lineage["data"] = Summed(lineage["data"]);
  return lineage.dump();
}

std::string StoredLineage(const Hdf5Reader& file) {
  try {
    return file.HasAttribute("/", kLineage) ? file.ReadString("/", kLineage) : "";
  } catch (const BadContent&) {
    return "";  // another program's attribute of that name
  }
}

std::string ReadLineageFile(const std::string& path) {
  if (path.empty()) return "";
  const std::string text = ReadFile(path);
  if (text.size() > kLargestFile) throw BadContent(path + ": is no lineage: it has " + std::to_string(text.size()) + " bytes");
  return CanonicalLineage(text, path);
}

}  // namespace auforge::datasets::storage
