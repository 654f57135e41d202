// auforge query: faces by Action Unit, emotion, keyword, quality, pose, size and source.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>

#include "datasets/export/exporter.h"
#include "datasets/export/face_text.h"
#include "datasets/picture_file.h"
#include "datasets/query/describe.h"
#include "tools/commands.h"
#include "tools/crawl/face_drawing.h"
#include "tools/crawl/face_export.h"
#include "tools/crawl/face_query.h"

namespace auforge::tools {
namespace {

using datasets::query::FaceIndex;
using datasets::query::FaceReference;
using datasets::query::FaceSummary;
using datasets::query::Selection;
using datasets::query::Tally;

constexpr std::uint64_t kListed = 20;
constexpr std::uint64_t kOnSheet = 48;
constexpr std::uint64_t kAtOnce = 10'000;  // faces described at a time

struct QueryArguments {
  IndexArguments index;
  FaceArguments faces;
  bool count = false, list = false, json = false;
  std::string sheet, jsonl, output, table, words;
};

// A text of the crawl on a terminal: nothing of it may move the cursor.
std::string Printable(const std::string& text, std::size_t longest) {
  std::string shown;
  for (const char c : text.substr(0, longest))
    shown += std::iscntrl(static_cast<unsigned char>(c)) != 0 ? ' ' : c;
  return shown;
}

void PrintFace(const FaceIndex& index, const FaceSummary& face) {
  const datasets::query::IndexedShard& shard = index.shards()[face.face.shard];
  std::printf("%s\t%u\t%s\t%s\t%.2f\t", shard.name.c_str(), face.face.face,
              Printable(face.text.key, 60).c_str(), face.emotion.c_str(), static_cast<double>(face.quality));
  bool is_first = true;
  for (std::size_t j = 0; j < face.intensity.size(); ++j) {
    if (face.present[j] == 0) continue;
    std::printf("%sAU%d=%.1f", is_first ? "" : " ", shard.schema.numbers()[j],
                static_cast<double>(face.intensity[j]));
    is_first = false;
  }
  std::printf("\t%s\n", Printable(face.text.caption, 60).c_str());
}

void PrintFaces(const FaceIndex& index, const Selection& selection, std::uint64_t offset,
                std::uint64_t limit) {
  std::puts("shard\tface\tkey\temotion\tquality\tAUs\tcaption");
  for (std::uint64_t done = 0; done < limit;) {
    const auto page = selection.Page(offset + done, std::min(kAtOnce, limit - done));
    if (page.empty()) break;
    for (const FaceSummary& face : Describe(index, page)) PrintFace(index, face);
    done += page.size();
  }
}

void WriteSheet(const FaceIndex& index, const std::vector<FaceReference>& faces, const std::string& path) {
  if (faces.empty()) throw BadInputError("no face was found; nothing to draw on " + path);
  datasets::query::ShardCache cache(index, 2);
  std::vector<cv::Mat> panels(faces.size());
  VisitByShard(cache, faces, [&](std::size_t at, const datasets::ShardReader& shard) {
    panels[at] = DrawFacePanel(shard, faces[at].face, 224);
  });
  datasets::WritePicture(path, TilePanels(panels, 4));
  std::cout << path << ": " << faces.size() << " faces\n";
}

std::vector<std::string> ReadWords(const std::string& path) {
  std::vector<std::string> words;
  if (path.empty()) return words;
  std::ifstream file(path);
  if (!file) throw UsageError("--words " + path + ": cannot be read");
  for (std::string line; std::getline(file, line);) {
    line = line.substr(0, line.find('\t'));  // what `auforge keywords` writes has the definition behind a tab
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) line.pop_back();
    if (!line.empty()) words.push_back(line);
  }
  return words;
}

void PrintTable(const FaceIndex& index, const Selection& selection, const QueryArguments& arguments) {
  const std::uint64_t limit = arguments.faces.limit > 0 ? arguments.faces.limit : 50;
  std::vector<Tally> rows;
  if (arguments.table == "emotions") rows = TallyEmotions(index, selection);
  if (arguments.table == "aus") rows = TallyAus(index, selection);
  if (arguments.table == "keywords") {
    const std::vector<std::string> words = ReadWords(arguments.words);
    rows = TallyKeywords(index, selection, words,
                         arguments.faces.limit > 0 || words.empty() ? limit : words.size());
  }
  const std::string head = arguments.table.substr(0, arguments.table.size() - 1);
  if (arguments.json) {
    std::string text = "[";
    for (const Tally& row : rows) {
      text += (text.size() > 1 ? ",{\"" : "{\"") + head + "\":" + datasets::JsonText(row.name) +
              ",\"images\":" + std::to_string(row.images) + ",\"faces\":" + std::to_string(row.faces) + "}";
    }
    std::cout << text << "]\n";
    return;
  }
  std::cout << head << "\timages\tfaces\n";
  for (const Tally& row : rows)
    std::cout << Printable(row.name, 80) << "\t" << row.images << "\t" << row.faces << "\n";
}

void PrintCount(const FaceIndex& index, const Selection& selection, bool json) {
  if (json) {
    std::cout << "{\"faces\":" << selection.Count() << ",\"of\":" << index.FaceCount() << "}\n";
  } else {
    std::cout << selection.Count() << "\n";
  }
}

int RunQuery(const QueryArguments& arguments) {
  ExpressionOf(arguments.faces);  // a mistake is said before the index is built
  if (!arguments.sheet.empty()) datasets::RequirePictureFile(arguments.sheet);
  if (!arguments.jsonl.empty()) datasets::RequireExportOutput({"jsonl", arguments.jsonl});
  if (!arguments.output.empty()) datasets::RequireExportOutput({"shards", arguments.output});
  const FaceIndex index = OpenIndex(arguments.index);
  const Selection selection = FindFaces(index, arguments.faces);
  const std::uint64_t offset = arguments.faces.offset, limit = arguments.faces.limit;
  const auto page = [&](std::uint64_t otherwise) {
    return selection.Page(offset, limit > 0 ? limit : otherwise);
  };
  bool is_answered = false;
  if (arguments.count) {
    PrintCount(index, selection, arguments.json);
    is_answered = true;
  }
  if (!arguments.table.empty()) {
    PrintTable(index, selection, arguments);
    is_answered = true;
  }
  if (!arguments.sheet.empty()) {
    WriteSheet(index, page(kOnSheet), arguments.sheet);
    is_answered = true;
  }
  if (!arguments.jsonl.empty()) {
    ExportFaces(index, page(selection.Count()), {"jsonl", arguments.jsonl}, true);
    is_answered = true;
  }
  if (!arguments.output.empty()) {
    const auto faces = page(selection.Count());
    if (faces.empty()) throw BadInputError("no face was found; no shard is written to " + arguments.output);
    ExportFaces(index, faces, {"shards", arguments.output}, false);
    std::cout << arguments.output << ": " << faces.size() << " faces\n";
    is_answered = true;
  }
  if (arguments.list || !is_answered) {
    const std::uint64_t shown = limit > 0 ? limit : arguments.list ? selection.Count() : kListed;
    PrintFaces(index, selection, offset, shown);
    if (!arguments.list) std::cout << selection.Count() << " of " << index.FaceCount() << " faces\n";
  }
  return ReportDamage(index, arguments.index);
}

}  // namespace

