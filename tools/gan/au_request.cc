#include "tools/gan/au_request.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <sstream>

#include "features/number.h"
#include "tools/cli/cli.h"

namespace auforge::tools {

namespace {

using features::FaceSide;

// What stands behind the dot of "AU12.left". Empty where it is neither half.
std::optional<FaceSide> HalfOf(std::string word) {
  while (!word.empty() && word.back() == ' ') word.pop_back();
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (word == "left") return FaceSide::kLeft;
  if (word == "right") return FaceSide::kRight;
  return std::nullopt;
}

bool AskSame(FaceSide a, FaceSide b) { return a == b || a == FaceSide::kBoth || b == FaceSide::kBoth; }

}  // namespace

AuRequest ParseAuRequest(const std::string& text, const features::AuSchema& schema, Halves halves) {
  AuRequest request;
  std::istringstream parts(text);
  std::size_t begin = 0;
  for (std::string part; std::getline(parts, part, ','); begin += part.size() + 1) {
    const auto fail = [&](std::size_t at, const std::string& why) {
      throw UsageError("--au: \"" + part + "\" at column " + std::to_string(begin + at + 1) + ": " + why);
    };
    const std::size_t equals = part.find('=');
    const std::string asked = part.substr(0, equals);
    const std::size_t dot = asked.find('.');
    const auto au = features::ParseAu(asked.substr(0, dot));
    const auto column = au ? schema.Find(*au) : std::nullopt;
    if (!column) {
      std::string known;
      for (const std::string& name : schema.Names()) known += " " + name;
      fail(0, "not an AU that this method knows; it knows" + known);
    }
    const std::optional<FaceSide> half = dot == std::string::npos ? FaceSide::kBoth : HalfOf(asked.substr(dot + 1));
    if (!half) fail(dot, "a half of the face is AU12.left or AU12.right, the subject's");
    if (*half != FaceSide::kBoth && !features::AuHasSides(*au)) fail(dot, "AU" + std::to_string(*au) + " has no halves");
    if (*half != FaceSide::kBoth && halves == Halves::kRefused)
      fail(dot, "one half of the face alone is what 'gan edit --method warp' moves");
    const auto value =
        equals == std::string::npos ? std::nullopt : features::ParseNumber(std::string_view(part).substr(equals + 1));
    if (!value || *value < 0 || *value > 1) {
      fail(equals == std::string::npos ? part.size() : equals + 1,
           "write AU12=0.8, with a value in 0..1 after a decimal point and commas between AUs");
    }
    if (std::ranges::any_of(request, [&](const AskedAu& other) { return other.column == *column && AskSame(other.half, *half); }))
      fail(0, "AU" + std::to_string(*au) + " is asked for twice");
    request.push_back({*column, static_cast<float>(*value), *half});
  }
  if (request.empty()) throw UsageError("--au: nothing asked for; write for example AU12=0.8,AU6=0.5");
  return request;
}

features::AuSchema ParseAuList(const std::string& text) {
  std::vector<int> numbers;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const auto au = features::ParseAu(part);
    if (!au) throw UsageError("--aus: \"" + part + "\" is no AU; write AU1,AU2,AU12");
    numbers.push_back(*au);
  }
  if (numbers.empty()) throw UsageError("--aus: nothing in it; write AU1,AU2,AU12");
  return features::AuSchema(numbers);
}

std::vector<float> Condition(const features::AuSchema& schema, const features::AuSchema& from,
                             const std::vector<float>& current, const AuRequest& request, FaceSide half) {
  std::vector<float> condition(schema.size(), 0.0F);
  for (std::size_t j = 0; j < schema.size(); ++j) {
    if (const auto column = from.Find(schema.numbers()[j])) condition[j] = current[*column] / 5;
  }
  for (const AskedAu& asked : request) {
    if (AskSame(asked.half, half)) condition[asked.column] = asked.value;
  }
  return condition;
}

}  // namespace auforge::tools
