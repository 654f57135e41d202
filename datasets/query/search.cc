#include "datasets/query/search.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <optional>

#include "datasets/query/nearest.h"
#include "datasets/robots.h"
#include "features/number.h"

namespace auforge::datasets::query {
namespace {

using Kind = Expression::Kind;
using Mask = std::vector<std::uint8_t>;  // 0 or 1 for each face of a shard
using Rows = std::vector<std::int64_t>;  // ascending rows of the index's texts

bool MatchesEmotion(const std::string& wanted, const std::string& name) {
  return IsPattern(wanted) ? MatchesPattern(wanted, name) : CanonicalEmotion(wanted) == name;
}

void RequireKnownAu(const FaceIndex& index, int au, std::size_t column) {
  const std::vector<int> measured = index.Schema().numbers();
  const bool is_measured =
      std::any_of(index.shards().begin(), index.shards().end(),
                  [&](const IndexedShard& shard) { return shard.schema.Find(au).has_value(); });
  if (is_measured || measured.empty()) return;
  const int nearest = *std::min_element(measured.begin(), measured.end(), [&](int a, int b) {
    return std::abs(a - au) < std::abs(b - au);
  });
  std::string known;
  for (const int other : measured) known += " AU" + std::to_string(other);
  throw ExpressionError("AU" + std::to_string(au) +
                            " is not measured in these shards; the nearest is AU" + std::to_string(nearest) +
                            " (there are" + known + ")",
                        column);
}

// robots: as PlainDirectives writes them; wanted: one of them, or a pattern.
bool HasDirective(std::string_view robots, const std::string& wanted) {
  for (std::size_t begin = 0; begin <= robots.size();) {
    const std::size_t end = std::min(robots.find(", ", begin), robots.size());
    if (MatchesPattern(wanted, robots.substr(begin, end - begin))) return true;
    begin = end + 2;
  }
  return false;
}

bool IsOfHalf(Field field) { return field == Field::kAuLeft || field == Field::kAuRight; }

// Columns that shards of older programs and models lack: refused with that text where none has them.
void RequireColumns(const FaceIndex& index, bool IndexedShard::*has, const char* text, std::size_t column) {
  const bool none = std::none_of(index.shards().begin(), index.shards().end(),
                                 [has](const IndexedShard& shard) { return shard.*has; });
  if (none && !index.shards().empty()) throw ExpressionError(text, column);
}

void RequireColumns(const FaceIndex& index, bool halves, bool score, std::size_t column) {
  if (halves) {
    RequireColumns(index, &IndexedShard::has_halves,
                   "these shards do not tell the halves of faces apart; annotate again with a model that does", column);
  }
  if (score) {
    RequireColumns(index, &IndexedShard::has_emotion_score, "these shards have no score of the emotion; annotate again",
                   column);
  }
}

void RequireKnownEmotion(const FaceIndex& index, const Expression& term) {
  const std::vector<std::string> names = index.EmotionNames();
  if (names.empty() || std::any_of(names.begin(), names.end(),
                                   [&](const std::string& n) { return MatchesEmotion(term.text, n); })) {
    return;
  }
  std::vector<std::string> words = names;
  for (const std::string& noun : EmotionNouns()) words.push_back(noun);
  const std::string nearest = Nearest(term.text, words);
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  throw ExpressionError("no emotion is called \"" + term.text.substr(0, 40) + "\"; " +
                            (nearest.empty() ? "" : "did you mean \"" + nearest + "\"? ") +
                            "There are: " + known,
                        term.column);
}

// Evaluates one expression over shard after shard; what depends on no shard is looked up once.
class Evaluator {
 public:
  Evaluator(const FaceIndex& index, const Expression& expression, const StopCheck& stop)
      : index_(index), expression_(expression), stop_(stop), aus_(NamedAus(expression)) {
    Prepare(expression);
  }

  bool Measures(const IndexedShard& shard) const {
    return std::all_of(aus_.begin(), aus_.end(), [&](int au) { return shard.schema.Find(au).has_value(); }) &&
           (shard.has_halves || !needs_halves_) && (shard.has_emotion_score || !needs_score_) &&
           (shard.has_hashes || !needs_hashes_);
  }

