#include "sequela/pipeline/joined_run.h"

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/json.h"
#include "sequela/io/file.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr auto kPause = std::chrono::milliseconds(50);

bool is_empty(const std::string& folder) {
  try {
    const FolderLock lock(folder);
    return true;
  } catch (const ConfigError&) {  // another process is in it
    return false;
  }
}

}  // namespace

JoinedRun::JoinedRun(const std::string& folder, const RunRecipe& recipe, int rank, int num_ranks)
    : ranks_folder_(folder + "/.ranks"),
      lock_(folder, num_ranks == 1 ? FolderLock::Kind::alone : FolderLock::Kind::shared),
      work_(ranks_folder_, rank, num_ranks) {
  if (!work_.is_alone()) join(recipe, rank);
}

JoinedRun::~JoinedRun() = default;

// One process at a time joins or leaves.
Claim JoinedRun::enter() const {
  while (true) {
    std::error_code error;
    fs::create_directory(ranks_folder_, error);  // the last one to leave may just have removed it
    try {
      std::optional<Claim> claim = Claim::try_take(ranks_folder_ + "/door");
      if (claim) return std::move(*claim);
    } catch (const FileError&) {
      if (error || fs::exists(ranks_folder_)) throw;
    }
    throw_if_stopped();
    std::this_thread::sleep_for(kPause);
  }
}

void JoinedRun::join(const RunRecipe& recipe, int rank) {
  const Claim door = enter();
  const std::string path = ranks_folder_ + "/run.json", members = ranks_folder_ + "/members";
  if (is_empty(members)) {
    Json json = to_json(recipe, SEQUELA_VERSION);
    json["rank"] = rank;
    write_file(path, json_text(json) + "\n");
  }
  membership_.emplace(members, FolderLock::Kind::shared);
  const Json first = parse_json(read_file(path), path);
  const std::string version = first.at("version");
  const std::string what = version != SEQUELA_VERSION
                               ? str("Sequela changed from ", version, " to ", SEQUELA_VERSION)
                               : difference(to_run_recipe(first), recipe);
  if (what.empty()) return;
  throw ConfigError(str("another run is at work in this folder: from its rank ",
                        first.at("rank").get<int>(), " to rank ", rank, ", ", what,
                        ". Fix: give all ranks the same program, options and data, or wait."));
}

void JoinedRun::leave(const std::function<void()>& last) {
  if (work_.is_alone()) return last();
  const Claim door = enter();
  membership_.reset();
  if (!is_empty(ranks_folder_ + "/members")) return;
  last();
  // Whoever waits at the door finds it gone with the folder, and makes a new one.
  const std::string old = ranks_folder_ + ".old";
  fs::rename(ranks_folder_, old);
  fs::remove_all(old);
}

}  // namespace sequela
