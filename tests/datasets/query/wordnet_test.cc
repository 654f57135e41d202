#include "datasets/query/wordnet.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "tests/support/tar_file.h"
#include "tests/support/temp_dir.h"

namespace auforge::datasets::query {
namespace {

// A WordNet of four concepts with a loop in it, offsets right.
void WriteWordNet(const tests::TempDir& dir, const std::string& spoil = "") {
  const std::vector<std::pair<std::string, std::string>> lines{
      {"feeling",
       " 12 n 01 feeling 0 002 ~ FEAR n 0000 ~ JOY n 0000 | the experiencing of states; \"she had a "
       "feeling\"; in general  \n"},
      {"FEAR",
       " 12 n 02 fear 0 fearfulness 0 003 @ feeling n 0000 ~ ACRO n 0000 ! JOY n 0101 | an emotion of danger "
       " \n"},
      {"JOY", " 12 n 01 joy 0 001 ~ feeling n 0000 | delight (loops back)  \n"},
      {"ACRO", " 12 n 02 fear_of_heights 0 acrophobia 0 001 @ FEAR n 0000 | of heights  \n"},
  };
  std::map<std::string, std::string> offset;
  std::size_t at = 0;
  for (const auto& [name, line] : lines) {
    char digits[16];
    std::snprintf(digits, sizeof(digits), "%08zu", at);
    offset[name] = digits;
    at += 8 + line.size();
    for (const auto& [other, ignored] : lines) {
      for (std::size_t found = line.find(other + " n"); found != std::string::npos;
           found = line.find(other + " n", found + 1)) {
        at += 8 - other.size();
      }
    }
  }
  std::string data;
  for (auto [name, line] : lines) {
    for (const auto& [other, digits] : offset) {
      for (std::size_t found = line.find(other + " n"); found != std::string::npos;
           found = line.find(other + " n", found + 1)) {
        line.replace(found, other.size(), digits);
      }
    }
    data += offset[name] + line;
  }
  if (spoil == "data") data = data.substr(0, data.size() / 2);
  if (spoil == "shift") data = "x" + data;
  tests::WriteText(dir / "data.noun", data);
  const std::string index = "  1 licence\nfeeling n 1 1 ~ 1 1 " + offset["feeling"] + "  \njoy n 1 1 ~ 1 0 " +
                            offset["JOY"] + "  \n";
  tests::WriteText(dir / "index.noun", spoil == "index" ? "\nfeeling n 9 1\n" : index);
}

WordNetOptions At(const std::string& folder) {
  WordNetOptions options;
  options.folder = folder;
  return options;
}

TEST(WordNet, ListsEverythingBelowAWordOnce) {
  const tests::TempDir dir;
  WriteWordNet(dir);
  const std::vector<Concept> concepts = ConceptsUnder(At(dir.path().string()));
  ASSERT_EQ(concepts.size(), 4U);
  EXPECT_EQ(concepts[0].words, std::vector<std::string>{"feeling"});
  EXPECT_EQ(concepts[0].definition, "the experiencing of states; in general");
  EXPECT_EQ(concepts[0].examples, std::vector<std::string>{"she had a feeling"});
  EXPECT_EQ(concepts[1].words[0], "fear");
  EXPECT_EQ(concepts[3].words, (std::vector<std::string>{"fear of heights", "acrophobia"}));
  EXPECT_EQ(concepts[3].depth, 2);
  EXPECT_EQ(concepts[3].parent, concepts[1].synset);
  WordNetOptions shallow = At(dir.path().string());
  shallow.max_depth = 1;
  EXPECT_EQ(ConceptsUnder(shallow).size(), 3U);
}

TEST(WordNet, BadInputIsNamed) {
  const tests::TempDir dir;
  EXPECT_THROW(ConceptsUnder(At(dir.path().string())), std::runtime_error);
  for (const char* spoil : {"data", "shift", "index"}) {
    WriteWordNet(dir, spoil);
    EXPECT_THROW(ConceptsUnder(At(dir.path().string())), std::runtime_error) << spoil;
  }
  WriteWordNet(dir);
  WordNetOptions options = At(dir.path().string());
  options.root = "feelin";
  try {
    ConceptsUnder(options);
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean \"feeling\"?"), std::string::npos) << error.what();
  }
  options.root = "feeling";
  options.sense = 2;
  EXPECT_THROW(ConceptsUnder(options), std::invalid_argument);
  options.root = "";
  EXPECT_THROW(ConceptsUnder(options), std::invalid_argument);
}

TEST(WordNet, DebiansHasWhatEmotioNetAskedFor) {
  if (!std::filesystem::exists("/usr/share/wordnet/data.noun")) {
    GTEST_SKIP() << "wordnet-base is not installed; tools/install-deps.sh installs it";
  }
  const std::vector<Concept> concepts = ConceptsUnder({});
  EXPECT_GT(concepts.size(), 400U);
  std::set<std::string> words;
  for (const Concept& found : concepts) {
    EXPECT_FALSE(found.definition.empty());
    words.insert(found.words.begin(), found.words.end());
  }
  for (const char* word : {"anxiety", "disapproval", "fear", "happiness", "anger", "surprise", "awe"}) {
    EXPECT_TRUE(words.contains(word)) << word;
  }
}

}  // namespace
}  // namespace auforge::datasets::query
