#pragma once

#include <string>
#include <vector>

#include "sequela/core/json.h"
#include "sequela/report/page.h"

namespace sequela {

// Parts of an evaluation's page. Those that return figures return none for what is not there.

// What the page shows of a method: its title, where the evaluation gives one, else its name.
class MethodTitles {
 public:
  explicit MethodTitles(const Json& evaluation) : evaluation_(evaluation) {}
  std::string of(const std::string& method) const;

 private:
  const Json& evaluation_;
};

bool is_time_to_event(const Json& task);

// The table at the top of tasks of one kind, and what must be said with it.
std::vector<Block> summary_blocks(const Json& evaluation);

// ROC, precision and recall, calibration, decision curves.
std::vector<ShownFigure> curve_figures(const Json& task, const MethodTitles& titles);
std::vector<ShownFigure> few_shot_figures(const Json& task, const MethodTitles& titles);
std::vector<ShownFigure> subgroup_figures(const Json& task, const MethodTitles& titles);
// Survival, cumulative incidence, calibration at horizons.
std::vector<ShownFigure> survival_figures(const Json& task, const MethodTitles& titles);
std::vector<ShownFigure> map_figures(const Json& task);

// Differences of each two methods, and all figures of all methods; folded.
std::vector<Block> figure_tables(const Json& task, const MethodTitles& titles);

Section task_section(const Json& task, const MethodTitles& titles);
Section leak_section(const Json& leaks);

}  // namespace sequela
