#include "datasets/storage/bad_content.h"
#include "datasets/query/wordnet.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <filesystem>
#include <set>
#include <sstream>
#include <stdexcept>

#include "datasets/query/nearest.h"
#include "datasets/storage/atomic_file.h"
#include "datasets/storage/paths.h"

namespace auforge::datasets::query {
namespace {

std::string ReadWordNetFile(const std::string& folder, const char* name) {
  const std::string path = (std::filesystem::path(folder) / name).string();
  storage::RequireThere(path, "is not there; install wordnet-base (tools/install-deps.sh does) or name WordNet's folder");
  return storage::ReadFile(path);
}

std::uint32_t Whole(const std::string& text, int base, const std::string& where) {
  std::uint32_t value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || fault != std::errc() || end != text.data() + text.size()) {
    throw storage::BadContent(where + ": \"" + text + "\" is not a number; the file is damaged");
  }
  return value;
}

std::string Spaced(std::string word) {
  std::replace(word.begin(), word.end(), '_', ' ');
  return word;
}

// "definition; another; "an example"" -> definition and examples.
void SplitGloss(std::string_view gloss, Concept& concept_out) {
  while (!gloss.empty()) {
    const std::size_t quote = gloss.find('"');
    std::string_view text = gloss.substr(0, quote);
    while (!text.empty() && (text.back() == ' ' || text.back() == ';')) text.remove_suffix(1);
    while (!text.empty() && (text.front() == ' ' || text.front() == ';')) text.remove_prefix(1);
    if (!text.empty())
      concept_out.definition += (concept_out.definition.empty() ? "" : "; ") + std::string(text);
    if (quote == std::string_view::npos) return;
    const std::size_t close = gloss.find('"', quote + 1);
    concept_out.examples.emplace_back(
        gloss.substr(quote + 1, close == std::string_view::npos ? close : close - quote - 1));
    if (close == std::string_view::npos) return;
    gloss.remove_prefix(close + 1);
  }
}

class Nouns {
 public:
  explicit Nouns(const std::string& folder)
      : folder_(folder),
        index_(ReadWordNetFile(folder, "index.noun")),
        data_(ReadWordNetFile(folder, "data.noun")) {}

  // Synsets of a noun, most common sense first. wndb: lemma pos synset_cnt p_cnt [ptr…] sense_cnt
  // tagsense_cnt offset…
  std::vector<std::uint32_t> Senses(std::string word) const {
    std::replace(word.begin(), word.end(), ' ', '_');
    std::transform(word.begin(), word.end(), word.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const std::size_t line = index_.find("\n" + word + " ");
    if (line == std::string::npos)
      throw std::invalid_argument("\"" + Spaced(word) + "\" is not a noun of WordNet" + Hint(word));
    std::istringstream fields(index_.substr(line + 1, index_.find('\n', line + 1) - line - 1));
    std::vector<std::string> all;
    for (std::string field; fields >> field;) all.push_back(field);
    const std::string where = folder_ + "/index.noun, " + word;
    const std::uint32_t count = all.size() > 3 ? Whole(all[2], 10, where) : 0;
    if (count == 0 || count + 6 > all.size()) throw storage::BadContent(where + ": the line is damaged");
    std::vector<std::uint32_t> senses;
    for (auto field = all.end() - static_cast<std::ptrdiff_t>(count); field != all.end(); ++field)
      senses.push_back(Whole(*field, 10, where));
    return senses;
  }

  // Reads a synset and appends those below it to `below`.
  Concept Read(std::uint32_t synset, std::vector<std::uint32_t>& below) const {
    const std::string where = folder_ + "/data.noun, synset " + std::to_string(synset);
    if (synset >= data_.size())
      throw storage::BadContent(where + ": lies beyond the end; the file is damaged");
    const std::string line = data_.substr(synset, data_.find('\n', synset) - synset);
    const std::size_t bar = line.find(" | ");
    std::istringstream fields(line.substr(0, bar));
    const auto next = [&fields, &where] {
      std::string field;
      if (!(fields >> field)) throw storage::BadContent(where + ": the line is damaged");
      return field;
    };
    Concept found;
    found.synset = Whole(next(), 10, where);
    if (found.synset != synset)
      throw storage::BadContent(where + ": another one stands there; the file is damaged");
    next();
    next();
    for (std::uint32_t words = Whole(next(), 16, where); words > 0; --words) {
      found.words.push_back(Spaced(next()));
      next();
    }
    for (std::uint32_t pointers = Whole(next(), 10, where); pointers > 0; --pointers) {
      const std::string kind = next();
      const std::uint32_t target = Whole(next(), 10, where);
      next();
      next();
      if (kind == "~" || kind == "~i") below.push_back(target);
    }
    if (bar != std::string::npos) SplitGloss(std::string_view(line).substr(bar + 3), found);
    return found;
  }

 private:
  std::string Hint(const std::string& word) const {
    // Only words of the same beginning: there are 117,000 in all.
    std::vector<std::string> candidates;
    const std::string prefix = "\n" + word.substr(0, std::min<std::size_t>(2, word.size()));
    for (std::size_t at = index_.find(prefix); at != std::string::npos; at = index_.find(prefix, at + 1)) {
      candidates.push_back(index_.substr(at + 1, index_.find(' ', at + 1) - at - 1));
    }
    const std::string nearest = Nearest(word, candidates);
    return nearest.empty() ? "" : "; did you mean \"" + Spaced(nearest) + "\"?";
  }

  std::string folder_, index_, data_;
};

}  // namespace

void WordNetOptions::Validate() const {
  if (root.empty() || root.size() > 100)
    throw std::invalid_argument("keywords.root: must be a word of 1..100 letters");
  if (sense < 0) throw std::invalid_argument("keywords.sense = " + std::to_string(sense) + "; must be >= 0");
  if (max_depth < 0)
    throw std::invalid_argument("keywords.max_depth = " + std::to_string(max_depth) + "; must be >= 0");
}

std::vector<Concept> ConceptsUnder(const WordNetOptions& options) {
  options.Validate();
  const Nouns nouns(options.folder);
  std::vector<std::uint32_t> senses = nouns.Senses(options.root);
  if (options.sense > static_cast<int>(senses.size())) {
    throw std::invalid_argument("\"" + options.root + "\" has " + std::to_string(senses.size()) +
                                " senses; there is no sense " + std::to_string(options.sense));
  }
  if (options.sense > 0) senses = {senses[static_cast<std::size_t>(options.sense - 1)]};
  struct Place {
    std::uint32_t synset, parent;
    int depth;
  };
  std::deque<Place> queue;
  std::set<std::uint32_t> seen;
  for (const std::uint32_t sense : senses) {
    if (seen.insert(sense).second) queue.push_back({sense, 0, 0});
  }
  std::vector<Concept> concepts;
  while (!queue.empty()) {
    const Place place = queue.front();
    queue.pop_front();
    std::vector<std::uint32_t> below;
    Concept found = nouns.Read(place.synset, below);
    found.parent = place.parent;
    found.depth = place.depth;
    concepts.push_back(std::move(found));
    if (options.max_depth > 0 && place.depth == options.max_depth) continue;
    for (const std::uint32_t child : below) {
      if (seen.insert(child).second) queue.push_back({child, place.synset, place.depth + 1});
    }
  }
  return concepts;
}

}  // namespace auforge::datasets::query
