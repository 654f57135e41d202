// Names and limits of shard format 1, shared by writer, reader and verifier.
#pragma once

#include <array>
#include <cstdint>

namespace auforge::datasets::layout {

inline constexpr const char* kFormat = "auforge-shard";
inline constexpr const char* kImageBytes = "/faces/image_bytes";
inline constexpr const char* kImageOffsets = "/faces/image_offsets";
inline constexpr const char* kImageCrc = "/faces/image_crc32c";
inline constexpr const char* kAuIntensity = "/faces/au_intensity";
inline constexpr const char* kAuProbability = "/faces/au_probability";
inline constexpr const char* kAuPresent = "/faces/au_present";
inline constexpr const char* kLandmarks = "/faces/landmarks";
inline constexpr const char* kBox = "/faces/box";
inline constexpr const char* kPose = "/faces/pose";
inline constexpr const char* kCropFromImage = "/faces/crop_from_image";
inline constexpr const char* kDetectorScore = "/faces/detector_score";
inline constexpr const char* kQuality = "/faces/quality";
inline constexpr const char* kEmotion = "/faces/emotion";
inline constexpr const char* kEmotionScore = "/faces/emotion_score";
inline constexpr const char* kEmotionRule = "/faces/emotion_rule";
inline constexpr const char* kAuLeft = "/faces/au_left";
inline constexpr const char* kAuRight = "/faces/au_right";
inline constexpr const char* kSample = "/faces/sample";
inline constexpr const char* kFaceIndex = "/faces/face_index";
inline constexpr const char* kKey = "/samples/key";
inline constexpr const char* kUrl = "/samples/url";
inline constexpr const char* kKeywords = "/samples/keywords";
inline constexpr const char* kStatus = "/samples/status";
inline constexpr const char* kWidth = "/samples/width";
inline constexpr const char* kHeight = "/samples/height";
inline constexpr const char* kSha256 = "/samples/sha256";
// Optional: of frames of videos.
inline constexpr const char* kFrame = "/samples/frame";
inline constexpr const char* kTimestamp = "/samples/timestamp";

// Optional: what the crawl says of an image's use.
inline constexpr const char* kLicence = "/samples/licence";
inline constexpr const char* kRobots = "/samples/robots";
// Optional: perceptual hashes, 32 bytes each.
inline constexpr const char* kCropHash = "/faces/crop_hash";
inline constexpr const char* kImageHash = "/samples/image_hash";
// Root attribute of a shard without face pictures, and its value.
inline constexpr const char* kCrops = "crops";
inline constexpr const char* kNoCrops = "none";

// The columns that ShardWriter writes always or for a face that has them.
inline constexpr std::array kColumns{kImageBytes, kImageOffsets, kImageCrc, kAuIntensity, kAuProbability, kAuPresent,
                                     kLandmarks, kBox, kPose, kCropFromImage, kDetectorScore, kQuality, kEmotion,
                                     kEmotionScore, kEmotionRule, kAuLeft, kAuRight, kSample, kFaceIndex, kKey, kUrl,
                                     kKeywords, kStatus, kWidth, kHeight, kSha256};

// A text of a sample is cut to this many bytes: fixed-length columns are as wide as their longest entry, and one
// hostile caption must not make a shard of gigabytes.
inline constexpr std::uint64_t kLongestText = 2048;

}  // namespace auforge::datasets::layout
