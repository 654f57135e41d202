// The commands' view of the command line. CLI11 (10 s to compile) stays in cli.cc; a command registers options
// that fill its own struct, and a function that runs it.
//
//   void AddInspect(Cli& cli) {
//     auto options = std::make_shared<InspectOptions>();
//     auto command = cli.Add("inspect", "Say what is in a shard", "auforge inspect out/00000.h5");
//     command.Positional("SHARD", options->paths, "shard files or folders").Required();
//     command.Run([options] { return Inspect(*options); });
//   }
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace auforge::tools {

// Exit codes of every command (ARCHITECTURE: scripts depend on them).
enum ExitCode : int { kDone = 0, kFailed = 1, kUsage = 2, kBadInput = 3 };

// Thrown for wrong usage found after parsing (a value that makes no sense): exit code 2.
struct UsageError : std::exception {
  explicit UsageError(std::string text) : message(std::move(text)) {}
  const char* what() const noexcept override { return message.c_str(); }
  std::string message;
};
// Thrown for input that no retry will mend: exit code 3.
struct BadInputError : std::exception {
  explicit BadInputError(std::string text) : message(std::move(text)) {}
  const char* what() const noexcept override { return message.c_str(); }
  std::string message;
};

class Option {  // a handle; fluent
 public:
  explicit Option(void* impl) : impl_(impl) {}
  Option& Required();
  // Of a number; every one that is not 64 bits from 0 has one. What is no number or outside is wrong usage, and the range
  // is told.
  Option& Range(double low, double high);
  Option& OneOf(std::vector<std::string> choices);
  Option& Hidden();

 private:
  void* impl_;
};

class Command {
 public:
  Command(void* impl, void* runs) : impl_(impl), runs_(runs) {}
  // names: "-o,--output". `value` holds the default and must outlive parsing (capture its owner in Run).
  Option Add(const std::string& names, std::string& value, const std::string& help);
  Option Add(const std::string& names, int& value, const std::string& help);
  Option Add(const std::string& names, std::int64_t& value, const std::string& help);
  Option Add(const std::string& names, std::uint64_t& value, const std::string& help);
  Option Add(const std::string& names, float& value, const std::string& help);
  Option Add(const std::string& names, double& value, const std::string& help);
  Option Add(const std::string& names, std::vector<std::string>& values, const std::string& help);
  Option Flag(const std::string& names, bool& value, const std::string& help);
  Option Positional(const std::string& name, std::vector<std::string>& values, const std::string& help);
  Option Positional(const std::string& name, std::string& value, const std::string& help);
  void Run(std::function<int()> run);
  // A command below this one ("synth faces").
  Command Sub(const std::string& name, const std::string& help, const std::string& example);

 private:
  void* impl_;
  void* runs_;
};

// An option that takes a number, as --help shows it.
struct NumberOption {
  std::string command, name;  // "synth faces", "--count"
  std::string range;          // "1..1e+09"; empty: it has none
};

class Cli {
 public:
  Cli(const std::string& program, const std::string& description);
  ~Cli();
  // help: one line. example: a command line (or several, one a line) shown by --help.
  Command Add(const std::string& name, const std::string& help, const std::string& example);
  // A command that another executable serves ("auforge gan ..." runs auforge-gan beside this program).
  void AddProgram(const std::string& name, const std::string& help, const std::string& program);
  // One command of such a program, under the name that it has there ("auforge train-net ..." runs auforge-gan
  // train-net ...).
  void AddProgramCommand(const std::string& name, const std::string& help, const std::string& program);
  std::vector<NumberOption> Numbers() const;  // of all commands
  // Parses, runs, turns exceptions into a message on stderr and an exit code. Results that could not be written to
  // stdout are a failure. --version is built in.
  int Main(int argc, char** argv);

 private:
  int RunProgram(const std::string& program, char** argv);
  int Run(int argc, char** argv, std::string& prefix);
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Ends the program. After a failure without the libraries' own way out.
[[noreturn]] void Leave(int code);

// Cores that the process may use: affinity, cgroup quota, SLURM_CPUS_PER_TASK where that is a number.
int AvailableCores();
// Throws UsageError naming a variable that AvailableCores reads and that is no number.
void CheckEnvironment();

}  // namespace auforge::tools
