#pragma once

namespace sequela {

// The commit that was built, " and changes" after it if files differed from it; empty where the
// sources were no checkout. cmake/SequelaCommit.cmake writes it at each build.
extern const char* const kCommit;

}  // namespace sequela
