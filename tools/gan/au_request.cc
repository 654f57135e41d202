#include "tools/gan/au_request.h"

#include <algorithm>
#include <sstream>

#include "features/number.h"
#include "tools/cli/cli.h"

namespace auforge::tools {

AuRequest ParseAuRequest(const std::string& text, const features::AuSchema& schema) {
  AuRequest request;
  std::istringstream parts(text);
  std::size_t begin = 0;
  for (std::string part; std::getline(parts, part, ','); begin += part.size() + 1) {
    const auto fail = [&](std::size_t at, const std::string& why) {
      throw UsageError("--au: \"" + part + "\" at column " + std::to_string(begin + at + 1) + ": " + why);
    };
    const std::size_t equals = part.find('=');
    const auto au = features::ParseAu(std::string_view(part).substr(0, equals));
    const auto column = au ? schema.Find(*au) : std::nullopt;
    if (!column) {
      std::string known;
      for (const std::string& name : schema.Names()) known += " " + name;
      fail(0, "not an AU that this method knows; it knows" + known);
    }
    const auto value =
        equals == std::string::npos ? std::nullopt : features::ParseNumber(std::string_view(part).substr(equals + 1));
    if (!value || *value < 0 || *value > 1) {
      fail(equals == std::string::npos ? part.size() : equals + 1,
           "write AU12=0.8, with a value in 0..1 after a decimal point and commas between AUs");
    }
    if (std::ranges::any_of(request, [&](const auto& other) { return other.first == *column; }))
      fail(0, "AU" + std::to_string(*au) + " is asked for twice");
    request.emplace_back(*column, static_cast<float>(*value));
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
                             const std::vector<float>& current, const AuRequest& request) {
  std::vector<float> condition(schema.size(), 0.0F);
  for (std::size_t j = 0; j < schema.size(); ++j) {
    if (const auto column = from.Find(schema.numbers()[j])) condition[j] = current[*column] / 5;
  }
  for (const auto& [column, value] : request) condition[column] = value;
  return condition;
}

}  // namespace auforge::tools
