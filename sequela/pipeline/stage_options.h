#pragma once

#include <string>

#include "sequela/batch/write_batches.h"
#include "sequela/core/json.h"
#include "sequela/meds/ingest.h"
#include "sequela/pipeline/prepare.h"
#include "sequela/tokenizer/fit_tokenizer.h"

namespace sequela {

// What the stages of prepare are told, of all its options.
IngestOptions ingest_options(const PrepareOptions& options, const std::string& folder);
TokenizerOptions tokenizer_options(const PrepareOptions& options);
Json task_values(const PrepareOptions& options);  // of the objective, by their options' names
BatchOptions batch_options(const PrepareOptions& options);

// Threads of the stages after ingest, at least one, that `memory_bytes` has room for. By
// measurement at the published constants, whatever the data's size, a stage takes some 200 MiB and
// each of its threads 50 (80 for batches in femr's form). Ingest counts what its shards need
// itself.
int threads_within_memory(const PrepareOptions& options);

}  // namespace sequela