void AddQuery(Cli& cli) {
  auto arguments = std::make_shared<QueryArguments>();
  Command command =
      cli.Add("query", "Find faces by Action Unit, emotion, keyword, quality, pose, size and source",
              "auforge query shards/ --au 'AU12>=2 & !AU4 & (AU6|AU7)' --count\n"
              "  auforge query shards/ --emotion happiness --keyword anxiety --sheet faces.png\n"
              "  auforge query shards/ --table emotions");
  AddIndexOptions(command, arguments->index);
  AddFaceOptions(command, arguments->faces);
  command.Flag("--count", arguments->count, "print how many faces");
  command.Flag("--list", arguments->list, "print all of them, a line each");
  command.Add("--sheet", arguments->sheet,
              "draw them with landmarks and AUs into this picture, .png, .jpg, … (48 unless --limit says)");
  command.Add("--jsonl", arguments->jsonl, "write a JSON object a line into this file; - for stdout");
  command.Add("-o,--output", arguments->output, "write them as shards into this new folder");
  command.Add("--table", arguments->table, "images and faces for each emotion, AU or keyword")
      .OneOf({"emotions", "aus", "keywords"});
  command.Add("--words", arguments->words,
              "count these keywords (a line each) instead of the captions' own words");
  command.Flag("--json", arguments->json, "counts and tables as JSON");
  command.Run([arguments] { return EndCleanly([&] { return RunQuery(*arguments); }); });
}

}  // namespace auforge::tools
