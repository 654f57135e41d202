// WordNet's concepts under a word, from its data files (wndb(5WN); Debian: wordnet-base): the word list from
// which a crawl of emotional pictures starts, as EmotioNet's did with the concepts under "feeling".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace auforge::datasets::query {

struct Concept {
  std::vector<std::string> words;  // synonyms, spaces for underscores: {"fear of heights", "acrophobia"}
  std::string definition;          // without the examples
  std::vector<std::string> examples;
  std::uint32_t synset = 0;  // offset in data.noun
  std::uint32_t parent = 0;  // synset it was first reached from; 0 for the root
  int depth = 0;             // steps from the root
};

struct WordNetOptions {
  std::string folder = "/usr/share/wordnet";
  std::string root = "feeling";  // a noun
  int sense = 1;                 // which of its senses, most common first; 0: all of them
  int max_depth = 0;             // steps below the root; 0: all
  void Validate() const;         // throws std::invalid_argument naming field, value and constraint
};

// The root and everything below it (hyponyms and instances), nearest first, each concept once.
// Throws std::runtime_error naming a file that is missing or damaged, std::invalid_argument for a word that
// WordNet does not have (naming the nearest) or a sense that it lacks.
std::vector<Concept> ConceptsUnder(const WordNetOptions& options);

}  // namespace auforge::datasets::query
