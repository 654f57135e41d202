// auforge annotate: images in, labelled shards out.
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "annotator/recalibrate.h"
#include "datasets/storage/child_groups.h"
#include "datasets/storage/temporary_files.h"
#include "pipeline/annotate.h"
#include "pipeline/resume.h"
#include "tools/commands.h"
#include "tools/annotate/annotate_live.h"
#include "tools/au/au_data.h"
#include "tools/au/photo_features.h"
#include "tools/cli/progress.h"
#include "tools/annotate/rank.h"
#include "tools/cli/signals.h"
#include "tools/cli/stop_deadline.h"

namespace auforge::tools {
namespace {

struct AnnotateArguments {
  pipeline::AnnotateOptions options;
  LiveArguments live;
  bool quiet = false;
  bool json = false;
  bool profile = false;
  bool full_size = false;
  bool no_crops = false;
  std::vector<std::string> neutral;
  std::uint64_t shard_size = 10000;
  int index = -1;
  int count = -1;
};

nlohmann::json ToJson(const pipeline::AnnotateSummary& summary) {
  nlohmann::json stages;
  for (std::size_t i = 0; i < pipeline::kStageCount; ++i) {
    stages[pipeline::StageName(static_cast<pipeline::Stage>(i))] = summary.stage_seconds[i];
  }
  nlohmann::json left_out = nlohmann::json::object();
  for (const auto& [kind, left] : summary.notes.left_out) left_out[kind] = left.count;
  nlohmann::json crawl = nlohmann::json::object();
  for (const auto& [status, tried] : summary.notes.crawl) crawl[status] = tried.count;
  nlohmann::json failed = nlohmann::json::array();
  for (const pipeline::FailedInput& input : summary.failed) failed.push_back({{"input", input.name}, {"message", input.fault}});
  return {{"images", summary.images},
          {"faces", summary.faces},
          {"metadata",
           {{"read", summary.notes.metadata},
            {"damaged", summary.notes.damaged_metadata},
            {"without_image", summary.notes.lone_metadata}}},
          {"left_out", left_out},
          {"crawl", crawl},
          {"status", summary.by_status},
          {"shards_written", summary.shards_written},
          {"shards_skipped", summary.shards_skipped},
          {"failed", failed},
          {"duplicates", summary.duplicates},
          {"near_duplicates", summary.near_duplicates},
          {"seconds", summary.seconds},
          {"stage_seconds", stages},
          {"stopped", summary.stopped}};
}

// "5 success, 1 failed_to_download (HTTP Error 404: Not Found)"
std::string CrawlText(const datasets::SideNotes& notes) {
  std::string text;
  for (const auto& [status, tried] : notes.crawl) {
    text += (text.empty() ? "" : ", ") + std::to_string(tried.count) + " " + status;
    if (!tried.example.empty()) text += " (" + tried.example + (tried.count > 1 ? ", …)" : ")");
  }
  return text;
}

// What had no row, a line each.
void PrintNotes(const datasets::SideNotes& notes) {
  if (notes.damaged_metadata + notes.lone_metadata > 0) {
    std::cout << "  captions and records: " << notes.metadata << ", of which " << notes.damaged_metadata
              << " could not be read wholly and " << notes.lone_metadata << " belong to no image\n";
  }
  if (!notes.crawl.empty()) std::cout << "  what the crawl tried: " << CrawlText(notes) << "\n";
  if (notes.unread_tables.count > 0) {
    std::cout << "  crawl tables that could not be read: " << notes.unread_tables.count << " (" << notes.unread_tables.example
              << (notes.unread_tables.count > 1 ? ", …)\n" : ")\n");
  }
  if (!notes.left_out.empty()) std::cout << "  left out, no pictures: " << notes.LeftOutText() << "\n";
}

void PrintSummary(const pipeline::AnnotateSummary& summary, const std::string& output) {
  if (summary.shards_written == 0 && summary.shards_skipped > 0 && !summary.stopped && summary.failed.empty()) {
    std::cout << "nothing to do: all " << summary.shards_skipped << " shards in " << output
              << " are finished\n";
    return;
  }
  std::cout << summary.images << " images, " << summary.faces << " faces in " << Duration(summary.seconds)
            << " (" << static_cast<int>(static_cast<double>(summary.images) / summary.seconds + 0.5)
            << " images/s)\n";
  for (const auto& [status, count] : summary.by_status) std::cout << "  " << status << ": " << count << "\n";
  if (summary.duplicates > 0)
    std::cout << "  of these with the bytes of an earlier one: " << summary.duplicates << "\n";
  if (summary.near_duplicates > 0)
    std::cout << "  faces left out as copies of earlier ones: " << summary.near_duplicates << "\n";
  PrintNotes(summary.notes);
  std::cout << summary.shards_written << " shards written to " << output;
  if (summary.shards_skipped > 0) std::cout << ", " << summary.shards_skipped << " were finished before";
  std::cout << "\n";
  if (summary.stopped) std::cout << "stopped early; run the same command again to go on\n";
}

// What is left to do, and the exit status that says so.
int EndOfBatch(const pipeline::AnnotateSummary& summary) {
  if (summary.failed.empty()) return kDone;
  std::cout.flush();
  std::cerr << "auforge annotate: " << summary.failed.size() << (summary.failed.size() == 1 ? " input" : " inputs")
            << " could not be fetched; run the same command again to try anew\n";
  return kFailed;
}

void PrintProfile(const pipeline::AnnotateSummary& summary) {
  double total = 0;
  for (const double seconds : summary.stage_seconds) total += seconds;
  std::printf("%-10s %9s %7s %12s\n", "stage", "CPU s", "share", "ms/image");
  for (std::size_t i = 0; i < pipeline::kStageCount; ++i) {
    const double seconds = summary.stage_seconds[i];
    std::printf("%-10s %9.2f %6.1f%% %12.3f\n", pipeline::StageName(static_cast<pipeline::Stage>(i)), seconds,
                100 * seconds / std::max(total, 1e-9),
                1000 * seconds / static_cast<double>(std::max<std::uint64_t>(summary.images, 1)));
  }
}

// The model, measured from one person's resting face.
std::shared_ptr<const annotator::AuModel> NeutralModel(const AnnotateArguments& arguments) {
  const std::string& path = arguments.options.model;
  const annotator::AuModel model =
      annotator::AuModel::Load(path.empty() ? annotator::DefaultAuModelPath() : path);
  FaceSearch search{.detector = arguments.options.detector,
                    .detector_model = arguments.options.detector_model,
                    .detector_threshold = arguments.options.detector_threshold,
                    .landmarks = arguments.options.landmarks};
  UseLandmarksOf(model, search);
  const PhotoFeatures photos = ExtractPhotos(arguments.neutral, model.info().features, false, search, arguments.options.jobs);
  if (photos.faces == 0)
    throw BadInputError(arguments.neutral.front() + ": no face to take for the resting one");
  return std::make_shared<const annotator::AuModel>(
      annotator::RecalibrateToNeutral(model, photos.rows, photos.picture.size()).model);
}

// What the parser cannot know: which options go together.
void CheckTogether(const AnnotateArguments& arguments) {
  const LiveArguments& live = arguments.live;
  const bool has_inputs = !arguments.options.inputs.empty();
  if (!live.watch.empty() && !live.stream.empty()) throw UsageError("--watch and --stream exclude each other");
  const char* way = !live.watch.empty() ? "--watch" : !live.stream.empty() ? "--stream" : nullptr;
  if (way == nullptr && !has_inputs) throw UsageError("INPUT is required, or --watch DIR, or --stream -");
  if (way != nullptr && has_inputs)
    throw UsageError(arguments.options.inputs.front() + ": " + way + " says where images come from; leave INPUT out");
  if (arguments.options.output.empty() && live.stream.empty()) throw UsageError("--output is required");
  if (way != nullptr && !arguments.options.source.fetch.command.empty())
    throw UsageError(std::string(way) + " reads what comes here; --fetch goes with INPUT");
  if (way != nullptr && (arguments.index >= 0 || arguments.count >= 0))
    throw UsageError(std::string(way) + " is one process; --index and --count share out a crawl that is there");
  if (way == nullptr && live.ChangesCommits())
    throw UsageError("--commit-seconds goes with --watch and --stream; other shards are committed when they are full");
}

// Work that is asked to stop looks up between any two steps of one image; this is for machines on which a
// step takes long.
constexpr std::chrono::milliseconds kStopGrace{2000};
// What is done is committed then, which may be a shard of thousands of faces.
constexpr std::chrono::milliseconds kLiveStopGrace{8000};

int RunLive(AnnotateArguments& arguments) {
  const StopDeadline deadline(kLiveStopGrace, [] {
    datasets::storage::RemoveTemporaryFiles();
    std::fputs("auforge: stopped before all that was done was committed; run the same command again to go on\n", stderr);
  });
  pipeline::AnnotateSummary summary;
  try {
    summary = AnnotateLive(arguments.options, arguments.live, arguments.quiet, arguments.json);
  } catch (const pipeline::ConfigMismatch& error) {
    throw BadInputError(error.what());
  }
  // The standard output of --stream is its answers' alone.
  if (!arguments.live.stream.empty()) {
    if (!arguments.quiet)
      std::cerr << summary.images << " images, " << summary.faces << " faces in " << Duration(summary.seconds) << "\n";
  } else if (arguments.json) {
    std::cout << ToJson(summary).dump() << "\n";
  } else {
    PrintSummary(summary, arguments.options.output);
    if (arguments.profile) PrintProfile(summary);
  }
  return kDone;
}

int RunBatch(AnnotateArguments& arguments) {
  const StopDeadline deadline(kStopGrace, [] {
    datasets::storage::RemoveTemporaryFiles();
    datasets::storage::EndChildGroups();
    std::fputs("auforge: stopped; run the same command again to go on\n", stderr);
  });
  const Rank rank = ResolveRank(arguments.index, arguments.count);
  arguments.options.index = rank.index;
  arguments.options.count = rank.count;
  if (!rank.source.empty() && !arguments.quiet) {
    std::cerr << "annotate: process " << rank.index << " of " << rank.count << " (" << rank.source << ")\n";
  }
  ProgressLine line("annotate", arguments.quiet);
  const auto report = [&line](const pipeline::AnnotateProgress& progress) {
    line.Update(progress.images, progress.images_expected, progress.seconds, "images",
                ", " + std::to_string(progress.faces) + " faces, " + std::to_string(progress.shards) +
                    " of " + std::to_string(progress.shards_expected) + " shards");
  };
  arguments.options.notice = [](const std::string& text) { std::cerr << text << "\n"; };
  pipeline::AnnotateSummary summary;
  try {
    summary = pipeline::Annotate(arguments.options, report, [] { return StopSignal() != 0; });
  } catch (const pipeline::ConfigMismatch& error) {
    throw BadInputError(error.what());
  }
  line.Finish();
  if (arguments.json) {
    std::cout << ToJson(summary).dump() << "\n";
  } else {
    PrintSummary(summary, arguments.options.output);
    if (arguments.profile) PrintProfile(summary);
  }
  return EndOfBatch(summary);
}

int RunAnnotate(AnnotateArguments& arguments) {
  CheckTogether(arguments);
  InstallStopSignals();
  arguments.options.reduce = !arguments.full_size;
  arguments.options.store_crops = !arguments.no_crops;
  arguments.options.source.shard_size = static_cast<std::size_t>(arguments.shard_size);
  if (!arguments.neutral.empty()) arguments.options.ready_model = NeutralModel(arguments);
  return arguments.live.IsAsked() ? RunLive(arguments) : RunBatch(arguments);
}

}  // namespace

void AddAnnotate(Cli& cli) {
  auto arguments = std::make_shared<AnnotateArguments>();
  pipeline::AnnotateOptions& options = arguments->options;
  options.jobs = AvailableCores();
  Command command = cli.Add("annotate", "Label every face of images, folders, lists, tars and videos; write shards",
                            "auforge annotate photos/ -o shards/\n"
                            "  auforge annotate 'crawl/{00000..00099}.tar' -o shards/ --min-face 60\n"
                            "  auforge annotate --fetch 'curl -sf {}' 'https://host/{00000..00099}.tar' -o shards/\n"
                            "  auforge annotate --watch incoming/ -o shards/\n"
                            "  ls photos/*.jpg | auforge annotate --stream - > faces.jsonl");
  command.Positional("INPUT", options.inputs,
                     "image files, folders, @list files (- for a list on stdin), .tar archives with braces, videos, and with "
                     "--fetch addresses (https://…, s3://…) of archives and pictures; required but for --watch and --stream");
  command.Add("-o,--output", options.output,
              "folder for the shards; run again to go on. Required but for --stream");
  command.Add("--fetch", options.source.fetch.command,
              "a shell command that writes an address ({}, which is quoted) to stdout: 'curl -sf {}', 'aws s3 cp {} -'. "
              "Its failure is that of its input, which the next run tries again");
  command.Add("--fetch-seconds", options.source.fetch.seconds, "longest wait for the next byte of it").Range(1, 86400);
  command.Add("--watch", arguments->live.watch,
              "a folder: label the pictures that are there, then those that come, until a signal ends it");
  command.Add("--stream", arguments->live.stream,
              "- (stdin), a FIFO or a file of requests: paths, one a line, or images, each after its length as 8 bytes, "
              "most significant first; a line of JSON for each on stdout, in order");
  command
      .Add("--commit-seconds", arguments->live.commit_seconds,
           "with --watch and --stream: a shard is written when its first image is so old")
      .Range(0.1, 86400);
  command.Add("--model", options.model, "AU model; default: the one that comes with auforge");
  command.Add(
      "--neutral", arguments->neutral,
      "pictures of the one person shown, at rest, or frames whose median is: AUs are measured from there");
  command.Add("--landmarks", options.landmarks, "auforge, dlib[:FILE] or FILE; default: that of the AU model, dlib's being Debian's libdlib-data");
  command.Flag("--dense", options.dense, "find lids, lips and irises by denser points, too: /faces/landmarks_dense");
  command.Add("-j,--jobs", options.jobs, "threads").Range(1, 1024);
  command
      .Add("--min-face", options.min_face,
           "smallest face to look for, pixels; 40 takes 4 times as long as 80")
      .Range(20, 2000);
  command.Add("--detector", options.detector, "auforge: turned and small faces, too; hog: dlib's, frontal faces; yunet: OpenCV's, needs --detector-model");
  command.Add("--detector-model", options.detector_model, "yunet's file, face_detection_yunet_2022mar.onnx, or another net of auforge's");
  command.Add("--detector-threshold", options.detector_threshold,
              "added to the detector's own (auforge, yunet: .55 of 1; hog: 0); higher: surer faces").Range(-10, 10);
  command.Add("--min-quality", options.min_quality, "leave out faces of lower quality").Range(0, 1);
  command.Add("--crop-size", options.crop.size, "side of the stored crops, pixels").Range(16, 2048);
  command.Add("--jpeg-quality", options.jpeg_quality, "of the stored crops").Range(1, 100);
  command.Add("--shard-size", arguments->shard_size, "images a shard, for folders and lists")
      .Range(1, 10'000'000);
  command.Add("--max-pixels", options.decode.max_pixels, "images with more pixels are not decoded").Range(1, 1 << 30);
  command.Add("--max-bytes", options.source.max_bytes, "image files of more bytes are not read").Range(1, 1e12);
  command.Flag("--full-size", arguments->full_size,
               "decode every JPEG at full size, even where --min-face needs less");
  command.Flag("--no-crops", arguments->no_crops,
               "store no face pictures: labels, points and poses only");
  command.Flag("--skip-duplicates", options.skip_duplicates,
               "images with the bytes of an earlier one get no faces");
  command.Flag("--skip-near-duplicates", options.skip_near_duplicates,
               "faces that are copies of an earlier one (scaled, compressed or cut otherwise) are left out");
  command.Add("--index", arguments->index,
              "do shards i with i mod count = index; -1: from Slurm, Kubernetes or OpenMPI")
      .Range(-1, 1'000'000'000);
  command.Add("--count", arguments->count, "number of processes that share the work; -1: likewise")
      .Range(-1, 1'000'000'000);
  command.Flag("--profile", arguments->profile, "print where the time went");
  command.Flag("--json", arguments->json, "print the summary as JSON");
  command.Flag("-q,--quiet", arguments->quiet, "no progress");
  command.Run([arguments] { return RunAnnotate(*arguments); });
}

}  // namespace auforge::tools