  Mask Evaluate(const IndexedShard& shard) const { return Evaluate(shard, expression_); }

 private:
  void Prepare(const Expression& term) {
    if (term.kind == Kind::kNumber) {
      for (const int au : {term.au, term.other_au}) {
        if (au > 0) RequireKnownAu(index_, au, term.column);
      }
      needs_halves_ = needs_halves_ || IsOfHalf(term.field) || (term.against && IsOfHalf(term.other));
      needs_score_ = needs_score_ || term.field == Field::kEmotionScore ||
                     (term.against && term.other == Field::kEmotionScore);
      RequireColumns(index_, needs_halves_, needs_score_, term.column);
    }
    if (term.kind == Kind::kEmotion || term.kind == Kind::kEmotionRule) RequireKnownEmotion(index_, term);
    if (term.kind == Kind::kKeyword) rows_[&term] = index_.store().MatchCaption(term.text, stop_);
    if (term.kind == Kind::kSource) rows_[&term] = index_.store().MatchSource(term.text, stop_);
    if (term.kind == Kind::kLicence) {
      rows_[&term] = index_.store().MatchLicence(
          [&term](std::string_view licence) { return MatchesPattern(term.text, licence); }, stop_);
    }
    if (term.kind == Kind::kRobots) {
      rows_[&term] = index_.store().MatchRobots(
          [&term](std::string_view robots) { return HasDirective(robots, term.text); }, stop_);
    }
    if (term.kind == Kind::kNearDuplicate || term.kind == Kind::kDuplicateOf) PrepareNear(term);
    if (term.kind == Kind::kNoAi) rows_[&term] = index_.store().MatchRobots(ForbidsAi, stop_);
    for (const Expression& child : term.children) Prepare(child);
  }

  void PrepareNear(const Expression& term) {
    needs_hashes_ = true;
    RequireColumns(index_, &IndexedShard::has_hashes, "these shards have no perceptual hashes; annotate again", term.column);
    const bool is_of = term.kind == Kind::kDuplicateOf;
    const std::vector<FaceMask> found = is_of ? FindDuplicatesOf(index_, term.text, term.column, stop_) : index_.NearDuplicates(stop_);
    for (std::size_t s = 0; s < found.size(); ++s) masks_[&term][index_.shards()[s].id] = found[s];
  }

  Mask Evaluate(const IndexedShard& shard, const Expression& term) const {
    switch (term.kind) {
      case Kind::kAll:
        return Mask(shard.faces, 1);
      case Kind::kNumber:
        return NumberMask(shard, term);
      case Kind::kEmotion:
        return EmotionMask(shard, term, "emotion");
      case Kind::kEmotionRule:
        return EmotionMask(shard, term, "rule");
      case Kind::kKeyword:
      case Kind::kLicence:
      case Kind::kRobots:
      case Kind::kNoAi:
        return TextMask(shard, rows_.at(&term));
      case Kind::kSource:
        return SourceMask(shard, term);
      case Kind::kNearDuplicate:
      case Kind::kDuplicateOf:
        return masks_.at(&term).at(shard.id);
      case Kind::kNot: {
        Mask mask = Evaluate(shard, term.children[0]);
        for (std::uint8_t& m : mask) m ^= 1;
        return mask;
      }
      case Kind::kAnd:
      case Kind::kOr:
        break;
    }
    const bool is_and = term.kind == Kind::kAnd;
    Mask mask = Evaluate(shard, term.children[0]);
    for (std::size_t c = 1; c < term.children.size(); ++c) {
      const std::uint8_t undecided = is_and ? 1 : 0;
      if (std::find(mask.begin(), mask.end(), undecided) == mask.end()) break;
      const Mask other = Evaluate(shard, term.children[c]);
      for (std::size_t i = 0; i < mask.size(); ++i) {
        mask[i] = static_cast<std::uint8_t>(is_and ? mask[i] & other[i] : mask[i] | other[i]);
      }
    }
    return mask;
  }

