// A loop small enough for a test: drawn faces of the documentation, networks whose steps take milliseconds.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"

namespace auforge::tests {

// Files that all loops of a test program share: held-out shards and a generator to begin with. Made once.
class LoopFiles {
 public:
  static const LoopFiles& Get();
  std::string held_out() const { return dir_ / "held"; }
  std::string generator() const { return dir_ / "start.h5"; }
  // One with a flow, as the generator that comes with the program is.
  std::string flowing_generator() const { return dir_ / "flow.h5"; }

 private:
  LoopFiles();
  TempDir dir_;
};

inline constexpr int kPeople = 36;  // pictures of people that are not held out

class SmallLoop {
 public:
  // Sets SOURCE_DATE_EPOCH, so that whole shards can be compared.
  SmallLoop();
  // One person each, first..last of kPeople, as NN.jpg in the inputs' folder.
  void AddPeople(int first, int last) const;
  // The same with captions beside them; the picture is cut off where broken.
  void AddPerson(int number, const std::string& caption, bool broken = false) const;
  // Held-out people of LoopFiles, 0..3, among the inputs.
  void AddHeldOut(int number) const;
  // more: keys in place of or beside the usual ones, as JSON: {"better": …}.
  void WritePlan(const std::string& more = "{}") const;
  std::string Work(const std::string& name = "") const { return dir_ / ("work" + (name.empty() ? "" : "/" + name)); }
  std::string Round(int number, const std::string& name) const;
  std::string Plan() const { return dir_ / "plan.json"; }
  const TempDir& dir() const { return dir_; }
  ProgramOutcome Run(const std::string& options = "") const;
  void RemoveWork() const;
  // What must be the same however often the loop was killed: shards, lists and numbers, by path below WORK. Times and
  // absolute paths are taken out.
  std::map<std::string, std::string> Lasting() const;

 private:
  TempDir dir_;
};

}  // namespace auforge::tests
