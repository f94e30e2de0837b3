# cmake -DSOURCE=... -DOUTPUT=... -P SequelaCommit.cmake
#
# Writes the C++ file that says which commit is built; its time stamp changes only with the commit. Sources that are no
# checkout of their own (an archive, a copy) have no commit.
execute_process(COMMAND git -C "${SOURCE}" rev-parse --show-toplevel OUTPUT_VARIABLE top ERROR_QUIET
                OUTPUT_STRIP_TRAILING_WHITESPACE)
set(commit "")
if(top STREQUAL SOURCE)
  execute_process(COMMAND git -C "${SOURCE}" describe --always --dirty=\ and\ changes --exclude=* --abbrev=12
                  OUTPUT_VARIABLE commit ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" CONTENT "#include \"sequela/pipeline/commit.h\"

namespace sequela {

const char* const kCommit = \"${commit}\";

}  // namespace sequela
" @ONLY)
