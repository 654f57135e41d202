#include "datasets/parquet/reader.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "datasets/parquet/levels.h"
#include "datasets/parquet/unpack.h"

namespace auforge::datasets::parquet {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kTail = 8;  // the footer's length and the magic

std::uint32_t Number32(Bytes bytes) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

// Takes `size` bytes from the front.
Bytes Take(Bytes& bytes, std::size_t size) {
  if (size > bytes.size()) throw Fault("a page of it is cut off");
  const Bytes front = bytes.first(size);
  bytes = bytes.subspan(size);
  return front;
}

template <typename Number>
Number TakeNumber(Bytes& bytes) {
  Number value{};
  std::memcpy(&value, Take(bytes, sizeof(value)).data(), sizeof(value));
  return value;
}

std::int32_t Small(std::int64_t value) {
  if (value < 0 || value > INT32_MAX) throw Fault("its metadata is damaged");
  return static_cast<std::int32_t>(value);
}

std::string EncodingName(std::int32_t encoding) {
  switch (encoding) {
    case 4: return "BIT_PACKED";
    case 5: return "DELTA_BINARY_PACKED";
    case 6: return "DELTA_LENGTH_BYTE_ARRAY";
    case 7: return "DELTA_BYTE_ARRAY";
    case 9: return "BYTE_STREAM_SPLIT";
    default: return "number " + std::to_string(encoding);
  }
}

struct PageHeader {
  std::int32_t type = -1;
  std::int32_t unpacked = 0, packed = 0;
  std::int32_t entries = 0, encoding = -1;
  std::int32_t definition_encoding = 3, repetition_encoding = 3;  // of version 1
  std::int32_t definition_bytes = 0, repetition_bytes = 0;        // of version 2
  bool is_packed = true;
  std::size_t size = 0;  // of the header itself
};

PageHeader ReadPageHeader(Bytes bytes) {
  PageHeader header;
  ThriftReader in(bytes);
  // The numbers of a kind of page, by their fields.
  const auto numbers = [&in](std::initializer_list<std::int32_t*> fields, bool* is_packed) {
    in.Enter();
    while (in.Next()) {
      const auto index = static_cast<std::size_t>(in.field() - 1);
      if (is_packed != nullptr && in.field() == 7) {
        *is_packed = in.Bool();
      } else if (index < fields.size() && *(fields.begin() + index) != nullptr) {
        **(fields.begin() + index) = Small(in.Integer());
      } else {
        in.Skip();
      }
    }
  };
  while (in.Next()) {
    switch (in.field()) {
      case 1: header.type = Small(in.Integer()); break;
      case 2: header.unpacked = Small(in.Integer()); break;
      case 3: header.packed = Small(in.Integer()); break;
      case 5:
        numbers({&header.entries, &header.encoding, &header.definition_encoding, &header.repetition_encoding}, nullptr);
        break;
      case 7: numbers({&header.entries, &header.encoding}, nullptr); break;
      case 8:
        numbers({&header.entries, nullptr, nullptr, &header.encoding, &header.definition_bytes, &header.repetition_bytes},
                &header.is_packed);
        break;
      default: in.Skip();
    }
  }
  header.size = in.position();
  return header;
}

}  // namespace

struct Reader::SchemaElement {
  std::string name;
  std::optional<std::int32_t> type;
  std::int32_t repetition = 0;
  std::size_t children = 0;
};

Reader::Reader(ReadAt read, std::uint64_t size, Limits limits) : read_(std::move(read)), size_(size), limits_(limits) {
  std::uint8_t tail[kTail] = {};
  if (size_ < 2 * kTail) throw Fault("is no Parquet file: too short");
  read_(size_ - kTail, tail);
  if (std::memcmp(tail + 4, kMagic.data(), kMagic.size()) != 0) {
    throw Fault(std::memcmp(tail + 4, "PARE", 4) == 0 ? "is encrypted, which is not read" : "is no whole Parquet file: it does not end as one");
  }
  const std::uint64_t length = Number32(tail);
  if (length > limits_.footer_bytes || length > size_ - kTail - kMagic.size()) throw Fault("is damaged: its footer cannot be so long");
  std::vector<std::uint8_t> footer(length);
  read_(size_ - kTail - length, footer);
  ReadFooter(footer);
}

