// Where the pictures are that tables name: files below folders, and members of tars. What a picture is, is told by the
// rule of annotate (datasets/content_kind.h): by content.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "datasets/labels/label_set.h"

namespace auforge::datasets::labels {

// A picture's name without folders and without the ending of a picture: "x/a.1.jpg" -> "a.1".
std::string PictureKey(const std::string& name);

struct PicturePlace {
  std::string file;    // the picture, or the tar that holds it
  std::string member;  // in the tar
  bool operator==(const PicturePlace&) const = default;
};

// Tars are read through, for their names alone, when a name is first not found among the files; what cannot be
// read of them is a fault of the set.
class PictureIndex {
 public:
  // places: folders, looked through with everything below them, tars and pictures. Throws std::runtime_error naming a
  // folder that cannot be listed.
  explicit PictureIndex(std::vector<std::string> places);

  // The picture that a table calls `name`: the path below a place, else the file name, else the key (the name
  // without the ending of a picture), each first among files, then among members of tars. Of several the first in
  // order of path, with a fault. nullopt where there is none.
  std::optional<PicturePlace> Find(const std::string& name, LabelSet& set);
  // Where a name would lie that was not found, for messages.
  std::string Expected(const std::string& name) const;
  // How many of the pictures that were looked at Find never gave.
  std::size_t Unused() const;

 private:
  struct Picture {
    PicturePlace place;
    bool is_used = false;
  };
  // Numbers of pictures by file name and by key.
  struct Names {
    std::multimap<std::string, std::size_t> by_name, by_key;
  };
  void AddFile(const std::string& path);
  void AddTar(const std::string& path);
  void AddPicture(const std::string& path);
  bool IsNew(const std::string& path);
  void ReadTars(LabelSet& set);
  void Add(Names& names, PicturePlace place, const std::string& name);
  std::optional<PicturePlace> FindPath(const std::string& name);
  // Of the pictures called `wanted`, for a row that says `name`.
  std::optional<PicturePlace> Take(const std::multimap<std::string, std::size_t>& names, const std::string& wanted,
                                   const std::string& name, LabelSet& set);

  std::vector<std::string> places_, tars_;
  std::set<std::string> known_;  // files and tars, so that places may overlap
  std::vector<Picture> pictures_;
  Names files_, members_;
  bool tars_read_ = false;
};

}  // namespace auforge::datasets::labels
