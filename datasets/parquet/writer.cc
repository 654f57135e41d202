#include "datasets/parquet/writer.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>
#include <optional>
#include <stdexcept>
#include <unordered_map>

#include "datasets/parquet/levels.h"
#include "datasets/parquet/thrift_writer.h"

namespace auforge::datasets::parquet {
namespace {

Type TypeOf(Kind kind) {
  switch (kind) {
    case Kind::kBool: return Type::kBoolean;
    case Kind::kInt32: return Type::kInt32;
    case Kind::kInt64: return Type::kInt64;
    case Kind::kFloat: return Type::kFloat;
    case Kind::kDouble: return Type::kDouble;
    case Kind::kText: return Type::kByteArray;
  }
  throw std::logic_error("parquet: no such kind");
}

template <typename Number>
std::string Bytes(Number value) {
  std::string bytes(sizeof(value), '\0');
  std::memcpy(bytes.data(), &value, sizeof(value));
  return bytes;
}

std::string PlainText(std::string_view text) { return Bytes(static_cast<std::uint32_t>(text.size())).append(text); }

std::string Gzip(std::string_view bytes) {
  constexpr int kGzipWindow = 15 + 16, kLevel = 4, kMemory = 8;
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const int status = deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) throw std::bad_alloc();
  return packed;
}

// The least and the greatest value of a column chunk, as Parquet's statistics hold them.
class Range {
 public:
  void Take(std::string_view text) {
    if (!any_ || text < low_) low_ = text;
    if (!any_ || text > high_) high_ = text;
    any_ = true;
  }
  template <typename Number>
  void Take(Number value) {
    const double real = static_cast<double>(value);
    if (!any_ || real < least_) low_ = Bytes(value), least_ = real;
    if (!any_ || real > most_) high_ = Bytes(value), most_ = real;
    any_ = true;
  }
  // field: of the struct around it.
  void Write(int field, std::uint64_t nulls, Kind kind, ThriftWriter& to) const {
    constexpr std::size_t kLongest = 64;  // a bound of any length is allowed, and nobody's gain
    to.BeginStruct(field);
    to.I64(3, static_cast<std::int64_t>(nulls));
    if (any_ && low_.size() <= kLongest && high_.size() <= kLongest) {
      to.Binary(5, Bound(high_, kind, false));
      to.Binary(6, Bound(low_, kind, true));
    }
    to.EndStruct();
  }

 private:
  // A bound that is zero has the sign that lets both zeros in, as the format wants it.
  std::string Bound(const std::string& bytes, Kind kind, bool low) const {
    if ((low ? least_ : most_) != 0) return bytes;
    if (kind == Kind::kFloat) return Bytes(low ? -0.0F : 0.0F);
    if (kind == Kind::kDouble) return Bytes(low ? -0.0 : 0.0);
    return bytes;
  }

  bool any_ = false;
  std::string low_, high_;
  double least_ = 0, most_ = 0;
};

// What of a column chunk is one page.
struct Page {
  std::size_t levels_begin = 0, levels_end = 0;  // entries: values and nulls
  std::size_t values_begin = 0, values_end = 0;  // values that are there
  std::size_t bytes_begin = 0, bytes_end = 0;    // of them in Chunk::plain
};

// One column of the row group that is being collected.
struct Chunk {
  std::vector<std::uint32_t> definitions, repetitions;  // one an entry; repetitions of lists only
  std::string plain;                                    // numbers; a byte each for bools
  std::vector<std::uint32_t> indices;                   // of texts, into
  std::vector<const std::string*> texts;                // the different ones, in order of appearance
  std::unordered_map<std::string, std::uint32_t> index_of;
  std::size_t texts_bytes = 0;                          // of the different ones, written plain
  std::uint64_t nulls = 0;
  std::size_t values = 0;
  Range range;
  std::vector<Page> pages;
  Page open;  // the page that grows

