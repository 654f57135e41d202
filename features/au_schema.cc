#include "features/au_schema.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <stdexcept>
#include <utility>

namespace auforge::features {
namespace {

constexpr std::array<std::pair<int, std::string_view>, 29> kNames{{
    {1, "Inner brow raiser"},     {2, "Outer brow raiser"},   {4, "Brow lowerer"},       {5, "Upper lid raiser"},
    {6, "Cheek raiser"},          {7, "Lid tightener"},       {8, "Lips toward each other"}, {9, "Nose wrinkler"},
    {10, "Upper lip raiser"},     {11, "Nasolabial deepener"}, {12, "Lip corner puller"}, {13, "Sharp lip puller"},
    {14, "Dimpler"},              {15, "Lip corner depressor"}, {16, "Lower lip depressor"}, {17, "Chin raiser"},
    {18, "Lip pucker"},           {20, "Lip stretcher"},      {21, "Neck tightener"},    {22, "Lip funneler"},
    {23, "Lip tightener"},        {24, "Lip pressor"},        {25, "Lips part"},         {26, "Jaw drop"},
    {27, "Mouth stretch"},        {28, "Lip suck"},           {43, "Eyes closed"},       {45, "Blink"},
    {46, "Wink"},
}};

}  // namespace

AuSchema::AuSchema(std::vector<int> facs_numbers) : numbers_(std::move(facs_numbers)) {
  std::set<int> seen;
  for (const int number : numbers_) {
    if (number < 1 || number > 64) throw std::invalid_argument("AU" + std::to_string(number) + ": must be in 1..64");
    if (!seen.insert(number).second) throw std::invalid_argument("AU" + std::to_string(number) + ": occurs twice");
  }
}

AuSchema AuSchema::FromNames(const std::vector<std::string>& names) {
  std::vector<int> numbers;
  for (const std::string& name : names) {
    const std::optional<int> number = ParseAu(name);
    if (!number) throw std::invalid_argument("\"" + name + "\" is not an Action Unit; write AU12");
    numbers.push_back(*number);
  }
  return AuSchema(std::move(numbers));
}

std::optional<std::size_t> AuSchema::Find(int facs_number) const {
  const auto find = [this](int number) -> std::optional<std::size_t> {
    const auto at = std::find(numbers_.begin(), numbers_.end(), number);
    if (at == numbers_.end()) return std::nullopt;
    return static_cast<std::size_t>(at - numbers_.begin());
  };
  if (const auto exact = find(facs_number)) return exact;
  if (facs_number == 43) return find(45);
  if (facs_number == 45) return find(43);
  return std::nullopt;
}

std::vector<std::string> AuSchema::Names() const {
  std::vector<std::string> names;
  for (const int number : numbers_) names.push_back("AU" + std::to_string(number));
  return names;
}

const AuSchema& GanSchema() {
  static const AuSchema schema({1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45});
  return schema;
}

const AuSchema& CatalogueSchema() {
  static const AuSchema schema({1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 26, 28, 45});
  return schema;
}

std::string_view AuName(int facs_number) {
  for (const auto& [number, name] : kNames) {
    if (number == facs_number) return name;
  }
  return {};
}

std::optional<int> ParseAu(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  const auto lower = [&text](std::size_t i) { return std::tolower(static_cast<unsigned char>(text[i])); };
  if (text.size() >= 2 && lower(0) == 'a' && lower(1) == 'u') text.remove_prefix(2);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  if (text.empty() || text.size() > 2) return std::nullopt;
  int number = 0;
  for (const char c : text) {
    if (std::isdigit(static_cast<unsigned char>(c)) == 0) return std::nullopt;
    number = number * 10 + (c - '0');
  }
  if (number < 1 || number > 64) return std::nullopt;
  return number;
}

bool AuHasSides(int facs_number) {
  constexpr std::array kSided{1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 20, 24, 43, 45, 46};
  return std::find(kSided.begin(), kSided.end(), facs_number) != kSided.end();
}

}  // namespace auforge::features
