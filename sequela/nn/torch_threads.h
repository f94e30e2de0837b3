#pragma once

namespace sequela {

// Torch's number of threads for the work of one scope: the calling thread's and, of a library that
// keeps but one number for the process (MKL), that one's. What was set before is set again at the
// end. Another thread's work goes on with its own number.
class TorchThreads {
 public:
  explicit TorchThreads(int num_threads);  // 0 = as it is
  ~TorchThreads();
  TorchThreads(const TorchThreads&) = delete;
  TorchThreads& operator=(const TorchThreads&) = delete;

 private:
  const int before_;
};

}  // namespace sequela