  void TakeText(std::string_view text) {
    const auto [found, is_new] = index_of.emplace(text, static_cast<std::uint32_t>(texts.size()));
    if (is_new) {
      texts.push_back(&found->first);
      texts_bytes += text.size() + sizeof(std::uint32_t);
    }
    indices.push_back(found->second);
    open.bytes_end += text.size() + sizeof(std::uint32_t);
    ++values;
    range.Take(text);
  }
  template <typename Number>
  void Take(Number value) {
    plain += Bytes(value);
    open.bytes_end += sizeof(value);
    ++values;
    range.Take(value);
  }
  void ClosePage() {
    open.levels_end = definitions.size();
    open.values_end = values;
    if (open.levels_end > open.levels_begin) pages.push_back(open);
    open = {definitions.size(), 0, values, 0, open.bytes_end, open.bytes_end};
  }
};

}  // namespace

struct Writer::Impl {
  std::vector<Column> columns;
  std::function<void(std::string_view)> write;
  WriterOptions options;
  std::vector<Chunk> chunks;
  std::size_t next = 0;  // column of the next cell
  std::size_t rows = 0;  // of the open row group
  std::int64_t total_rows = 0;
  std::uint64_t offset = 0;

  struct ChunkPlace {
    std::uint64_t values = 0, nulls = 0, unpacked = 0, packed = 0, data_offset = 0, dictionary_offset = 0;
    bool has_dictionary = false, is_gzip = false;
    Range range;
  };
  struct Group {
    std::size_t rows = 0;
    std::vector<ChunkPlace> places;
  };
  std::vector<Group> groups;

  void Put(std::string_view bytes) {
    write(bytes);
    offset += bytes.size();
  }

  // Of the column's leaves that are there.
  static std::uint32_t HighestDefinition(const Column& column) { return (column.is_list ? 2U : 0U) + (!column.is_list && column.is_optional ? 1U : 0U); }

  Chunk& Cell(Kind kind, bool is_list = false) {
    if (next >= columns.size() || columns[next].kind != kind || columns[next].is_list != is_list)
      throw std::logic_error("parquet: the cell is of another kind than its column");
    return chunks[next++];
  }
  template <typename Number>
  void AddNumber(Kind kind, Number value, bool is_number) {
    if (!is_number && columns.at(next).is_optional) return Null();
    Chunk& chunk = Cell(kind);
    chunk.definitions.push_back(HighestDefinition(columns[next - 1]));
    chunk.Take(value);
  }
  void Null() {
    if (next >= columns.size() || !columns[next].is_optional || columns[next].is_list)
      throw std::logic_error("parquet: the column cannot be null");
    Chunk& chunk = chunks[next++];
    chunk.definitions.push_back(0);
    ++chunk.nulls;
  }

  void EndRow() {
    if (next != columns.size()) throw std::logic_error("parquet: the row lacks cells");
    next = 0;
    for (Chunk& chunk : chunks) {
      if (chunk.open.bytes_end - chunk.open.bytes_begin >= options.page_bytes) chunk.ClosePage();
    }
    if (++rows >= options.group_rows) EndGroup();
  }

  void EndGroup() {
    if (rows == 0) return;
    Group group;
    group.rows = rows;
    for (std::size_t i = 0; i < columns.size(); ++i) group.places.push_back(WriteChunk(columns[i], chunks[i]));
    groups.push_back(std::move(group));
    total_rows += static_cast<std::int64_t>(rows);
    rows = 0;
    chunks = std::vector<Chunk>(columns.size());
  }

  // The values of a page.
  std::string Values(const Column& column, const Chunk& chunk, const Page& page, bool in_dictionary) const {
    if (column.kind == Kind::kText) {
      const auto indices = std::span(chunk.indices).subspan(page.values_begin, page.values_end - page.values_begin);
      std::string bytes;
      if (in_dictionary) {
        const int width = BitWidth(static_cast<std::uint32_t>(chunk.texts.size() - 1));
        bytes += static_cast<char>(width);
        AppendHybrid(indices, width, bytes);
      } else {
        for (const std::uint32_t index : indices) bytes += PlainText(*chunk.texts[index]);
      }
      return bytes;
    }
    const std::string_view plain = std::string_view(chunk.plain).substr(page.bytes_begin, page.bytes_end - page.bytes_begin);
    if (column.kind != Kind::kBool) return std::string(plain);
    std::string bits((plain.size() + 7) / 8, '\0');
    for (std::size_t i = 0; i < plain.size(); ++i) bits[i / 8] = static_cast<char>(bits[i / 8] | plain[i] << i % 8);
    return bits;
  }

