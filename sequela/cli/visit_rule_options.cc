#include "sequela/cli/visit_rule_options.h"

namespace sequela {

void add_visit_rule_options(CLI::App& app, VisitOptions& visits, std::string& rule) {
  app.add_option("--visits", rule,
                 "Of --meds: hybrid (encounter id, else day), encounter, day or hours");
  app.add_option("--window-hours", visits.window_hours, "Of --visits hours");
  app.add_option("--encounter-column", visits.encounter_column, "Default: visit_id and the like");
}

}  // namespace sequela