  Mask NumberMask(const IndexedShard& shard, const Expression& term) const {
    std::vector<float> column = FieldColumn(index_.store(), shard, term.field, term.au);
    float value = term.value;
    if (term.against) {
      // What is left and what it is compared with, value and all, by their difference from 0.
      const std::vector<float> other = FieldColumn(index_.store(), shard, term.other, term.other_au);
      for (std::size_t i = 0; i < column.size(); ++i) column[i] -= other[i] + value;
      value = 0;
    }
    Mask mask(column.size());
    const auto fill = [&](const auto& holds) {
      for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = holds(column[i]) ? 1 : 0;
    };
    switch (term.comparison) {  // one loop for each, which the compiler makes wide
      case Comparison::kLess:
        fill([value](float x) { return x < value; });
        break;
      case Comparison::kLessOrEqual:
        fill([value](float x) { return x <= value; });
        break;
      case Comparison::kGreater:
        fill([value](float x) { return x > value; });
        break;
      case Comparison::kGreaterOrEqual:
        fill([value](float x) { return x >= value; });
        break;
      case Comparison::kEqual:
        fill([value](float x) { return x == value; });
        break;
      case Comparison::kNotEqual:
        fill([value](float x) { return x != value; });
        break;
    }
    return mask;
  }

  Mask EmotionMask(const IndexedShard& shard, const Expression& term, const std::string& column) const {
    std::array<std::uint8_t, 256> wanted{};
    for (std::size_t e = 0; e < std::min<std::size_t>(256, shard.emotion_names.size()); ++e) {
      wanted[e] = MatchesEmotion(term.text, shard.emotion_names[e]) ? 1 : 0;
    }
    Mask mask = index_.store().Column<std::uint8_t>(shard, column);
    for (std::uint8_t& m : mask) m = wanted[m];
    return mask;
  }

  Mask TextMask(const IndexedShard& shard, const Rows& rows) const {
    const auto begin = std::lower_bound(rows.begin(), rows.end(), shard.first_text);
    const auto end = std::lower_bound(begin, rows.end(), shard.first_text + shard.texts);
    if (begin == end) return Mask(shard.faces, 0);
    Mask found(shard.texts);
    for (auto row = begin; row != end; ++row) found[static_cast<std::size_t>(*row - shard.first_text)] = 1;
    const std::vector<std::uint32_t> text = index_.store().Column<std::uint32_t>(shard, "text");
    Mask mask(shard.faces);
    for (std::size_t i = 0; i < mask.size(); ++i) mask[i] = found.at(text[i]);
    return mask;
  }

  Mask SourceMask(const IndexedShard& shard, const Expression& term) const {
    const std::string pattern = IsPattern(term.text) ? term.text : "*" + term.text + "*";
    if (MatchesPattern(pattern, shard.source)) return Mask(shard.faces, 1);
    return TextMask(shard, rows_.at(&term));
  }

