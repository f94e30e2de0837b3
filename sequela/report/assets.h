#pragma once

namespace sequela {

// The page's script (sequela/report/page/main.js with ECharts, made by esbuild) and its style.
// cmake/SequelaPage.cmake puts them into the program.
extern const char* const kPageScript;
extern const char* const kPageStyle;

}  // namespace sequela
