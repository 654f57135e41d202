#include "tools/crawl/face_query.h"

#include <chrono>
#include <iostream>
#include <optional>
#include <sstream>

#include "datasets/seen_faces.h"
#include "features/number.h"
#include "tools/cli/progress.h"
#include "tools/cli/signals.h"

namespace auforge::tools {
namespace {

using datasets::query::Expression;
using datasets::query::ExpressionError;

// One of the texts, which stand between bars, fits.
Expression AnyOf(Expression::Kind kind, const std::string& texts) {
  Expression any;
  std::istringstream alternatives(texts);
  for (std::string text; std::getline(alternatives, text, '|');) {
    Expression term;
    term.kind = kind;
    term.text = text;
    term.column = 0;  // not of --where
    any.children.push_back(term);
  }
  if (any.children.empty()) return {};
  if (any.children.size() == 1) return any.children[0];
  any.kind = Expression::Kind::kOr;
  return any;
}

// "0.5": at least; "0.5..0.9": within.
Expression RangeOf(const std::string& field, const std::string& text) {
  if (text.empty()) return {};
  const std::size_t dots = text.find("..");
  const bool is_range = dots != std::string::npos;
  const bool is_good = features::ParseNumber(std::string_view(text).substr(0, dots)) &&
                       (!is_range || features::ParseNumber(std::string_view(text).substr(dots + 2)));
  try {
    if (is_good) {
      const Expression range = datasets::query::ParseExpression(field + (is_range ? "=" : ">=") + text);
      if (!range.against) return range;
    }
  } catch (const ExpressionError&) {
  }
  throw UsageError("--" + field + " " + text + ": write a number (at least) or a range, as 0.5..0.9");
}

// Shards are opened one after another, as the faces come.
void LeaveOutSeen(const datasets::query::FaceIndex& index, const std::vector<std::string>& except,
                  datasets::query::Selection& selection) {
  const auto stop = [] {
    if (StopSignal() != 0) throw datasets::query::QueryStopped("stopped; nothing was written");
  };
  datasets::SeenFaces seen;
  for (const std::string& path : datasets::FindShards(except)) {
    stop();
    seen.Add(datasets::ShardReader(path));
  }
  std::optional<datasets::ShardReader> open;
  std::uint32_t at = 0;
  selection.Remove([&](datasets::query::FaceReference face) {
    if (!open || at != face.shard) {
      stop();
      open.emplace(index.ShardPath(face.shard));
      at = face.shard;
    }
    return seen.Has(*open, face.face);
  });
}

}  // namespace

void AddIndexOptions(Command& command, IndexArguments& arguments) {
  command.Positional("DIR", arguments.folder, "folder of finished shards").Required();
  command.Add("--index", arguments.index,
              "file of the index; default: auforge-index.sqlite beside the shards");
  command.Flag("--rebuild", arguments.rebuild, "make the index anew");
  command.Flag("--skip-damaged", arguments.skip_damaged, "damaged shards do not make the exit status 3");
  command.Flag("-q,--quiet", arguments.quiet, "no progress");
}

datasets::query::FaceIndex OpenIndex(const IndexArguments& arguments) {
  InstallStopSignals();
  ProgressLine line("index", arguments.quiet);
  const auto start = std::chrono::steady_clock::now();
  datasets::query::IndexOptions options;
  options.file = arguments.index;
  options.rebuild = arguments.rebuild;
  options.stop = [] { return StopSignal() != 0; };
  options.notice = [](const std::string& text) { std::cerr << text << "\n"; };
  options.progress = [&](std::size_t done, std::size_t shards, std::uint64_t faces) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    line.Update(done, shards, seconds.count(), "shards", ", " + std::to_string(faces) + " faces");
  };
  datasets::query::FaceIndex index(arguments.folder, options);
  line.Finish();
  if (!index.note().empty() && !arguments.quiet) std::cerr << index.note() << "\n";
  return index;
}