void Reader::ReadFooter(Bytes footer) {
  ThriftReader in(footer);
  std::vector<SchemaElement> schema;
  while (in.Next()) {
    switch (in.field()) {
      case 2:
        for (std::size_t left = in.List(Wire::kStruct); left > 0; --left) {
          SchemaElement element;
          in.EnterElement();
          while (in.Next()) {
            switch (in.field()) {
              case 1: element.type = Small(in.Integer()); break;
              case 3: element.repetition = Small(in.Integer()); break;
              case 4: element.name = in.Binary(); break;
              case 5: element.children = static_cast<std::size_t>(Small(in.Integer())); break;
              default: in.Skip();
            }
          }
          schema.push_back(std::move(element));
        }
        break;
      case 4:
        for (std::size_t left = in.List(Wire::kStruct); left > 0; --left) ReadGroup(in);
        break;
      case 5:
        for (std::size_t left = in.List(Wire::kStruct); left > 0; --left) {
          std::pair<std::string, std::string> entry;
          in.EnterElement();
          while (in.Next()) {
            if (in.field() == 1) {
              entry.first = in.Binary();
            } else if (in.field() == 2) {
              entry.second = in.Binary();
            } else {
              in.Skip();
            }
          }
          metadata_.push_back(std::move(entry));
        }
        break;
      default: in.Skip();
    }
  }
  AddLeaves(schema);
  for (const Group& group : groups_) {
    if (group.rows > limits_.rows - rows_) throw Fault("has more than " + std::to_string(limits_.rows) + " rows");
    rows_ += group.rows;
  }
}

void Reader::ReadGroup(ThriftReader& in) {
  Group group;
  in.EnterElement();
  while (in.Next()) {
    if (in.field() == 1) {
      for (std::size_t left = in.List(Wire::kStruct); left > 0; --left) group.chunks.push_back(ReadChunk(in));
    } else if (in.field() == 3) {
      const std::int64_t rows = in.Integer();
      if (rows < 0) throw Fault("its metadata is damaged");
      group.rows = static_cast<std::uint64_t>(rows);
    } else {
      in.Skip();
    }
  }
  groups_.push_back(std::move(group));
}

Reader::Chunk Reader::ReadChunk(ThriftReader& in) {
  Chunk chunk;
  in.EnterElement();
  while (in.Next()) {
    if (in.field() == 1) throw Fault("keeps its columns in other files, which is not read");
    if (in.field() != 3) {
      in.Skip();
      continue;
    }
    in.Enter();
    while (in.Next()) {
      switch (in.field()) {
        case 1: chunk.type = static_cast<Type>(Small(in.Integer())); break;
        case 3:
          for (std::size_t left = in.List(Wire::kBinary); left > 0; --left) chunk.path.append(chunk.path.empty() ? "" : ".").append(in.Binary());
          break;
        case 4: chunk.codec = static_cast<Codec>(Small(in.Integer())); break;
        case 5: chunk.entries = in.Integer(); break;
        case 7: chunk.bytes = in.Integer(); break;
        case 9: chunk.data_offset = in.Integer(); break;
        case 11: chunk.dictionary_offset = in.Integer(); break;
        default: in.Skip();
      }
    }
  }
  return chunk;
}

