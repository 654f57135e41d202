// auforge serve: the explorer of a folder of shards, in a browser on this machine.
#include <chrono>
#include <filesystem>
#include <iostream>
#include <memory>
#include <thread>

#include "tools/commands.h"
#include "tools/crawl/edit_process.h"
#include "tools/crawl/explorer.h"
#include "tools/crawl/face_query.h"
#include "tools/crawl/serve_http.h"
#include "tools/cli/signals.h"
#include "tools/cli/streams.h"

namespace auforge::tools {
namespace {

struct ServeArguments {
  IndexArguments index;
  HttpOptions http;
  std::string edit, checkpoint;
  double query_seconds = 10;
};

int RunServe(const ServeArguments& arguments) {
  if (arguments.http.bind.empty()) throw UsageError("--bind is empty; name an address to listen on, as 127.0.0.1");
  const datasets::query::FaceIndex index = OpenIndex(arguments.index);
  ReportDamage(index, arguments.index);  // served without them
  std::unique_ptr<FaceEditor> editor;
  if (!arguments.edit.empty() || !arguments.checkpoint.empty()) editor = StartEditor(arguments.edit, arguments.checkpoint);
  ExplorerOptions options;
  std::error_code unknown;
  options.title = std::filesystem::weakly_canonical(arguments.index.folder, unknown).filename().string();
  options.longest_query =
      std::chrono::milliseconds(static_cast<std::int64_t>(1000 * arguments.query_seconds));
  const Explorer explorer(index, editor.get(), options);
  HttpServer server(arguments.http,
                    [&explorer](const HttpRequest& request) { return explorer.Handle(request); });
  std::cout << server.Url() << std::endl;
  if (!std::cout) throw std::runtime_error(kStdoutFault);  // nobody would learn the address
  if (!arguments.index.quiet) {
    for (const std::string& url : server.OtherUrls()) std::cerr << "from other machines: " << url << "\n";
  }
  if (!arguments.index.quiet) std::cerr << index.FaceCount() << " faces; Ctrl-C ends\n";
  std::jthread watch([&server](const std::stop_token& stop) {
    while (!stop.stop_requested() && StopSignal() == 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    server.Stop();
  });
  server.Run();
  return kDone;
}

}  // namespace

void AddServe(Cli& cli) {
  auto arguments = std::make_shared<ServeArguments>();
  Command command = cli.Add("serve", "Explore a folder of shards in a browser on this machine",
                            "auforge serve shards/ --port 8080\n"
                            "  auforge serve shards/ --edit warp            with a panel that edits faces");
  AddIndexOptions(command, arguments->index);
  command.Add("--port", arguments->http.port, "port; 0: a free one, which is printed").Range(0, 65535);
  command.Add("--bind", arguments->http.bind,
              "address to listen on; anything but loopback shows the faces to others");
  command.Add("--allow-host", arguments->http.allowed_hosts, "further names by which browsers may ask");
  command.Add("--edit", arguments->edit, "faces can be edited, by this method of gan edit").OneOf({"warp", "generator"});
  command.Add("--checkpoint", arguments->checkpoint,
              "a trained generator (a run's folder): faces can be edited with it");
  command.Add("--query-seconds", arguments->query_seconds, "longest time of one question").Range(0.01, 3600);
  command.Run([arguments] { return EndCleanly([&] { return RunServe(*arguments); }); });
}

}  // namespace auforge::tools
