#include "tools/gan/au_request.h"

#include <charconv>
#include <sstream>

#include "tools/cli/cli.h"

namespace auforge::tools {

AuRequest ParseAuRequest(const std::string& text, const features::AuSchema& schema) {
  AuRequest request;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t equals = part.find('=');
    const auto au = features::ParseAu(part.substr(0, equals));
    const auto column = au ? schema.Find(*au) : std::nullopt;
    if (!column) {
      std::string known;
      for (const std::string& name : schema.Names()) known += " " + name;
      throw UsageError("--au: \"" + part + "\": not an AU of this generator; it knows" + known);
    }
    float value = -1;
    if (equals != std::string::npos)
      std::from_chars(part.data() + equals + 1, part.data() + part.size(), value);
    if (!(value >= 0 && value <= 1))
      throw UsageError("--au: \"" + part + "\": write AU12=0.8, with a value in 0..1");
    request.emplace_back(*column, value);
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
