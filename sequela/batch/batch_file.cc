#include "sequela/batch/batch_file.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

#include "sequela/batch/compact_batch.h"
#include "sequela/batch/femr_batch.h"
#include "sequela/core/error.h"

namespace sequela {

namespace {

std::vector<LeafField> compact_fields() {
  return {{"num_subjects", LeafType::int64, false},
          {"num_tokens", LeafType::int64, false},
          {"num_indices", LeafType::int64, false},
          {"payload", LeafType::uint8, true}};
}

std::vector<LeafField> fields_of(BatchForm form, const BatchLayout& layout) {
  if (form == BatchForm::compact) return compact_fields();
  return femr_fields(has_wide_tokens(layout.vocab_size), layout.target_fields);
}

// The targets' columns of a file of femr's form.
std::vector<LeafField> target_fields_of(const std::vector<std::string>& paths) {
  std::vector<LeafField> fields;
  for (const std::string& path : paths) {
    if (path.starts_with("task.time_sparse.")) return motor_target_fields();
    if (path.starts_with("task.")) fields.push_back({path, LeafType::int32});
  }
  return fields;
}

std::string_view text_of(LeafBytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

ArrowStreamReader open_femr(const std::string& path, const std::vector<LeafField>& targets) {
  try {
    return {path, femr_fields(false, targets)};
  } catch (const FileError&) {  // token ids of the other width, or a real fault
    return {path, femr_fields(true, targets)};
  }
}

}  // namespace

struct BatchFileWriter::State {
  BatchForm form;
  int32_t num_tasks;
  ArrowStreamWriter stream;
  CompactEncoder encoder;
  FemrEncoder femr;

  void write_compact(const BatchArrays& batch) {
    const int64_t counts[3] = {batch.num_sequences(), batch.num_tokens(), batch.num_labels()};
    const auto count_bytes = std::as_bytes(std::span(counts));
    const std::string_view payload = encoder.encode(batch, num_tasks);
    const LeafBytes leaves[4] = {count_bytes.subspan(0, 8), count_bytes.subspan(8, 8),
                                 count_bytes.subspan(16, 8), std::as_bytes(std::span(payload))};
    stream.write_row(leaves);
  }
};

BatchFileWriter::BatchFileWriter(const std::string& path, BatchForm form, const BatchLayout& layout)
    : state_(new State{form,
                       layout.num_tasks,
                       {path, fields_of(form, layout)},
                       {},
                       FemrEncoder(has_wide_tokens(layout.vocab_size))}) {}

BatchFileWriter::~BatchFileWriter() = default;

void BatchFileWriter::write(const BatchArrays& batch) {
  SEQUELA_CHECK(batch.num_labels() > 0);
  if (state_->form == BatchForm::compact) {
    state_->write_compact(batch);
  } else {
    state_->stream.write_row(state_->femr.encode(batch));
  }
}

StreamFile BatchFileWriter::finish() {
  return state_->stream.finish();
}

struct BatchFileReader::State {
  std::string path;
  BatchForm form;
  std::vector<LeafField> target_fields;  // femr's form
  ArrowStreamReader stream;
};

BatchFileReader::BatchFileReader(const std::string& path) {
  const std::vector<std::string> paths = ArrowStreamReader::leaf_paths(path);
  if (std::ranges::find(paths, "payload") != paths.end()) {
    state_.reset(new State{path, BatchForm::compact, {}, {path, compact_fields()}});
    return;
  }
  std::vector<LeafField> targets = target_fields_of(paths);
  ArrowStreamReader stream = open_femr(path, targets);
  state_.reset(new State{path, BatchForm::femr, std::move(targets), std::move(stream)});
}

BatchFileReader::BatchFileReader(BatchFileReader&&) noexcept = default;
BatchFileReader::~BatchFileReader() = default;

int64_t BatchFileReader::num_batches() const {
  return state_->stream.num_rows();
}

void BatchFileReader::read(int64_t index, const BatchLimits& limits, BatchArrays& batch) const {
  StreamRow row;
  state_->stream.read_row(index, &row);
  const std::string place = str(state_->path, ": row ", index);
  if (state_->form == BatchForm::compact) {
    decode_compact(text_of(row.leaves.back()), limits, place, batch);
  } else {
    decode_femr(row.leaves, state_->target_fields, limits, place, batch);
  }
}

int64_t BatchFileReader::num_tokens(int64_t batch) const {
  StreamRow row;
  state_->stream.read_row(batch, &row);
  if (state_->form == BatchForm::femr) return femr_num_tokens(row.leaves);
  int64_t tokens = 0;
  std::memcpy(&tokens, row.leaves[1].data(), sizeof(tokens));
  return tokens;
}

void write_batch_folder_info(const std::string& folder, BatchForm form, const BatchLayout& layout,
                             const std::vector<StreamFile>& files) {
  write_dataset_info(folder, fields_of(form, layout), files);
}

std::string batch_file_name(int64_t index, int64_t num_files) {
  char name[64];
  std::snprintf(name, sizeof(name), "data-%05lld-of-%05lld.arrow", static_cast<long long>(index),
                static_cast<long long>(num_files));
  return name;
}

}  // namespace sequela
