#include "datasets/storage/memory_fault.h"

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <new>
#include <string_view>
#include <system_error>

namespace auforge::datasets::storage {

bool IsOutOfMemory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  if (const auto* system = dynamic_cast<const std::system_error*>(&error)) {
    return system->code() == std::errc::not_enough_memory ||
           system->code() == std::errc::resource_unavailable_try_again;
  }
  const std::string_view text = error.what();
  return std::ranges::any_of(std::initializer_list<std::string_view>{"Cannot allocate memory", "can't allocate memory",
                                                                     "out of memory", "not enough memory",
                                                                     "nsufficient memory"},
                             [text](std::string_view part) { return text.find(part) != std::string_view::npos; });
}

void RequireMemory(std::size_t bytes) {
  // The pages are not touched; the compiler must not take the allocation away.
  void* volatile probe = ::operator new(bytes);
  ::operator delete(probe);
}

}  // namespace auforge::datasets::storage
