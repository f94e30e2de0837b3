#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sequela/io/parquet.h"
#include "sequela/synth/synth.h"
#include "sequela/synth/truth_tables.h"

namespace sequela {

// What is kept of some subjects once their events are written.
struct SynthRows {
  std::vector<SubjectTruth> subjects;
  std::vector<TaskLabel> labels;
};

// The tables that hold all subjects, by id: splits, labels, truth. A row group holds one block of
// shards (shards.h), so that only the blocks at work are in memory. Any thread may add.
class SubjectTables {
 public:
  SubjectTables(const std::string& folder, Flares flares);  // a synth's

  // The subjects of a shard, which may have none; each shard once, in about their order.
  void add(int64_t shard, SynthRows rows);
  // After all shards. Returns what was counted.
  SynthReport finish();

 private:
  struct Output {
    std::unique_ptr<ParquetWriter> writer;
    std::function<Table(const SynthRows&)> table;
  };
  struct Block {
    SynthRows rows;
    int64_t num_shards = 0;
  };
  void write(SynthRows rows);
  void count(const SynthRows& rows);

  std::vector<Output> outputs_;
  std::mutex mutex_;
  std::map<int64_t, Block> waiting_;  // for shards of theirs, or blocks before them
  int64_t next_block_ = 0;
  SynthReport report_;
};

}  // namespace sequela
