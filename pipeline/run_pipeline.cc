#include "pipeline/run_pipeline.h"

#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_pipeline.h>

namespace auforge::pipeline {

void RunPipeline(int jobs, ExamineShared& shared, StopRequest& stop, const std::function<std::unique_ptr<Group>()>& next,
                 const std::function<void(std::unique_ptr<ExaminedGroup>)>& write) {
  using tbb::filter_mode;
  using GroupPtr = std::unique_ptr<Group>;
  using ExaminedPtr = std::unique_ptr<ExaminedGroup>;
  tbb::enumerable_thread_specific<Examiner> examiners([&shared] { return Examiner(shared); });
  const auto first = [&next](tbb::flow_control& control) {
    GroupPtr group = next();
    if (!group) control.stop();
    return group;
  };
  const auto examine = [&](GroupPtr group) { return examiners.local().Examine(std::move(group), stop); };
  // Enough groups in flight to keep all threads busy behind a slow one, few enough to bound memory.
  tbb::parallel_pipeline(static_cast<std::size_t>(3 * jobs),
                         tbb::make_filter<void, GroupPtr>(filter_mode::serial_in_order, first) &
                             tbb::make_filter<GroupPtr, ExaminedPtr>(filter_mode::parallel, examine) &
                             tbb::make_filter<ExaminedPtr, void>(filter_mode::serial_in_order, write));
}

}  // namespace auforge::pipeline
