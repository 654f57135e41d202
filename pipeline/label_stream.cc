#include "pipeline/label_stream.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

namespace auforge::pipeline {
namespace {

// Groups in flight for each thread: one in work, one behind it, one that waits for an older one to be fetched.
constexpr std::size_t kGroupsPerThread = 3;

}  // namespace

struct LabelPool::Work {
  std::unique_ptr<Group> group;
  std::atomic<bool> called_off{false};
  std::atomic<bool> is_done{false};  // the rest is there from then on
  std::unique_ptr<ExaminedGroup> result;
  std::exception_ptr fault;
  pid_t process = getpid();
};

struct LabelPool::Threads {
  Threads(const Labeller& labeller, int jobs)
      : shared{labeller.options(), labeller.landmarker(), labeller.dense(), labeller.extractor(), labeller.model(), {}} {
    for (int i = 0; i < jobs; ++i) threads.emplace_back([this] { Run(); });
  }
  ~Threads() {
    {
      const std::lock_guard lock(mutex);
      ending = true;
      for (const auto& work : waiting) work->called_off = true;
      for (const auto& work : in_work) work->called_off = true;
    }
    has_work.notify_all();
    for (std::thread& thread : threads) thread.join();
    for (const auto& work : waiting) work->is_done = true;  // without a result
  }

  void Put(std::shared_ptr<Work> work) {
    {
      const std::lock_guard lock(mutex);
      waiting.push_back(std::move(work));
    }
    has_work.notify_one();
  }

  bool Await(const Work& work, std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex);
    return has_result.wait_for(lock, wait, [&work] { return work.is_done.load(); });
  }

  ExamineShared shared;
  pid_t process = getpid();

 private:
  void Run() {
    Examiner examiner(shared);
    std::unique_lock lock(mutex);
    for (;;) {
      has_work.wait(lock, [this] { return ending || !waiting.empty(); });
      if (ending) return;
      const std::shared_ptr<Work> work = std::move(waiting.front());
      waiting.pop_front();
      if (work->called_off) {
        work->is_done = true;
        continue;
      }
      in_work.push_back(work);
      lock.unlock();
      Examine(examiner, *work);
      lock.lock();
      std::erase(in_work, work);
      work->is_done = true;
      has_result.notify_all();
    }
  }

  static void Examine(Examiner& examiner, Work& work) {
    try {
      StopRequest stop([&work] { return work.called_off.load(std::memory_order_relaxed); });
      work.result = examiner.Examine(std::move(work.group), stop);
    } catch (...) {
      work.fault = std::current_exception();
    }
  }

  std::mutex mutex;
  std::condition_variable has_work, has_result;
  std::deque<std::shared_ptr<Work>> waiting;
  std::vector<std::shared_ptr<Work>> in_work;
  bool ending = false;
  std::vector<std::thread> threads;
};

LabelPool::LabelPool(std::shared_ptr<const Labeller> labeller, int jobs) : labeller_(std::move(labeller)), jobs_(jobs) {
  if (jobs < 1) throw std::invalid_argument("jobs = " + std::to_string(jobs) + "; must be >= 1");
}

LabelPool::~LabelPool() { Stop(); }

void LabelPool::Stop() {
  Threads* threads = threads_.exchange(nullptr);
  // The threads of the process that this one was forked off are not here: nobody to wait for, and locks that stay as
  // they were.
  if (threads != nullptr && threads->process == getpid()) delete threads;
}

LabelPool::Threads& LabelPool::threads() {
  Threads* known = threads_.load();
  if (known != nullptr && known->process == getpid()) return *known;
  auto made = std::make_unique<Threads>(*labeller_, jobs_);
  if (threads_.compare_exchange_strong(known, made.get())) return *made.release();
  return *known;  // another thread was quicker
}

LabelStream::~LabelStream() {
  for (const auto& work : in_flight_) work->called_off = true;
}

void LabelStream::Push(std::vector<datasets::ImageItem> images) {
  auto work = std::make_shared<LabelPool::Work>();
  work->group = std::make_unique<Group>();
  work->group->items = std::move(images);
  in_flight_.push_back(work);
  pool_.threads().Put(std::move(work));
}

bool LabelStream::Full() const {
  return in_flight_.size() >= kGroupsPerThread * static_cast<std::size_t>(pool_.jobs());
}

std::size_t LabelStream::InFlight() const { return in_flight_.size(); }

std::unique_ptr<ExaminedGroup> LabelStream::Pop(std::chrono::milliseconds wait) {
  const std::shared_ptr<LabelPool::Work> work = in_flight_.at(0);
  if (work->process != getpid()) {
    throw std::runtime_error("these images were given to another process, which has forked this one off; begin anew");
  }
  if (!pool_.threads().Await(*work, wait)) return nullptr;
  in_flight_.erase(in_flight_.begin());
  if (work->fault) std::rethrow_exception(work->fault);
  if (!work->result || work->result->abandoned) throw std::runtime_error("labelling was stopped before this image");
  return std::move(work->result);
}

}  // namespace auforge::pipeline
