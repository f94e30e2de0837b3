#include "sequela/cli/visit_rule_options.h"

namespace sequela {

void add_visit_rule_options(CLI::App& app, VisitOptions& visits, std::string& rule) {
  app.add_option("--visits", rule,
                 "Of --meds: by encounter id, by day, by hours, or hybrid = by id, else by day")
      ->type_name("hybrid|encounter|day|hours");
  app.add_option("--window-hours", visits.window_hours, "Of --visits hours");
  app.add_option("--visit-column", visits.encounter_column, "Default: visit_id and the like");
}

}  // namespace sequela
