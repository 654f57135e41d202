#include "datasets/creation_time.h"

#include <cstdlib>
#include <ctime>
#include <stdexcept>

#include "features/number.h"

namespace auforge::datasets {

std::string CreationTime() {
  constexpr std::int64_t kYear10000 = 253'402'300'800;
  std::time_t time = std::time(nullptr);
  if (const char* fixed = std::getenv("SOURCE_DATE_EPOCH"); fixed != nullptr && *fixed != '\0') {
    const auto seconds = features::ParseWhole(fixed, 0, kYear10000 - 1);
    if (!seconds) {
      throw std::invalid_argument(std::string("SOURCE_DATE_EPOCH = ") + fixed +
                                  "; must be whole seconds since 1970, or not set");
    }
    time = *seconds;
  }
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text;
}

}  // namespace auforge::datasets