// The tree is written depth first; what is around a leaf says how deep null and lists go.
void Reader::AddLeaves(const std::vector<SchemaElement>& elements) {
  struct Around {
    std::size_t left = 0;  // children that are still to come
    std::string path;
    std::uint32_t definition = 0, repetition = 0;
  };
  constexpr std::size_t kDeepest = 64;
  if (elements.empty()) throw Fault("its schema is missing");
  std::vector<Around> around{{elements[0].children, "", 0, 0}};
  for (std::size_t i = 1; i < elements.size(); ++i) {
    const SchemaElement& element = elements[i];
    while (!around.empty() && around.back().left == 0) around.pop_back();
    if (around.empty() || around.size() > kDeepest || element.repetition > 2) throw Fault("its schema is damaged");
    --around.back().left;
    Around here{element.children, around.back().path + (around.back().path.empty() ? "" : ".") + element.name, around.back().definition,
                around.back().repetition};
    const auto repetition = static_cast<Repetition>(element.repetition);
    here.definition += repetition != Repetition::kRequired ? 1 : 0;
    here.repetition += repetition == Repetition::kRepeated ? 1 : 0;
    if (element.type) {
      leaves_.push_back({here.path, static_cast<Type>(*element.type), here.definition, here.repetition});
    } else {
      around.push_back(std::move(here));
    }
  }
}

std::vector<std::string> Reader::Columns() const {
  std::vector<std::string> paths;
  for (const Leaf& leaf : leaves_) paths.push_back(leaf.path);
  return paths;
}

bool Reader::Has(const std::string& column) const {
  return std::any_of(leaves_.begin(), leaves_.end(), [&](const Leaf& leaf) { return leaf.path == column; });
}

// The pages of one column of one row group, into the column's values.
class Reader::ChunkReader {
 public:
  ChunkReader(const Leaf& leaf, const Chunk& chunk, const Limits& limits, std::uint64_t first_row, std::uint64_t rows, ColumnValues& to,
              std::uint64_t& bytes)
      : leaf_(leaf), chunk_(chunk), limits_(limits), first_row_(first_row), rows_(rows), to_(to), used_(bytes) {}

  void Read(Bytes bytes) {
    while (entries_ < static_cast<std::uint64_t>(chunk_.entries)) {
      const PageHeader header = ReadPageHeader(bytes);
      Take(bytes, header.size);
      const Bytes stored = Take(bytes, static_cast<std::size_t>(header.packed));
      if (static_cast<std::uint64_t>(header.unpacked) > limits_.page_bytes) throw Fault("a page of it is too large");
      switch (static_cast<PageType>(header.type)) {
        case PageType::kDictionary: ReadDictionary(header, stored); break;
        case PageType::kData: ReadData(header, stored); break;
        case PageType::kDataV2: ReadDataV2(header, stored); break;
        case PageType::kIndex: break;
        default: throw Fault("has a page of an unknown kind, " + std::to_string(header.type));
      }
    }
    if (row_ != rows_) throw Fault("is damaged: the column " + leaf_.path + " has " + std::to_string(row_) + " rows of " + std::to_string(rows_));
  }

 private:
  void Require(std::int32_t encoding, std::initializer_list<Encoding> known) const {
    for (const Encoding one : known) {
      if (encoding == static_cast<std::int32_t>(one)) return;
    }
    throw Fault("the column " + leaf_.path + " is written with the encoding " + EncodingName(encoding) +
                ", which is not read; write it plain or with dictionaries");
  }

  void ReadDictionary(const PageHeader& header, Bytes stored) {
    Require(header.encoding, {Encoding::kPlain, Encoding::kPlainDictionary});
    const auto page = Unpack(chunk_.codec, stored, static_cast<std::size_t>(header.unpacked));
    if (leaf_.type == Type::kBoolean) throw Fault("its metadata is damaged");
    dictionary_.clear();
    Bytes bytes(page);
    for (std::int32_t i = 0; i < header.entries; ++i) {
      Use(sizeof(Value));
      dictionary_.push_back(Plain(bytes));
    }
    has_dictionary_ = true;
  }

  void ReadData(const PageHeader& header, Bytes stored) {
    const auto page = Unpack(chunk_.codec, stored, static_cast<std::size_t>(header.unpacked));
    Bytes bytes(page);
    const auto levels = [&](std::uint32_t highest, std::int32_t encoding) {
      if (highest == 0) return Bytes();
      Require(encoding, {Encoding::kRle});
      return Take(bytes, TakeNumber<std::uint32_t>(bytes));
    };
    const Bytes repetitions = levels(leaf_.repetition, header.repetition_encoding);
    const Bytes definitions = levels(leaf_.definition, header.definition_encoding);
    ReadEntries(header, repetitions, definitions, bytes);
  }

