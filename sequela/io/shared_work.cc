#include "sequela/io/shared_work.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <numeric>
#include <thread>
#include <utility>

#include "sequela/core/error.h"
#include "sequela/core/interrupt.h"
#include "sequela/core/log.h"
#include "sequela/core/parallel.h"

namespace sequela {
namespace {

namespace fs = std::filesystem;

constexpr auto kPause = std::chrono::milliseconds(200);
constexpr int kPausesToNote = 150;  // half a minute

// Units from the one at which a rank's even share of the sizes begins, round to the one before.
std::vector<int64_t> order_from(const std::vector<int64_t>& sizes, int rank, int num_ranks) {
  std::vector<int64_t> order(sizes.size());
  std::iota(order.begin(), order.end(), 0);
  const double all = static_cast<double>(std::accumulate(sizes.begin(), sizes.end(), int64_t{0}));
  double before = 0;
  size_t first = 0;
  while (first + 1 < sizes.size() && before < all * rank / num_ranks)
    before += static_cast<double>(sizes[first++]);
  std::rotate(order.begin(), order.begin() + static_cast<int64_t>(first), order.end());
  return order;
}

}  // namespace

std::optional<Claim> Claim::try_take(const std::string& path) {
  std::optional<LockFile> file = LockFile::try_take(path);
  if (!file) return std::nullopt;
  return Claim(std::move(*file));
}

Claim::~Claim() {
  if (file_.is_own()) file_.remove_file();
}

SharedWork::SharedWork(std::string folder, int rank, int num_ranks)
    : folder_(std::move(folder)), rank_(rank), num_ranks_(num_ranks) {
  std::error_code error;
  if (!is_alone() && !fs::create_directories(folder_, error) && error)
    throw FileError(folder_, error.message(), "choose an output folder that can be written");
}

void SharedWork::run(const std::string& name, const std::vector<int64_t>& sizes, int num_threads,
                     const std::function<bool(int64_t unit)>& is_done,
                     const std::function<void(int64_t unit, int thread)>& make) const {
  std::vector<int64_t> left = order_from(sizes, rank_, num_ranks_);
  for (int num_pauses = 0; !left.empty(); ++num_pauses) {
    std::vector<char> is_left(left.size());
    parallel_for(static_cast<int64_t>(left.size()), num_threads, [&](int64_t i, int thread) {
      throw_if_stopped();
      const int64_t unit = left[i];
      if (is_done(unit)) return;
      if (is_alone()) return make(unit, thread);
      const std::optional<Claim> claim = Claim::try_take(str(folder_, "/", name, "-", unit));
      is_left[i] = !claim;
      if (claim && !is_done(unit)) make(unit, thread);  // another process may just have ended
    });
    std::vector<int64_t> others;
    for (size_t i = 0; i < left.size(); ++i) {
      if (is_left[i]) others.push_back(left[i]);
    }
    left = std::move(others);
    if (left.empty()) return;
    if (num_pauses % kPausesToNote == kPausesToNote - 1)
      log_info(str(name, ": waits for ", left.size(), " parts that other ranks make"));
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace sequela