  // Levels before the values of a page of version 1, each after its length.
  static std::string Levels(const Column& column, const Chunk& chunk, const Page& page) {
    std::string bytes;
    const auto append = [&](const std::vector<std::uint32_t>& levels, std::uint32_t highest) {
      std::string runs;
      AppendHybrid(std::span(levels).subspan(page.levels_begin, page.levels_end - page.levels_begin), BitWidth(highest), runs);
      bytes += PlainText(runs);
    };
    if (column.is_list) append(chunk.repetitions, 1);
    if (HighestDefinition(column) > 0) append(chunk.definitions, HighestDefinition(column));
    return bytes;
  }

  struct Block {
    PageType type = PageType::kData;
    std::size_t entries = 0;
    Encoding encoding = Encoding::kPlain;
    std::string bytes, packed;
  };

  std::vector<Block> Blocks(const Column& column, Chunk& chunk, bool in_dictionary) const {
    std::vector<Block> blocks;
    if (in_dictionary) {
      Block dictionary{PageType::kDictionary, chunk.texts.size(), Encoding::kPlain, {}, {}};
      for (const std::string* text : chunk.texts) dictionary.bytes += PlainText(*text);
      blocks.push_back(std::move(dictionary));
    }
    for (const Page& page : chunk.pages) {
      blocks.push_back({PageType::kData, page.levels_end - page.levels_begin, in_dictionary ? Encoding::kRleDictionary : Encoding::kPlain,
                        Levels(column, chunk, page) + Values(column, chunk, page, in_dictionary), {}});
    }
    return blocks;
  }

  ChunkPlace WriteChunk(const Column& column, Chunk& chunk) {
    chunk.ClosePage();
    ChunkPlace place;
    place.has_dictionary = column.kind == Kind::kText && !chunk.texts.empty() && chunk.texts_bytes <= options.dictionary_bytes;
    std::vector<Block> blocks = Blocks(column, chunk, place.has_dictionary);
    std::size_t unpacked = 0, packed = 0;
    for (Block& block : blocks) {
      block.packed = Gzip(block.bytes);
      unpacked += block.bytes.size();
      packed += block.packed.size();
    }
    place.is_gzip = packed < unpacked;
    place.values = chunk.definitions.size();
    place.nulls = chunk.nulls;
    place.range = chunk.range;
    const std::uint64_t begin = offset;
    for (const Block& block : blocks) {
      if (block.type == PageType::kDictionary) place.dictionary_offset = offset;
      if (block.type == PageType::kData && place.data_offset == 0) place.data_offset = offset;
      const std::string& bytes = place.is_gzip ? block.packed : block.bytes;
      const std::string header = PageHeader(block, bytes);
      place.unpacked += header.size() + block.bytes.size();
      Put(header);
      Put(bytes);
    }
    place.packed = offset - begin;
    return place;
  }

