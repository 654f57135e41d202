#include "tools/crawl/edit_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <map>
#include <mutex>
#include <sstream>
#include <stdexcept>

#include "datasets/storage/installed.h"

namespace auforge::tools {
namespace {

constexpr std::size_t kLargestAnswer = 64U << 20;

// A child with both of its ends, and deadlines on everything.
class Child {
 public:
  explicit Child(const std::vector<std::string>& command) {
    int to[2], from[2];
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0)
      throw std::runtime_error("no pipe for " + command[0]);
    std::vector<char*> arguments;
    for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(to[0], STDIN_FILENO);
      dup2(from[1], STDOUT_FILENO);
      // Ctrl-C is for the server; it closes the pipe, which ends the child.
      setpgid(0, 0);
      execvp(arguments[0], arguments.data());
      _exit(127);
    }
    close(to[0]);
    close(from[1]);
    in_ = to[1];
    out_ = from[0];
    if (pid_ < 0) throw std::runtime_error("cannot start " + command[0]);
  }
  ~Child() {
    close(in_);
    close(out_);
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void StartClock(int seconds) {
    deadline_ = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  }

  void Write(const void* data, std::size_t size) {
    const char* at = static_cast<const char*>(data);
    while (size > 0) {
      Wait(in_, POLLOUT);
      const ssize_t wrote = write(in_, at, size);
      if (wrote <= 0) throw std::runtime_error("the generator ended");
      at += wrote;
      size -= static_cast<std::size_t>(wrote);
    }
  }
  std::string Line() {
    std::size_t end = 0;
    while ((end = buffer_.find('\n')) == std::string::npos) {
      if (buffer_.size() > 65536) throw std::runtime_error("the generator talks nonsense");
      Fill();
    }
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    return line;
  }
  std::string Bytes(std::size_t size) {
    while (buffer_.size() < size) Fill();
    std::string bytes = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return bytes;
  }

 private:
  void Wait(int file, short event) const {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now())
            .count();
    pollfd waiting{file, event, 0};
    const int ready = left > 0 ? poll(&waiting, 1, static_cast<int>(left)) : 0;
    if (ready <= 0) throw std::runtime_error("the generator took too long");
  }
  void Fill() {
    Wait(out_, POLLIN);
    char bytes[65536];
    const ssize_t got = read(out_, bytes, sizeof(bytes));
    if (got <= 0) throw std::runtime_error("the generator ended");
    buffer_.append(bytes, static_cast<std::size_t>(got));
  }

  pid_t pid_ = -1;
  int in_ = -1, out_ = -1;
  std::string buffer_;
  std::chrono::steady_clock::time_point deadline_;
};

class EditProcess : public FaceEditor {
 public:
  EditProcess(std::vector<std::string> command, int seconds_to_start, int seconds_to_edit)
      : command_(std::move(command)), seconds_to_start_(seconds_to_start), seconds_to_edit_(seconds_to_edit) {
    std::signal(SIGPIPE, SIG_IGN);  // a generator that died is an answer, not our end
    Start();
  }

  std::vector<int> Aus() const override { return aus_; }

  std::string Edit(const std::vector<std::uint8_t>& crop, const std::vector<std::pair<int, float>>& shown,
                   const std::vector<std::pair<int, float>>& wanted) override {
    std::map<int, std::pair<float, float>> aus;
    for (const auto& [au, value] : shown) {
      if (std::find(aus_.begin(), aus_.end(), au) != aus_.end()) aus[au] = {value, value};
    }
    for (const auto& [au, value] : wanted) aus[au].second = value;
    std::ostringstream request;
    request << "EDIT " << crop.size() << " " << aus.size() << "\n";
    for (const auto& [au, values] : aus) request << au << " " << values.first << " " << values.second << "\n";
    const std::lock_guard lock(mutex_);
    if (child_ == nullptr) Start();
    try {
      child_->StartClock(seconds_to_edit_);
      const std::string text = request.str();
      child_->Write(text.data(), text.size());
      child_->Write(crop.data(), crop.size());
      return Answer();
    } catch (const Refusal& refusal) {
      throw std::runtime_error(refusal.message);
    } catch (const std::exception&) {
      child_.reset();  // what it still has to say belongs to nobody; the next edit starts another
      throw;
    }
  }

 private:
  struct Refusal {
    std::string message;
  };

  std::string Answer() {
    const std::string line = child_->Line();
    if (line.starts_with("ERROR ")) throw Refusal{line.substr(6)};
    std::istringstream fields(line);
    std::string word;
    std::size_t size = 0;
    fields >> word >> size;
    if (word != "OK" || !fields || size > kLargestAnswer)
      throw std::runtime_error("the generator talks nonsense");
    return child_->Bytes(size);
  }

  void Start() {
    child_ = std::make_unique<Child>(command_);
    child_->StartClock(seconds_to_start_);
    std::string line;
    try {
      line = child_->Line();
    } catch (const std::exception& error) {
      child_.reset();
      throw std::runtime_error(command_[0] + ": " + error.what() +
                               " before it was ready; is it built, and is the checkpoint whole?");
    }
    std::istringstream fields(line);
    std::string word;
    fields >> word;
    if (word != "READY") throw std::runtime_error(command_[0] + ": " + line);
    // Told once: a generator that is started again is the same one, and others may be reading the list.
    if (aus_.empty()) {
      for (int au = 0; fields >> au;) aus_.push_back(au);
    }
  }

  std::vector<std::string> command_;
  int seconds_to_start_, seconds_to_edit_;
  std::mutex mutex_;
  std::unique_ptr<Child> child_;
  std::vector<int> aus_;
};

}  // namespace

std::unique_ptr<FaceEditor> StartEditor(const std::string& method, const std::string& checkpoint) {
  const std::string beside = datasets::storage::ProgramBeside("auforge-gan");
  const std::string program = beside.empty() ? "auforge-gan" : beside;
  std::vector<std::string> command{program, "edit-server"};
  if (!method.empty()) command.insert(command.end(), {"--method", method});
  if (!checkpoint.empty()) command.insert(command.end(), {"--checkpoint", checkpoint});
  return StartEditor(command, 60, 60);
}

std::unique_ptr<FaceEditor> StartEditor(const std::vector<std::string>& command, int seconds_to_start,
                                        int seconds_to_edit) {
  return std::make_unique<EditProcess>(command, seconds_to_start, seconds_to_edit);
}

}  // namespace auforge::tools
