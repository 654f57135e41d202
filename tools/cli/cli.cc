#include "tools/cli/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <limits>
#include <map>
#include <set>
#include <string_view>
#include <type_traits>
#include <unistd.h>

#include "datasets/storage/bad_content.h"
#include "datasets/storage/installed.h"
#include "datasets/storage/memory_fault.h"
#include "features/number.h"
#include "tools/cli/internal/describe.h"
#include "tools/cli/memory.h"
#include "tools/cli/signals.h"
#include "tools/cli/streams.h"
#include "tools/cli/version.h"

namespace auforge::tools {
namespace {

// Kilobytes of address space that the programs beside this one, which link LibTorch, need to start at all.
constexpr unsigned long kLeastOfPrograms = 640'000;

// For tools/manuals, and no part of the command line that users see.
constexpr std::string_view kDescribe = "--describe-commands";

using Runs = std::map<CLI::App*, std::function<int()>>;

CLI::Option* Cast(void* impl) { return static_cast<CLI::Option*>(impl); }
CLI::App* App(void* impl) { return static_cast<CLI::App*>(impl); }

// The range of 64 bits from 0, which need no narrower one: any seed will do.
constexpr const char* kCounts = "0..18446744073709551615";

std::string Canonical(double number) {
  char text[64];
  return {text, std::to_chars(text, text + sizeof(text), number).ptr};
}

// Reads an option's number, writes it back in the one way that CLI11 reads as it was meant, and says what is wrong:
// CLI11 takes 010 for eight, -1 for the largest number and "nan" for one.
template <typename T>
std::string ReadNumber(std::string& text) {
  const std::string given = text;
  if constexpr (std::is_floating_point_v<T>) {
    const auto number = features::ParseNumber(text);
    if (!number || std::abs(*number) > std::numeric_limits<T>::max()) return given + " is not a number";
    text = Canonical(*number);
  } else if constexpr (std::is_unsigned_v<T>) {
    const auto number = features::ParseCount(text, std::numeric_limits<T>::max());
    if (!number) return given + " is not a whole number within " + kCounts;
    text = std::to_string(*number);
  } else {
    const auto number = features::ParseWhole(text, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
    if (!number) return given + " is not a whole number";
    text = std::to_string(*number);
  }
  return {};
}

// Says the range where the number is none, too: the first validator is the one that reads it.
void Bound(CLI::Option& option, const std::string& range, std::function<bool(double)> is_within) {
  CLI::Validator& reader = *option.get_validator(0);
  const CLI::Validator read = reader;
  reader.description(range).operation([read, range, is_within = std::move(is_within)](std::string& text) {
    const std::string given = text, fault = read(text);
    if (!fault.empty()) return fault + "; it must be within " + range;
    return is_within(*features::ParseNumber(text)) ? std::string() : given + " is not within " + range;
  });
}

template <typename T>
Option AddValue(void* impl, const std::string& names, T& value, const std::string& help) {
  CLI::Option* option = App(impl)->add_option(names, value, help)->capture_default_str();
  if constexpr (std::is_arithmetic_v<T>)
    option->transform(CLI::Validator(ReadNumber<T>, std::is_same_v<T, std::uint64_t> ? kCounts : ""));
  return Option(option);
}

CLI::App* AddApp(CLI::App& parent, const std::string& name, const std::string& help, const std::string& example) {
  CLI::App* app = parent.add_subcommand(name, help);
  app->footer("Example:\n  " + example);
  app->get_formatter()->column_width(34);
  return app;
}

}  // namespace

Option& Option::Required() {
  Cast(impl_)->required();
  return *this;
}
Option& Option::Range(double low, double high) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.10g..%.10g", low, high);
  Bound(*Cast(impl_), text, [low, high](double number) { return number >= low && number <= high; });
  return *this;
}
Option& Option::OneOf(std::vector<std::string> choices) {
  Cast(impl_)->check(CLI::IsMember(std::move(choices)));
  return *this;
}
Option& Option::Hidden() {
  Cast(impl_)->group("");
  return *this;
}

Option Command::Add(const std::string& names, std::string& value, const std::string& help) {
  return AddValue(impl_, names, value, help);
}
Option Command::Add(const std::string& names, int& value, const std::string& help) {
  return AddValue(impl_, names, value, help);
}
Option Command::Add(const std::string& names, std::int64_t& value, const std::string& help) {
  return AddValue(impl_, names, value, help);
}
Option Command::Add(const std::string& names, std::uint64_t& value, const std::string& help) {
  return AddValue(impl_, names, value, help);
}
Option Command::Add(const std::string& names, float& value, const std::string& help) {
  return AddValue(impl_, names, value, help);
}
Option Command::Add(const std::string& names, double& value, const std::string& help) {
  return AddValue(impl_, names, value, help);
}
Option Command::Add(const std::string& names, std::vector<std::string>& values, const std::string& help) {
  return AddValue(impl_, names, values, help);
}
Option Command::Flag(const std::string& names, bool& value, const std::string& help) {
  return Option(App(impl_)->add_flag(names, value, help));
}
Option Command::Positional(const std::string& name, std::vector<std::string>& values, const std::string& help) {
  return Option(App(impl_)->add_option(name, values, help));
}
Option Command::Positional(const std::string& name, std::string& value, const std::string& help) {
  return Option(App(impl_)->add_option(name, value, help));
}
Command Command::Sub(const std::string& name, const std::string& help, const std::string& example) {
  App(impl_)->require_subcommand(1);
  return Command(AddApp(*App(impl_), name, help, example), runs_);
}

struct Cli::Impl {
  explicit Impl(const std::string& description) : app(description) {}
  CLI::App app;
  Runs runs;
  std::map<std::string, std::string> programs;
  std::set<std::string> program_commands;  // those of them that keep their name