  static std::string PageHeader(const Block& block, const std::string& stored) {
    ThriftWriter to;
    to.I32(1, static_cast<std::int32_t>(block.type));
    to.I32(2, static_cast<std::int64_t>(block.bytes.size()));
    to.I32(3, static_cast<std::int64_t>(stored.size()));
    const auto sum = static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(stored.data()), static_cast<uInt>(stored.size())));
    to.I32(4, static_cast<std::int32_t>(sum));
    if (block.type == PageType::kDictionary) {
      to.BeginStruct(7);
      to.I32(1, static_cast<std::int64_t>(block.entries));
      to.I32(2, static_cast<std::int32_t>(Encoding::kPlain));
    } else {
      to.BeginStruct(5);
      to.I32(1, static_cast<std::int64_t>(block.entries));
      to.I32(2, static_cast<std::int32_t>(block.encoding));
      to.I32(3, static_cast<std::int32_t>(Encoding::kRle));
      to.I32(4, static_cast<std::int32_t>(Encoding::kRle));
    }
    to.EndStruct();
    return to.Take();
  }

  void WriteSchema(ThriftWriter& to) const {
    std::size_t elements = 1 + columns.size();
    for (const Column& column : columns) elements += column.is_list ? 2 : 0;
    to.List(2, Wire::kStruct, elements);
    to.BeginElement();
    to.Binary(4, "schema");
    to.I32(5, static_cast<std::int64_t>(columns.size()));
    to.EndStruct();
    for (const Column& column : columns) {
      if (column.is_list) {
        WriteListSchema(column, to);
      } else {
        WriteLeaf(column.name, column.kind, column.is_optional ? Repetition::kOptional : Repetition::kRequired, to);
      }
    }
  }

  static void WriteLeaf(const std::string& name, Kind kind, Repetition repetition, ThriftWriter& to) {
    to.BeginElement();
    to.I32(1, static_cast<std::int32_t>(TypeOf(kind)));
    to.I32(3, static_cast<std::int32_t>(repetition));
    to.Binary(4, name);
    if (kind == Kind::kText) {
      to.I32(6, 0);  // UTF8, and the same as a logical type: STRING
      to.BeginStruct(10);
      to.BeginStruct(1);
      to.EndStruct();
      to.EndStruct();
    }
    to.EndStruct();
  }

  static void WriteListSchema(const Column& column, ThriftWriter& to) {
    to.BeginElement();
    to.I32(3, static_cast<std::int32_t>(Repetition::kRequired));
    to.Binary(4, column.name);
    to.I32(5, 1);
    to.I32(6, 3);  // LIST, likewise
    to.BeginStruct(10);
    to.BeginStruct(3);
    to.EndStruct();
    to.EndStruct();
    to.EndStruct();
    to.BeginElement();
    to.I32(3, static_cast<std::int32_t>(Repetition::kRepeated));
    to.Binary(4, "list");
    to.I32(5, 1);
    to.EndStruct();
    WriteLeaf("element", column.kind, Repetition::kOptional, to);
  }

  static void WriteChunkPlace(const Column& column, const ChunkPlace& place, ThriftWriter& to) {
    to.BeginElement();
    to.I64(2, 0);
    to.BeginStruct(3);
    to.I32(1, static_cast<std::int32_t>(TypeOf(column.kind)));
    to.List(2, Wire::kI32, place.has_dictionary ? 3 : 2);
    to.Element(static_cast<std::int32_t>(Encoding::kPlain));
    to.Element(static_cast<std::int32_t>(Encoding::kRle));
    if (place.has_dictionary) to.Element(static_cast<std::int32_t>(Encoding::kRleDictionary));
    to.List(3, Wire::kBinary, column.is_list ? 3 : 1);
    to.Element(column.name);
    if (column.is_list) to.Element(std::string_view("list")), to.Element(std::string_view("element"));
    to.I32(4, static_cast<std::int32_t>(place.is_gzip ? Codec::kGzip : Codec::kUncompressed));
    to.I64(5, static_cast<std::int64_t>(place.values));
    to.I64(6, static_cast<std::int64_t>(place.unpacked));
    to.I64(7, static_cast<std::int64_t>(place.packed));
    to.I64(9, static_cast<std::int64_t>(place.data_offset));
    if (place.has_dictionary) to.I64(11, static_cast<std::int64_t>(place.dictionary_offset));
    place.range.Write(12, place.nulls, column.kind, to);
    to.EndStruct();
    to.EndStruct();
  }

  std::string Footer(const std::vector<std::pair<std::string, std::string>>& metadata) const {
    ThriftWriter to;
    to.I32(1, 2);
    WriteSchema(to);
    to.I64(3, total_rows);
    to.List(4, Wire::kStruct, groups.size());
    for (const Group& group : groups) {
      std::uint64_t unpacked = 0, packed = 0;
      for (const ChunkPlace& place : group.places) unpacked += place.unpacked, packed += place.packed;
      to.BeginElement();
      to.List(1, Wire::kStruct, columns.size());
      for (std::size_t i = 0; i < columns.size(); ++i) WriteChunkPlace(columns[i], group.places[i], to);
      to.I64(2, static_cast<std::int64_t>(unpacked));
      to.I64(3, static_cast<std::int64_t>(group.rows));
      const ChunkPlace& first = group.places.front();
      to.I64(5, static_cast<std::int64_t>(first.has_dictionary ? first.dictionary_offset : first.data_offset));
      to.I64(6, static_cast<std::int64_t>(packed));
      to.EndStruct();
    }
    to.List(5, Wire::kStruct, metadata.size());
    for (const auto& [key, value] : metadata) {
      to.BeginElement();
      to.Binary(1, key);
      to.Binary(2, value);
      to.EndStruct();
    }
    to.Binary(6, options.created_by);
    // Statistics follow the order of their types.
    to.List(7, Wire::kStruct, columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
      to.BeginElement();
      to.BeginStruct(1);
      to.EndStruct();
      to.EndStruct();
    }
    return to.Take();
  }
};

