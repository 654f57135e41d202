// Loops over threads.
#pragma once

#include <cstddef>
#include <functional>

namespace auforge::tools {

// Runs work(i) for i in 0..count-1 on `jobs` threads; the first exception ends the loop and is thrown here.
void ParallelFor(std::size_t count, int jobs, const std::function<void(std::size_t)>& work);

}  // namespace auforge::tools
