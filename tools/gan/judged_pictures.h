// Pictures of edits that any program may have written, for `gan eval --judge`: which files are edits of which.
//
//   original/NAME        a face as it is
//   again/NAME           its points once more, from another crop of the same picture (points only)
//   AU12_0/NAME          the face with AU12 asked at 0, the other AUs as they are
//   AU12_1/NAME          the same asked at 1
//   AU12_back/NAME       AU12_1/NAME with AU12 asked at 0 again
//
// A key is such a path without the picture's ending. NAME may lie in folders of its own. Pure functions, but for
// ListJudgedPictures.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace auforge::tools {

enum class JudgedKind { kOriginal, kAgain, kAt0, kAt1, kBack };

struct JudgedKey {
  JudgedKind kind = JudgedKind::kOriginal;
  int au = 0;        // of kAt0, kAt1 and kBack
  std::string face;  // NAME
};

// Throws BadInputError naming `file` and the key when it is none of the above.
JudgedKey ParseJudgedKey(const std::string& file, const std::string& key);
std::string JudgedFolder(JudgedKind kind, int au);  // "AU12_0"

// A face at 0 and at 1 of an AU, as keys. back and original: empty where there is none.
struct JudgedPair {
  std::string face, at_0, at_1, back, original;
};
struct JudgedSet {
  std::map<int, std::vector<JudgedPair>> pairs;           // by AU; in the order of the keys
  std::vector<std::pair<std::string, std::string>> again;  // keys of original and again
};
// keys: without repetition. Throws BadInputError naming `file` and a key that is foreign or has no partner, and when
// there is no pair at all.
JudgedSet PairJudgedKeys(const std::string& file, const std::vector<std::string>& keys);

// Key and path of every picture below a folder. Throws BadInputError naming what is no picture of the layout, or two
// pictures of one key.
std::map<std::string, std::string> ListJudgedPictures(const std::string& folder);

}  // namespace auforge::tools
