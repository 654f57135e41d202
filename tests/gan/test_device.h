// Where the tests of networks and losses compute: on the processor, or where AUFORGE_TEST_DEVICE says (cuda), in exact fp32.
#pragma once

#include <cstdlib>

#include "gan/internal/torch_api.h"

namespace auforge::gan {

inline torch::Device TestDevice() {
  const char* name = std::getenv("AUFORGE_TEST_DEVICE");
  const torch::Device device = FindDevice(name != nullptr ? name : "cpu", 0);
  UsePrecision(Precision::kFloat, device);
  return device;
}

}  // namespace auforge::gan
