// Parquet tables: any bytes give values within the limits or a Fault.
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "datasets/parquet/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace auforge::datasets::parquet;
  constexpr Limits kLimits{.footer_bytes = 1 << 20, .rows = 10000, .page_bytes = 1 << 20, .column_bytes = 1 << 22};
  const auto read = [data, size](std::uint64_t offset, std::span<std::uint8_t> to) {
    if (offset > size || to.size() > size - offset) std::abort();
    if (!to.empty()) std::memcpy(to.data(), data + offset, to.size());
  };
  try {
    const Reader reader(read, size, kLimits);
    if (reader.rows() > kLimits.rows) std::abort();
    for (const std::string& column : reader.Columns()) {
      try {
        const ColumnValues values = reader.Read(column);
        if (values.values.size() != values.rows.size() || !std::is_sorted(values.rows.begin(), values.rows.end())) std::abort();
        if (!values.rows.empty() && values.rows.back() >= reader.rows()) std::abort();
      } catch (const Fault&) {
      }
    }
  } catch (const Fault&) {
  }
  return 0;
}