  std::vector<const CLI::App*> Commands() const {
    return app.get_subcommands([](const CLI::App*) { return true; });
  }
  bool HasCommand(const std::string& name) const {
    return std::ranges::any_of(Commands(), [&](const CLI::App* command) { return command->get_name() == name; });
  }
  std::string CommandNames() const {
    std::string names;
    for (const CLI::App* command : Commands()) names += (names.empty() ? "" : ", ") + command->get_name();
    return names;
  }
  int RunParsed() {
    for (const auto& [app_ptr, run] : runs) {
      if (app_ptr->parsed()) return run();
    }
    std::cout << app.help();
    return kUsage;
  }
};

void Command::Run(std::function<int()> run) { (*static_cast<Runs*>(runs_))[App(impl_)] = std::move(run); }

Cli::Cli(const std::string& program, const std::string& description) : impl_(std::make_unique<Impl>(description)) {
  impl_->app.name(program);
  impl_->app.set_version_flag("--version", VersionText(program));
  impl_->app.require_subcommand(1);
  impl_->app.footer("Run '" + program + " COMMAND --help' for a command's options and an example.");
}

Cli::~Cli() = default;

Command Cli::Add(const std::string& name, const std::string& help, const std::string& example) {
  return Command(AddApp(impl_->app, name, help, example), &impl_->runs);
}

std::vector<NumberOption> Cli::Numbers() const {
  std::vector<NumberOption> numbers;
  const auto walk = [&numbers](const auto& self, const CLI::App& app, const std::string& command) -> void {
    for (const CLI::Option* option : app.get_options()) {
      const bool is_number = std::ranges::any_of(std::initializer_list<const char*>{"INT", "UINT", "FLOAT"},
                                                 [&](const char* type) { return option->get_type_name().starts_with(type); });
      if (!is_number) continue;
      const std::string type = option->get_type_name();
      const std::size_t colon = type.find(':');
      numbers.push_back({command, option->get_name(), colon == std::string::npos ? "" : type.substr(colon + 1)});
    }
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
      self(self, *sub, command + (command.empty() ? "" : " ") + sub->get_name());
  };
  walk(walk, impl_->app, "");
  return numbers;
}

void Cli::AddProgram(const std::string& name, const std::string& help, const std::string& program) {
  impl_->app.add_subcommand(name, help)->prefix_command();
  impl_->programs[name] = program;
}

void Cli::AddProgramCommand(const std::string& name, const std::string& help, const std::string& program) {
  AddProgram(name, help, program);
  impl_->program_commands.insert(name);
}

int Cli::RunProgram(const std::string& program, char** argv) {
  // The loader would end it with a message about some library.
  if (const MemoryLimit limit = FindMemoryLimit(); limit.kilobytes != 0 && limit.kilobytes < kLeastOfPrograms) {
    std::cerr << program << ": " << OutOfMemoryText() << "; it needs " << kLeastOfPrograms << " KB to start\n";
    return kFailed;
  }
  const std::string beside = datasets::storage::ProgramBeside(program);
  if (!beside.empty()) execv(beside.c_str(), argv);
  execvp(program.c_str(), argv);
  std::cerr << impl_->app.get_name() << ": cannot run " << program
            << ": it is not there. Install the package auforge-gan, or build with -DAUFORGE_WITH_TORCH=ON (the release "
               "preset does).\n";
  return kFailed;
}

int Cli::Run(int argc, char** argv, std::string& prefix) {
  if (argc > 1) {
    const auto found = impl_->programs.find(argv[1]);
    if (found != impl_->programs.end()) {
      if (impl_->program_commands.contains(argv[1])) return RunProgram(found->second, argv);
      argv[1] = argv[0];
      return RunProgram(found->second, argv + 1);
    }
  }
  if (argc == 2 && std::string_view(argv[1]) == kDescribe) {
    std::cout << Describe(impl_->app, impl_->programs, impl_->program_commands) << "\n";
    return kDone;
  }
  const bool names_command = argc > 1 && argv[1][0] != '-';
  if (names_command && !impl_->HasCommand(argv[1])) {
    throw UsageError("no command '" + std::string(argv[1]) + "'; there are " + impl_->CommandNames());
  }
  if (names_command) prefix += " " + std::string(argv[1]);
  try {
    impl_->app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return impl_->app.exit(error, std::cout, std::cerr);  // --help, --version
    throw UsageError(std::string(error.what()) + "\nRun '" + prefix + " --help' for its options and an example.");
  }
  CheckEnvironment();
  return impl_->RunParsed();
}

int Cli::Main(int argc, char** argv) {
  GuardStandardStreams();
  InstallEndSignals();
  std::string prefix = impl_->app.get_name(), fault;
  int code = kFailed;
  try {
    code = Run(argc, argv, prefix);
  } catch (const UsageError& error) {
    fault = error.what();
    code = kUsage;
  } catch (const BadInputError& error) {
    fault = error.what();
    code = kBadInput;
  } catch (const datasets::storage::BadContent& error) {
    fault = error.what();
    code = kBadInput;
  } catch (const std::exception& error) {
    if (datasets::storage::IsOutOfMemory(error)) {
      fault = OutOfMemoryText();
    } else {
      fault = error.what();
      // LibTorch adds the functions that it was in.
      fault.resize(std::min(fault.size(), fault.find("\nException raised from ")));
      if (dynamic_cast<const std::invalid_argument*>(&error) != nullptr) code = kUsage;
    }
  }
  if (const StdoutFault stdout_fault = FlushStdout(); stdout_fault.failed) {
    if (code == kDone || fault == kStdoutFault) code = stdout_fault.reader_left ? 128 + SIGPIPE : kFailed;
    if (fault.empty()) fault = kStdoutFault;
    if (fault == kStdoutFault && stdout_fault.reader_left) return code;
    if (fault == kStdoutFault) fault += ": " + (stdout_fault.reason.empty() ? "is the disk full?" : stdout_fault.reason);
  }
  if (!fault.empty()) std::cerr << prefix << ": " << fault << "\n";
  if (const int signal = StopSignal(); signal != 0 && code == kDone) code = 128 + signal;
  return code;
}

void Leave(int code) {
  // What failed has left libraries in the middle of their work: HDF5 and OpenBLAS have been seen to crash and to hang
  // on their way out.
  std::cerr.flush();
  if (code != kDone) std::_Exit(code);
  std::exit(code);
}

}  // namespace auforge::tools
