// Fuzz target: any bytes as a query expression. Whatever is accepted must print as text that parses to the
// same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "datasets/query/expression.h"
#include "datasets/query/search.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace auforge::datasets::query;
  const std::string text(static_cast<const char*>(static_cast<const void*>(data)), size);
  try {
    const std::string once = ToText(ParseExpression(text));
    // Writing out quotes and defaults may lengthen an expression beyond the limit; that alone may be refused.
    if (once.size() <= kLongestExpression && ToText(ParseExpression(once)) != once) std::abort();
  } catch (const ExpressionError& error) {
    if (error.column < 1 || error.column > size + 1) std::abort();
    if (Explain(text, error).empty()) std::abort();
  }
  try {
    ParseOrder(text);
  } catch (const ExpressionError&) {
  }
  return 0;
}
