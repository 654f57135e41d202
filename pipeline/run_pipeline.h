// next -> examine (parallel, in order at both ends) -> write, as one TBB pipeline of at most `jobs` threads.
#pragma once

#include <functional>
#include <memory>

#include "pipeline/examine.h"
#include "pipeline/feed.h"

namespace auforge::pipeline {

// next and write are called by one thread at a time; next ends the pipeline with a nullptr and may wait. What it waits
// for must not depend on groups it has handed out being written: with one thread they are, before it is called again.
// The caller limits the threads (tbb::global_control).
void RunPipeline(int jobs, ExamineShared& shared, StopRequest& stop, const std::function<std::unique_ptr<Group>()>& next,
                 const std::function<void(std::unique_ptr<ExaminedGroup>)>& write);

}  // namespace auforge::pipeline
