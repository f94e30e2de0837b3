# cmake -DSCRIPT=... -DSTYLE=... -DOUTPUT=... -P SequelaEmbed.cmake
#
# Writes the C++ file that holds the page's script and style. A script of more than 800 kB is an error: it is in every report.
file(SIZE ${SCRIPT} size)
if(size GREATER 800000)
  message(FATAL_ERROR "${SCRIPT} has ${size} bytes, more than the 800,000 that a report may carry. Fix: import fewer charts.")
endif()
file(READ ${SCRIPT} script)
file(READ ${STYLE} style)
file(WRITE ${OUTPUT} "#include \"sequela/report/assets.h\"

namespace sequela {

const char* const kPageScript = R\"sequelapage(" "${script}" ")sequelapage\";
const char* const kPageStyle = R\"sequelapage(" "${style}" ")sequelapage\";

}  // namespace sequela
")
