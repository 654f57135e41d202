#include "tools/crawl/explorer.h"

#include <algorithm>
#include <cmath>
#include <list>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>

#include "datasets/export/face_text.h"
#include "datasets/query/describe.h"
#include "datasets/query/search.h"
#include "features/number.h"
#include "tools/crawl/face_drawing.h"
#include "tools/crawl/internal/explorer_json.h"
#include "tools/crawl/web_files.h"

namespace auforge::tools {
namespace {

// A number in an address: the page writes neither blanks nor signs, so nobody else's are guessed at.
std::optional<std::uint64_t> DigitsAlone(std::string_view text, std::uint64_t most) {
  if (text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  return features::ParseCount(text, most);
}

using datasets::query::Expression;
using datasets::query::ExpressionError;
using datasets::query::FaceIndex;
using datasets::query::FaceReference;
using datasets::query::Selection;
using nlohmann::json;

constexpr std::uint64_t kLongestPage = 200;  // faces in one answer
constexpr std::size_t kMostPicked = 2000;    // faces chosen by hand in one download
constexpr std::uint64_t kFacesAChunk = 200;  // of a download

constexpr const char* kIcon =
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><circle cx='8' cy='8' r='7' fill='#d96b1f'/>"
    "<path d='M4 9q4 4 8 0' stroke='#fff' stroke-width='1.6' fill='none'/><circle cx='5.5' cy='6' r='1' "
    "fill='#fff'/>"
    "<circle cx='10.5' cy='6' r='1' fill='#fff'/></svg>";

HttpResponse Json(const json& value, int status = 200) {
  HttpResponse response;
  response.status = status;
  response.body = value.dump(-1, ' ', false, json::error_handler_t::replace);
  return response;
}

HttpResponse Fault(int status, const std::string& message, std::size_t column = 0) {
  json fault{{"error", message}};
  if (column > 0) fault["column"] = column;
  return Json(fault, status);
}

HttpResponse Text(std::string_view text, const char* type) {
  HttpResponse response;
  response.type = type;
  response.body = text;
  return response;
}

struct BadRequest : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace

void ExplorerOptions::Validate() const {
  if (longest_query.count() < 1) throw std::invalid_argument("explorer.longest_query: must be > 0");
  if (kept_selections < 1) throw std::invalid_argument("explorer.kept_selections = 0; must be >= 1");
}

struct Explorer::Impl {
  Impl(const FaceIndex& i, FaceEditor* e, const ExplorerOptions& o)
      : index(i), editor(e), options(o), shards(i, 8) {}

  const FaceIndex& index;
  FaceEditor* editor;
  ExplorerOptions options;
  mutable datasets::query::ShardCache shards;
  mutable std::mutex mutex;
  // Latest first: question and order, and what was found.
  mutable std::list<std::pair<std::string, std::shared_ptr<const Selection>>> kept;
  mutable std::list<std::pair<std::string, HttpResponse>> tables;

  std::shared_ptr<const Selection> Select(const HttpRequest& request) const {
    const std::string where = request.Get("q"), sort = request.Get("sort");
    const std::string name = sort + "\n" + where;
    {
      const std::lock_guard lock(mutex);
      const auto found =
          std::find_if(kept.begin(), kept.end(), [&](const auto& entry) { return entry.first == name; });
      if (found != kept.end()) {
        kept.splice(kept.begin(), kept, found);
        return found->second;
      }
    }
    const auto deadline = std::chrono::steady_clock::now() + options.longest_query;
    const Expression expression = datasets::query::ParseExpression(where);
    auto selection = std::make_shared<const Selection>(
        Find(index, expression, datasets::query::ParseOrder(sort),
             [deadline] { return std::chrono::steady_clock::now() > deadline; }));
    const std::lock_guard lock(mutex);
    kept.emplace_front(name, selection);
    const auto bytes = [this] {
      std::size_t sum = 0;
      for (const auto& entry : kept) sum += entry.second->MemoryBytes();
      return sum;
    };
    while (kept.size() > 1 && (kept.size() > options.kept_selections || bytes() > options.kept_bytes))
      kept.pop_back();
    return selection;
  }

  FaceReference Face(const std::string& shard, const std::string& face) const {
    const auto s = DigitsAlone(shard, index.shards().empty() ? 0 : index.shards().size() - 1);
    if (!s || index.shards().empty()) throw BadRequest("no such shard");
    const std::uint32_t faces = index.shards()[*s].faces;
    const auto f = DigitsAlone(face, faces == 0 ? 0 : faces - 1);
    if (!f || faces == 0) throw BadRequest("no such face");
    return {static_cast<std::uint32_t>(*s), static_cast<std::uint32_t>(*f)};
  }

  HttpResponse Faces(const HttpRequest& request) const {
    const auto offset = DigitsAlone(request.Get("offset", "0"), ~std::uint64_t{0}),
               limit = DigitsAlone(request.Get("limit", "60"), kLongestPage);
    if (!offset || !limit)
      throw BadRequest("offset and limit are whole numbers; limit at most " + std::to_string(kLongestPage));
    const auto selection = Select(request);
    json faces = json::array();
    for (const auto& summary : Describe(index, selection->Page(*offset, *limit)))
      faces.push_back(SummaryJson(index, summary));
    return Json({{"count", selection->Count()},
                 {"unmeasured_shards", selection->UnmeasuredShards()},
                 {"faces", faces}});
  }

  HttpResponse OneFace(const HttpRequest& request) const {
    const FaceReference face = Face(request.Get("shard"), request.Get("face"));
    return Json(FaceDetailJson(*shards.Open(face.shard), face));
  }

  HttpResponse Crop(const HttpRequest& request) const {
    const FaceReference face = Face(request.Get("shard"), request.Get("face"));
    const auto shard = shards.Open(face.shard);
    const std::vector<std::uint8_t> bytes =
        shard->header().has_crops ? shard->FaceImage(face.face) : PointsPicture(*shard, face.face);
    HttpResponse response;
    response.type = bytes.size() > 1 && bytes[0] == 0x89 ? "image/png" : "image/jpeg";
    response.body.assign(bytes.begin(), bytes.end());
    response.may_be_kept = true;
    return response;
  }

  // A table of a large crawl takes a second and is asked for again whenever a filter is turned off.
  HttpResponse Table(const HttpRequest& request) const {
    const std::string name = request.Get("table") + "\n" + request.Get("q");
    {
      const std::lock_guard lock(mutex);
      const auto found =
          std::find_if(tables.begin(), tables.end(), [&](const auto& entry) { return entry.first == name; });
      if (found != tables.end()) {
        tables.splice(tables.begin(), tables, found);
        return found->second;
      }
    }
    const HttpResponse response = MakeTable(request);
    const std::lock_guard lock(mutex);
    tables.emplace_front(name, response);
    if (tables.size() > 4 * options.kept_selections) tables.pop_back();
    return response;
  }

  HttpResponse MakeTable(const HttpRequest& request) const {
    const auto selection = Select(request);
    const std::string table = request.Get("table");
    const auto deadline = std::chrono::steady_clock::now() + options.longest_query;
    const auto late = [deadline] { return std::chrono::steady_clock::now() > deadline; };
    std::vector<datasets::query::Tally> rows;
    if (table == "emotions")
      rows = TallyEmotions(index, *selection);
    else if (table == "aus")
      rows = TallyAus(index, *selection);
    else if (table == "keywords")
      rows = TallyKeywords(index, *selection, {}, 60, late);
    else
      throw BadRequest("table is emotions, aus or keywords");
    json list = json::array();
    for (const auto& row : rows)
      list.push_back({{"name", row.name}, {"images", row.images}, {"faces", row.faces}});
    return Json(list);
  }

  // "3:17,3:19": shard and face of each.
  std::vector<FaceReference> Picked(const std::string& text) const {
    std::vector<FaceReference> faces;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t comma = std::min(text.find(',', at), text.size());
      const std::string one = text.substr(at, comma - at);
      const std::size_t colon = one.find(':');
      if (colon == std::string::npos) throw BadRequest("a face is written SHARD:FACE");
      faces.push_back(Face(one.substr(0, colon), one.substr(colon + 1)));
      if (faces.size() > kMostPicked)
        throw BadRequest("at most " + std::to_string(kMostPicked) + " faces can be picked by hand");
      at = comma + 1;
    }
    return faces;
  }

  HttpResponse Download(const HttpRequest& request) const {
    const bool is_csv = request.Get("format", "jsonl") == "csv";
    if (!is_csv && request.Get("format", "jsonl") != "jsonl") throw BadRequest("format is csv or jsonl");
    const bool is_picked = request.is_post;
    const auto picked = is_picked ? Picked(request.body) : std::vector<FaceReference>{};
    const auto selection = is_picked ? nullptr : Select(request);
    HttpResponse response;
    response.type = is_csv ? "text/csv; charset=utf-8" : "application/x-ndjson";
    response.file_name = is_csv ? "faces.csv" : "faces.jsonl";
    response.stream = [this, is_csv, picked, selection, at = std::uint64_t{0}, halves = false](std::string& text) mutable {
      const auto faces =
          selection != nullptr
              ? selection->Page(at, kFacesAChunk)
              : std::vector<FaceReference>(
                    picked.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(at, picked.size())),
                    picked.begin() + static_cast<std::ptrdiff_t>(
                                         std::min<std::uint64_t>(at + kFacesAChunk, picked.size())));
      if (is_csv && at == 0 && !index.shards().empty()) {
        const auto& first = index.shards()[faces.empty() ? 0 : faces[0].shard];
        halves = first.has_halves;
        text += datasets::FaceCsvHeader(first.schema, halves) + "\r\n";
      }
      std::vector<std::string> lines(faces.size());
      VisitByShard(shards, faces, [&](std::size_t i, const datasets::ShardReader& shard) {
        lines[i] = is_csv ? datasets::FaceCsvRow(shard, faces[i].face, halves) + "\r\n"
                          : datasets::FaceJson(shard, faces[i].face) + "\n";
      });
      for (const std::string& line : lines) text += line;
      at += faces.size();
      return faces.size() == kFacesAChunk;
    };
    return response;
  }

