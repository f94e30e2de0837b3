// libstdc++ 12 gave std::condition_variable::wait a new version, which differs in what a cancelled
// thread does alone. Calls go to the older one (the linker's --wrap brings them here), so that GCC
// 11's library serves: that of manylinux_2_34.
#include <condition_variable>
#include <mutex>

extern "C" {

using WaitLock = std::unique_lock<std::mutex>;

__asm__(
    ".symver old_wait, _ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE@GLIBCXX_3.4.11");
void old_wait(std::condition_variable* variable, WaitLock& lock);

void __wrap__ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE(
    std::condition_variable* variable, WaitLock& lock) {
  old_wait(variable, lock);
}

}  // extern "C"