  void ReadDataV2(const PageHeader& header, Bytes stored) {
    const Bytes repetitions = Take(stored, static_cast<std::size_t>(header.repetition_bytes));
    const Bytes definitions = Take(stored, static_cast<std::size_t>(header.definition_bytes));
    const std::int64_t unpacked = std::int64_t{header.unpacked} - header.repetition_bytes - header.definition_bytes;
    if (unpacked < 0) throw Fault("its metadata is damaged");
    const auto page = Unpack(header.is_packed ? chunk_.codec : Codec::kUncompressed, stored, static_cast<std::size_t>(unpacked));
    ReadEntries(header, repetitions, definitions, page);
  }

  void ReadEntries(const PageHeader& header, Bytes repetition_bytes, Bytes definition_bytes, Bytes bytes) {
    const auto count = static_cast<std::size_t>(header.entries);
    const std::uint64_t left = static_cast<std::uint64_t>(chunk_.entries) - entries_;
    if (count > left || (leaf_.repetition == 0 && count > rows_ - row_)) throw Fault("is damaged: a page of it has too many values");
    entries_ += count;
    // A page may hold nothing; one that goes on for ever would never end.
    if (count == 0 && ++empty_pages_ > kMostEmptyPages) throw Fault("is damaged: it has pages without values");
    Use(count * (sizeof(Value) + 3 * sizeof(std::uint32_t)));
    const std::vector<std::uint32_t> repetitions = Levels(repetition_bytes, leaf_.repetition, count);
    const std::vector<std::uint32_t> definitions = Levels(definition_bytes, leaf_.definition, count);
    const bool all_there = leaf_.definition == 0;
    const std::size_t there = all_there ? count : static_cast<std::size_t>(std::count(definitions.begin(), definitions.end(), leaf_.definition));
    PageValues values(*this, header.encoding, bytes, there);
    for (std::size_t i = 0; i < count; ++i) {
      const bool begins_row = leaf_.repetition == 0 || repetitions[i] == 0;
      if (begins_row && row_ == rows_) throw Fault("is damaged: a page of it has too many rows");
      if (!begins_row && row_ == 0) throw Fault("is damaged: it begins within a row");
      row_ += begins_row ? 1 : 0;
      to_.rows.push_back(static_cast<std::uint32_t>(first_row_ + row_ - 1));
      to_.values.push_back(all_there || definitions[i] == leaf_.definition ? values.Next() : Value());
    }
  }

  std::vector<std::uint32_t> Levels(Bytes bytes, std::uint32_t highest, std::size_t count) const {
    if (highest == 0) return {};
    std::vector<std::uint32_t> levels(count);
    if (!HybridReader(bytes, BitWidth(highest)).Read(levels)) throw Fault("a page of it is cut off");
    if (std::any_of(levels.begin(), levels.end(), [highest](std::uint32_t level) { return level > highest; }))
      throw Fault("is damaged: its levels are out of range");
    return levels;
  }

  Value Plain(Bytes& bytes) {
    switch (leaf_.type) {
      case Type::kInt32: return std::int64_t{TakeNumber<std::int32_t>(bytes)};
      case Type::kInt64: return TakeNumber<std::int64_t>(bytes);
      case Type::kFloat: return double{TakeNumber<float>(bytes)};
      case Type::kDouble: return TakeNumber<double>(bytes);
      case Type::kByteArray: {
        const Bytes text = Take(bytes, TakeNumber<std::uint32_t>(bytes));
        Use(text.size());
        return std::string(reinterpret_cast<const char*>(text.data()), text.size());
      }
      default: break;
    }
    throw Fault("the column " + leaf_.path + " is of a type that is not read (" + std::to_string(static_cast<int>(leaf_.type)) + ")");
  }

  void Use(std::uint64_t bytes) {
    used_ += bytes;
    if (used_ > limits_.column_bytes) throw Fault("the column " + leaf_.path + " is too large");
  }

