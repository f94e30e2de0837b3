#pragma once

#include <string>

namespace sequela {

// Puts the folder `from` in the place of the folder `to`, in one step where the file system can
// exchange two names. Where it cannot (NFS), see the next. Throws FileError; then `to` is as it
// was.
void replace_folder(const std::string& from, const std::string& to);

// In two steps: `to` steps aside to "<to>.partial.old" and goes when `from` has its name, or comes
// back if it cannot have it.
void replace_folder_in_two_steps(const std::string& from, const std::string& to);

// After a crash between the two steps: "<path>.partial.old" comes back if nothing is at `path`,
// else goes.
void mend_replaced_folder(const std::string& path);

}  // namespace sequela