  const FaceIndex& index_;
  const Expression& expression_;
  const StopCheck& stop_;
  std::vector<int> aus_;
  bool needs_halves_ = false, needs_score_ = false, needs_hashes_ = false;
  std::map<const Expression*, Rows> rows_;
  std::map<const Expression*, std::map<std::int64_t, Mask>> masks_;  // by the shard's id, of what looks at all shards at once
};

std::uint64_t Scramble(std::uint64_t x) {  // SplitMix64
  x += 0x9E3779B97F4A7C15U;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

struct Keyed {
  double key = 0;  // smaller comes first
  FaceReference face;
};

void AppendKeys(const FaceIndex& index, std::uint32_t shard, const Mask& mask, const Order& order,
                std::vector<Keyed>& keyed) {
  std::vector<float> column;
  if (order.kind == Order::Kind::kField)
    column = FieldColumn(index.store(), index.shards()[shard], order.field, order.au);
  for (std::uint32_t i = 0; i < mask.size(); ++i) {
    if (mask[i] == 0) continue;
    double key = 0;
    if (order.kind == Order::Kind::kField) {
      key = order.ascending ? column[i] : -column[i];
    } else {
      key = static_cast<double>(Scramble(Scramble(order.seed * 1'000'003 + shard) + i) >> 11);
    }
    keyed.push_back({key, {shard, i}});
  }
}

}  // namespace

std::vector<float> FieldColumn(const IndexStore& store, const IndexedShard& shard, Field field, int au) {
  const auto number = [&] {
    const auto column = shard.schema.Find(au);
    if (!column) throw std::invalid_argument("AU" + std::to_string(au) + " is not measured in " + shard.name);
    return std::to_string(shard.schema.numbers()[*column]);
  };
  switch (field) {
    case Field::kAuIntensity:
      return store.Column<float>(shard, "i" + number());
    case Field::kAuProbability:
      return store.Column<float>(shard, "p" + number());
    case Field::kAuLeft:
      return store.Column<float>(shard, "l" + number());
    case Field::kAuRight:
      return store.Column<float>(shard, "r" + number());
    case Field::kEmotionScore:
      return store.Column<float>(shard, "emotion_score");
    case Field::kQuality:
      return store.Column<float>(shard, "quality");
    case Field::kScore:
      return store.Column<float>(shard, "score");
    case Field::kYaw:
      return store.Column<float>(shard, "yaw");
    case Field::kPitch:
      return store.Column<float>(shard, "pitch");
    case Field::kRoll:
      return store.Column<float>(shard, "roll");
    case Field::kSize:
      return store.Column<float>(shard, "size");
    case Field::kAuPresent: {
      const auto column = store.Column<std::uint8_t>(shard, "e" + number());
      return {column.begin(), column.end()};
    }
    case Field::kFace: {
      std::vector<float> values;
      for (const std::int32_t face : store.Column<std::int32_t>(shard, "face"))
        values.push_back(static_cast<float>(face));
      return values;
    }
  }
  return {};
}

Order ParseOrder(const std::string& text) {
  Order order;
  if (text.empty() || text == "stored") return order;
  if (text.starts_with("random")) {
    const std::string seed = text.size() > 7 && text[6] == ':' ? text.substr(7) : "";
    const auto number = features::ParseCount(seed);
    if (text != "random" && !number) throw ExpressionError("write random or random:7, with a whole number", 7);
    order.seed = number.value_or(order.seed);
    order.kind = Order::Kind::kRandom;
    return order;
  }
  order.ascending = text[0] == '+';
  const std::string name = text.substr(order.ascending ? 1 : 0);
  // A field is what may stand before ">=": the grammar says so once.
  const Expression term = ParseExpression(name + ">=0");
  if (term.kind != Kind::kNumber || term.value != 0) throw ExpressionError("cannot sort by \"" + name.substr(0, 40) + "\"", 1);
  order.kind = Order::Kind::kField;
  order.field = term.field;
  order.au = term.au;
  return order;
}

void Selection::Add(std::uint32_t shard, const Mask& mask) {
  std::vector<std::uint64_t>& bits = bits_[shard];
  bits.assign((mask.size() + 63) / 64, 0);
  for (std::size_t i = 0; i < mask.size(); ++i) bits[i / 64] |= std::uint64_t{mask[i]} << (i % 64);
  for (const std::uint64_t word : bits)
    counts_[shard] += static_cast<std::uint64_t>(__builtin_popcountll(word));
  count_ += counts_[shard];
}

std::vector<FaceReference> Selection::Page(std::uint64_t offset, std::uint64_t limit) const {
  std::vector<FaceReference> page;
  if (offset >= count_) return page;
  const std::uint64_t end = limit < count_ - offset ? offset + limit : count_;
  if (sorted_) {
    page.assign(order_.begin() + static_cast<std::ptrdiff_t>(offset),
                order_.begin() + static_cast<std::ptrdiff_t>(end));
    return page;
  }
  std::uint64_t before = 0;
  for (std::uint32_t shard = 0; shard < bits_.size() && before < end; ++shard) {
    if (before + counts_[shard] > offset) {
      std::uint64_t at = before;
      for (std::uint32_t word = 0; word < bits_[shard].size() && at < end; ++word) {
        for (std::uint64_t rest = bits_[shard][word]; rest != 0 && at < end; rest &= rest - 1, ++at) {
          if (at >= offset)
            page.push_back({shard, 64 * word + static_cast<std::uint32_t>(__builtin_ctzll(rest))});
        }
      }
    }
    before += counts_[shard];
  }
  return page;
}

void Selection::VisitShards(
    const std::function<void(std::uint32_t, const std::vector<std::uint32_t>&)>& visit) const {
  std::vector<std::uint32_t> faces;
  for (std::uint32_t shard = 0; shard < bits_.size(); ++shard) {
    if (counts_[shard] == 0) continue;
    faces.clear();
    for (std::uint32_t word = 0; word < bits_[shard].size(); ++word) {
      for (std::uint64_t rest = bits_[shard][word]; rest != 0; rest &= rest - 1) {
        faces.push_back(64 * word + static_cast<std::uint32_t>(__builtin_ctzll(rest)));
      }
    }
    visit(shard, faces);
  }
}

std::size_t Selection::MemoryBytes() const {
  std::size_t bytes = order_.capacity() * sizeof(FaceReference);
  for (const auto& bits : bits_) bytes += bits.capacity() * sizeof(bits[0]) + sizeof(bits);
  return bytes;
}

bool Selection::Contains(FaceReference face) const {
  if (face.shard >= bits_.size() || face.face / 64 >= bits_[face.shard].size()) return false;
  return (bits_[face.shard][face.face / 64] >> (face.face % 64) & 1) != 0;
}

void Selection::Remove(const std::function<bool(FaceReference)>& leave) {
  count_ = 0;
  for (std::uint32_t shard = 0; shard < bits_.size(); ++shard) {
    counts_[shard] = 0;
    for (std::uint32_t word = 0; word < bits_[shard].size(); ++word) {
      std::uint64_t& kept = bits_[shard][word];
      for (std::uint64_t rest = kept; rest != 0; rest &= rest - 1) {
        const auto bit = static_cast<std::uint32_t>(__builtin_ctzll(rest));
        if (leave({shard, 64 * word + bit})) kept &= ~(std::uint64_t{1} << bit);
      }
      counts_[shard] += static_cast<std::uint64_t>(__builtin_popcountll(kept));
    }
    count_ += counts_[shard];
  }
  std::erase_if(order_, [this](FaceReference face) { return !Contains(face); });
}

Selection Find(const FaceIndex& index, const Expression& expression, const Order& order,
               const StopCheck& stop) {
  Selection selection;
  selection.bits_.resize(index.shards().size());
  selection.counts_.resize(index.shards().size());
  if (order.au > 0) RequireKnownAu(index, order.au, 1);
  const bool by_half = IsOfHalf(order.field), by_score = order.field == Field::kEmotionScore;
  RequireColumns(index, by_half, by_score, 1);
  const Evaluator evaluator(index, expression, stop);
  std::vector<Keyed> keyed;
  for (std::uint32_t s = 0; s < index.shards().size(); ++s) {
    if (stop && stop()) throw QueryStopped("the query took too long and was stopped");
    const IndexedShard& shard = index.shards()[s];
    if (!evaluator.Measures(shard) || (order.au > 0 && !shard.schema.Find(order.au)) ||
        (by_half && !shard.has_halves) || (by_score && !shard.has_emotion_score)) {
      ++selection.unmeasured_;
      continue;
    }
    const Mask mask = evaluator.Evaluate(shard);
    selection.Add(s, mask);
    if (order.kind != Order::Kind::kStored) AppendKeys(index, s, mask, order, keyed);
  }
  if (order.kind == Order::Kind::kStored) return selection;
  std::stable_sort(keyed.begin(), keyed.end(), [](const Keyed& a, const Keyed& b) { return a.key < b.key; });
  selection.sorted_ = true;
  selection.order_.reserve(keyed.size());
  for (const Keyed& entry : keyed) selection.order_.push_back(entry.face);
  return selection;
}

}  // namespace auforge::datasets::query
