// Whether this is a build with sanitizers: they take a multiple of the time, shadow memory of an eighth of
// what is touched, zones around every allocation, and keep 256 MB of what was freed from reuse. Bounds of
// time and memory are for builds without.
#pragma once

namespace auforge::tests {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace auforge::tests