  // Values of one page, one after the other.
  class PageValues {
   public:
    PageValues(ChunkReader& chunk, std::int32_t encoding, Bytes bytes, std::size_t count) : chunk_(chunk), bytes_(bytes) {
      const bool is_bool = chunk.leaf_.type == Type::kBoolean;
      if (is_bool) {
        chunk.Require(encoding, {Encoding::kPlain, Encoding::kRle});
      } else {
        chunk.Require(encoding, {Encoding::kPlain, Encoding::kPlainDictionary, Encoding::kRleDictionary});
      }
      if (encoding == static_cast<std::int32_t>(Encoding::kPlain)) return;
      if (count == 0) return;
      is_indexed_ = !is_bool;
      indices_.resize(count);
      const std::uint32_t width = is_bool ? 1 : Take(bytes_, 1)[0];
      if (is_bool) bytes_ = Take(bytes_, TakeNumber<std::uint32_t>(bytes_));
      if (width > 32 || (is_indexed_ && !chunk.has_dictionary_)) throw Fault("is damaged: a dictionary of it is missing");
      if (!HybridReader(bytes_, static_cast<int>(width)).Read(indices_)) throw Fault("a page of it is cut off");
    }

    Value Next() {
      const std::size_t at = next_++;
      if (is_indexed_) {
        if (indices_[at] >= chunk_.dictionary_.size()) throw Fault("is damaged: it names what its dictionary does not have");
        const Value& value = chunk_.dictionary_[indices_[at]];
        if (const std::string* text = std::get_if<std::string>(&value)) chunk_.Use(text->size());
        return value;
      }
      if (!indices_.empty()) return indices_[at] != 0;
      if (chunk_.leaf_.type != Type::kBoolean) return chunk_.Plain(bytes_);
      if (at / 8 >= bytes_.size()) throw Fault("a page of it is cut off");
      return (bytes_[at / 8] >> at % 8 & 1) != 0;
    }

   private:
    ChunkReader& chunk_;
    Bytes bytes_;
    bool is_indexed_ = false;
    std::vector<std::uint32_t> indices_;
    std::size_t next_ = 0;
  };

  static constexpr int kMostEmptyPages = 1000;
  const Leaf& leaf_;
  const Chunk& chunk_;
  const Limits& limits_;
  std::uint64_t first_row_, rows_;
  ColumnValues& to_;
  std::uint64_t& used_;
  std::uint64_t entries_ = 0, row_ = 0;
  int empty_pages_ = 0;
  bool has_dictionary_ = false;
  std::vector<Value> dictionary_;
};

ColumnValues Reader::Read(const std::string& column) const {
  const auto leaf = std::find_if(leaves_.begin(), leaves_.end(), [&](const Leaf& one) { return one.path == column; });
  if (leaf == leaves_.end()) throw Fault("has no column " + column);
  ColumnValues values;
  std::uint64_t row = 0, used = 0;
  for (const Group& group : groups_) {
    const auto chunk = std::find_if(group.chunks.begin(), group.chunks.end(), [&](const Chunk& one) { return one.path == column; });
    if (chunk == group.chunks.end() || chunk->type != leaf->type) throw Fault("is damaged: a part of it lacks the column " + column);
    std::int64_t begin = chunk->data_offset;
    if (chunk->dictionary_offset > 0) begin = std::min(begin, chunk->dictionary_offset);
    const bool is_good = begin >= 0 && chunk->bytes >= 0 && chunk->entries >= 0 && static_cast<std::uint64_t>(begin) <= size_ &&
                         static_cast<std::uint64_t>(chunk->bytes) <= size_ - static_cast<std::uint64_t>(begin);
    if (!is_good) throw Fault("is damaged: the column " + column + " lies outside of the file");
    if (static_cast<std::uint64_t>(chunk->bytes) > limits_.column_bytes) throw Fault("the column " + column + " is too large");
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(chunk->bytes));
    read_(static_cast<std::uint64_t>(begin), bytes);
    ChunkReader(*leaf, *chunk, limits_, row, group.rows, values, used).Read(bytes);
    row += group.rows;
  }
  return values;
}

}  // namespace auforge::datasets::parquet