Writer::Writer(std::vector<Column> columns, std::function<void(std::string_view)> write, WriterOptions options)
    : impl_(std::make_unique<Impl>()) {
  if (columns.empty()) throw std::logic_error("parquet: a table has columns");
  if (options.group_rows < 1 || options.page_bytes < 1) throw std::invalid_argument("parquet.group_rows and page_bytes must be >= 1");
  for (const Column& column : columns) {
    if (column.is_list && column.kind != Kind::kFloat) throw std::logic_error("parquet: lists are of floats");
  }
  impl_->chunks = std::vector<Chunk>(columns.size());
  impl_->columns = std::move(columns);
  impl_->write = std::move(write);
  impl_->options = std::move(options);
  impl_->Put(kMagic);
}
Writer::~Writer() = default;

void Writer::Bool(bool value) { impl_->AddNumber(Kind::kBool, value, true); }
void Writer::Int32(std::int32_t value) { impl_->AddNumber(Kind::kInt32, value, true); }
void Writer::Int64(std::int64_t value) { impl_->AddNumber(Kind::kInt64, value, true); }
void Writer::Float(float value) { impl_->AddNumber(Kind::kFloat, value, std::isfinite(value)); }
void Writer::Double(double value) { impl_->AddNumber(Kind::kDouble, value, std::isfinite(value)); }
void Writer::Null() { impl_->Null(); }
void Writer::EndRow() { impl_->EndRow(); }

void Writer::Text(std::string_view text) {
  Chunk& chunk = impl_->Cell(Kind::kText);
  chunk.definitions.push_back(Impl::HighestDefinition(impl_->columns[impl_->next - 1]));
  chunk.TakeText(text);
}

void Writer::Floats(std::span<const float> values) {
  Chunk& chunk = impl_->Cell(Kind::kFloat, true);
  if (values.empty()) throw std::logic_error("parquet: a list has at least one element");
  for (std::size_t i = 0; i < values.size(); ++i) {
    chunk.repetitions.push_back(i > 0 ? 1 : 0);
    const bool is_number = std::isfinite(values[i]);
    chunk.definitions.push_back(is_number ? 2 : 1);
    if (is_number) {
      chunk.Take(values[i]);
    } else {
      ++chunk.nulls;
    }
  }
}

void Writer::Finish(const std::vector<std::pair<std::string, std::string>>& metadata) {
  impl_->EndGroup();
  const std::string footer = impl_->Footer(metadata);
  impl_->Put(footer);
  impl_->Put(Bytes(static_cast<std::uint32_t>(footer.size())));
  impl_->Put(kMagic);
}

}  // namespace auforge::datasets::parquet
