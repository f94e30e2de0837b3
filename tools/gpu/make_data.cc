// Batches for tools/gpu_check, as `sequela prepare` makes them of made-up records:
//   gpu_data DIR    DIR/tiny, DIR/base: config.json, batches.safetensors
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "sequela/batch/folder.h"
#include "sequela/core/error.h"
#include "sequela/io/file.h"
#include "sequela/model/encoder_config.h"
#include "sequela/pipeline/prepare.h"
#include "sequela/pipeline/pretrain.h"
#include "sequela/synth/synth.h"
#include "tools/gpu/probe/tensor_batches.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

struct DataSize {
  const char* name;
  int64_t tasks, tokens, batches;
};
constexpr DataSize kSizes[] = {{"tiny", 512, 2'048, 16}, {"base", 8'192, 8'192, 8}};

void write_data(const std::string& records, const DataSize& size, const std::string& out) {
  PrepareOptions options;
  options.meds = records + "/meds";
  options.athena = records + "/athena";
  options.out = records + "/prepared-" + size.name;
  options.num_tasks = size.tasks;
  options.tokens_per_batch = size.tokens;
  prepare(options);
  const ModelConfig config = read_prepared_config(EncoderConfig(), options.out);
  const BatchFolder folder = BatchFolder::open(options.out + "/train_batches");
  std::vector<MotorBatch> batches;
  for (int64_t i = 0; i < std::min(size.batches, folder.num_batches()); ++i)
    batches.push_back(folder.read(i));
  fs::create_directories(out);
  write_file(out + "/config.json", to_config_json(config));
  write_tensor_batches(out + "/batches.safetensors", batches, config.motor->num_tasks());
}

void run(const std::string& out) {
  const std::string folder =
      str((fs::temp_directory_path() / "sequela_gpu_data_").string(), getpid());
  synth({.num_subjects = 2'000, .folder = folder, .num_threads = 2});
  for (const DataSize& size : kSizes) write_data(folder, size, str(out, "/", size.name));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace sequela

int main(int argc, char** argv) {
  try {
    if (argc != 2) throw sequela::ConfigError("one argument is needed: the folder to write to");
    sequela::run(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_data: %s\n", error.what());
    return 1;
  }
}