int ReportDamage(const datasets::query::FaceIndex& index, const IndexArguments& arguments) {
  bool is_damaged = false, is_unread = false;
  for (const datasets::query::LeftOutShard& shard : index.left_out()) {
    std::cerr << shard.fault << "; left out" << (shard.is_damaged ? " (auforge verify says more)" : "") << "\n";
    (shard.is_damaged ? is_damaged : is_unread) = true;
  }
  if (is_damaged && !arguments.skip_damaged) return kBadInput;
  return is_unread ? kFailed : kDone;
}

void AddFaceOptions(Command& command, FaceArguments& arguments) {
  command.Add("-w,--where,--au", arguments.where,
              "which faces: 'AU12>=2 & !AU4 & (AU6|AU7)', 'AU6.probability>0.8 & yaw=-15..15'");
  command.Add("--emotion", arguments.emotion,
              "happiness, \"happily surprised\", 'happily*'; 'happy|fearful': one of them");
  command.Add("--keyword", arguments.keyword,
              "words of the caption, next to each other; anx* for a beginning");
  command.Add("--source", arguments.source,
              "part of the source shard's name, the key or the URL; or a pattern with *");
  command.Add("--quality", arguments.quality, "at least, or a range 0.5..1");
  command.Add("--size", arguments.size, "width of the face in pixels: at least, or a range 80..200");
  command.Add("--pose", arguments.pose, "most degrees of yaw and pitch; 0: any").Range(0, 180);
  command.Add("--sort", arguments.sort,
              "AU12, quality, size, … (highest first; +AU12: lowest first), random or random:SEED");
  command.Add("--except", arguments.except,
              "shards or folders of them: leave out faces of the same image, or with the same crop, as one in these");
  command.Add("--offset", arguments.offset, "faces to pass over").Range(0, 1e15);
  command.Add("--limit", arguments.limit, "most faces to give; 0: as many as the output is meant for").Range(0, 1e15);
}

Expression ExpressionOf(const FaceArguments& arguments) {
  Expression all;
  try {
    all = datasets::query::ParseExpression(arguments.where);
  } catch (const ExpressionError& error) {
    throw UsageError("--where is not understood\n" + Explain(arguments.where, error));
  }
  all = And(std::move(all), AnyOf(Expression::Kind::kEmotion, arguments.emotion));
  all = And(std::move(all), AnyOf(Expression::Kind::kKeyword, arguments.keyword));
  all = And(std::move(all), AnyOf(Expression::Kind::kSource, arguments.source));
  all = And(std::move(all), RangeOf("quality", arguments.quality));
  all = And(std::move(all), RangeOf("size", arguments.size));
  if (arguments.pose > 0) {
    const std::string range = "=-" + std::to_string(arguments.pose) + ".." + std::to_string(arguments.pose);
    all = And(std::move(all), datasets::query::ParseExpression("yaw" + range + " & pitch" + range));
  }
  return all;
}

datasets::query::Selection FindFaces(const datasets::query::FaceIndex& index,
                                     const FaceArguments& arguments) {
  const Expression expression = ExpressionOf(arguments);
  datasets::query::Order order;
  try {
    order = datasets::query::ParseOrder(arguments.sort);
  } catch (const ExpressionError& error) {
    throw UsageError("--sort " + arguments.sort + ": " + error.what());
  }
  try {
    auto selection = Find(index, expression, order, [] { return StopSignal() != 0; });
    if (selection.UnmeasuredShards() > 0) {
      std::cerr << selection.UnmeasuredShards()
                << " shards do not have what was asked for (an AU, halves, hashes) and are left out\n";
    }
    if (!arguments.except.empty()) LeaveOutSeen(index, arguments.except, selection);
    return selection;
  } catch (const ExpressionError& error) {
    // Of an option of its own (--emotion, --sort) when it points nowhere in --where.
    throw UsageError(error.column == 0 || arguments.where.empty()
                         ? error.what()
                         : "--where is not understood\n" + Explain(arguments.where, error));
  }
}

int EndCleanly(const std::function<int()>& work) {
  try {
    return work();
  } catch (const datasets::query::QueryStopped& stop) {
    if (StopSignal() == 0) throw;
    std::cerr << stop.what() << "\n";
    return kDone;
  }
}

}  // namespace auforge::tools