  HttpResponse Edit(const HttpRequest& request) const {
    if (editor == nullptr) return Fault(404, "no editor: start with --edit warp or --checkpoint RUN");
    const FaceReference face = Face(request.Get("shard"), request.Get("face"));
    const json wanted = json::parse(request.body, nullptr, false);
    if (!wanted.is_object()) throw BadRequest("the body is an object of AUs, {\"AU12\": 3.5}");
    std::vector<std::pair<int, float>> aus;
    for (const auto& [name, value] : wanted.items()) {
      const auto au = features::ParseAu(name);
      const std::vector<int> known = editor->Aus();
      if (!au || std::find(known.begin(), known.end(), *au) == known.end())
        throw BadRequest(name.substr(0, 20) + " is not an AU of the generator");
      if (!value.is_number() || !(value.get<double>() >= 0 && value.get<double>() <= 5))
        throw BadRequest(name.substr(0, 20) + ": an intensity is 0..5");
      aus.emplace_back(*au, value.get<float>());
    }
    const auto shard = shards.Open(face.shard);
    if (!shard->header().has_crops)
      throw BadRequest(shard->path() + ": has no face pictures to edit (annotate --no-crops stored none)");
    std::vector<std::pair<int, float>> shown;
    const auto& numbers = shard->header().schema.numbers();
    for (std::size_t j = 0; j < numbers.size(); ++j)
      shown.emplace_back(numbers[j], shard->AuIntensity()[face.face * numbers.size() + j]);
    HttpResponse response;
    response.type = "image/png";
    response.body = editor->Edit(shard->FaceImage(face.face), shown, aus);
    return response;
  }

