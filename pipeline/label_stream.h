// Images from memory to their labels, in order, as a program hands them over: for whoever calls again and again instead
// of starting a run (annotate.h). The labels are those of a run, bit by bit.
//
//   LabelPool pool(labeller, jobs);
//   LabelStream stream(pool);
//   while (more) { stream.Push(images); if (stream.Full()) use(stream.Pop(wait)); }
//   while (stream.InFlight() > 0) use(stream.Pop(wait));
//
// A pool is shared by any number of streams and threads; a stream belongs to one thread at a time. Memory is bounded by
// Full(): whoever stops pushing then holds no more than a few groups of images.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "pipeline/examine.h"
#include "pipeline/labeller.h"

namespace auforge::pipeline {

// Threads that label whatever its streams are given, in the order in which it was given.
class LabelPool {
 public:
  // Starts the threads when the first image comes. jobs >= 1. Throws std::invalid_argument.
  LabelPool(std::shared_ptr<const Labeller> labeller, int jobs);
  ~LabelPool();
  // Calls off what is not done, which Pop then says, and waits for the threads (in a process that was forked off
  // meanwhile there are none). The next image starts them anew. Not while another thread is in Push or Pop.
  void Stop();
  LabelPool(const LabelPool&) = delete;
  LabelPool& operator=(const LabelPool&) = delete;

  const Labeller& labeller() const { return *labeller_; }
  int jobs() const { return jobs_; }

 private:
  friend class LabelStream;
  struct Work;     // one group of a stream
  struct Threads;  // those of one process
  Threads& threads();

  std::shared_ptr<const Labeller> labeller_;
  int jobs_;
  std::atomic<Threads*> threads_{nullptr};  // owned; no lock, which a fork might find taken
};

class LabelStream {
 public:
  // The pool must outlive the stream.
  explicit LabelStream(LabelPool& pool) : pool_(pool) {}
  // Calls off what is in flight, without waiting for it.
  ~LabelStream();
  LabelStream(const LabelStream&) = delete;
  LabelStream& operator=(const LabelStream&) = delete;

  // One group: its landmarks, features and AUs are computed together. What a face gets does not depend on it.
  void Push(std::vector<datasets::ImageItem> images);
  // Enough is in flight to keep all threads of the pool busy.
  bool Full() const;
  std::size_t InFlight() const;  // groups
  // The oldest group in flight, as many images as were pushed; nullptr when it is not done within `wait`. Throws what
  // labelling threw (out of memory), and std::runtime_error when the pool was stopped before, and in a process that was
  // forked off after the push.
  std::unique_ptr<ExaminedGroup> Pop(std::chrono::milliseconds wait);

 private:
  LabelPool& pool_;
  std::vector<std::shared_ptr<LabelPool::Work>> in_flight_;  // oldest first; few
};

}  // namespace auforge::pipeline