  HttpResponse Route(const HttpRequest& request) const {
    const std::string& path = request.path;
    if (path == "/api/edit" && request.is_post) return Edit(request);
    if (path == "/api/download") return Download(request);
    if (request.is_post) return Fault(405, "only GET here");
    if (path == "/" || path == "/index.html") return Text(WebPage(), "text/html; charset=utf-8");
    if (path == "/app.js") return Text(WebScript(), "text/javascript; charset=utf-8");
    if (path == "/style.css") return Text(WebStyle(), "text/css; charset=utf-8");
    if (path == "/favicon.ico") return Text(kIcon, "image/svg+xml");
    if (path == "/api/info")
      return Json(InfoJson(index, options.title, editor != nullptr ? editor->Aus() : std::vector<int>{}));
    if (path == "/api/faces") return Faces(request);
    if (path == "/api/face") return OneFace(request);
    if (path == "/api/crop") return Crop(request);
    if (path == "/api/table") return Table(request);
    return Fault(404, "nothing here");
  }
};

Explorer::Explorer(const FaceIndex& index, FaceEditor* editor, const ExplorerOptions& options) {
  options.Validate();
  impl_ = std::make_unique<Impl>(index, editor, options);
}
Explorer::~Explorer() = default;

HttpResponse Explorer::Handle(const HttpRequest& request) const {
  try {
    return impl_->Route(request);
  } catch (const ExpressionError& error) {
    return Fault(400, error.what(), error.column);
  } catch (const BadRequest& error) {
    return Fault(400, error.what());
  } catch (const datasets::query::QueryStopped& error) {
    return Fault(503, error.what());
  } catch (const std::exception& error) {
    return Fault(500, error.what());
  }
}

}  // namespace auforge::tools
