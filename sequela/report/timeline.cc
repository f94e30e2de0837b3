#include "sequela/report/timeline.h"

#include "sequela/core/error.h"
#include "sequela/report/html.h"
#include "sequela/report/json_fields.h"

namespace sequela {

void add_timeline(const PatientTimeline& timeline, Page& page) {
  PageTable risks{{"Code", "Age in years", "Risk"}, {}};
  for (const PatientTimeline::Risk& risk : timeline.risks)
    risks.rows.push_back({risk.task, risk.age_years, risk.risk});
  PageTable events{{"Vocabulary", "Age in years", "Code"}, {}};
  for (const PatientTimeline::Event& event : timeline.events)
    events.rows.push_back({event.vocabulary, event.age_years, event.code});
  const auto count = static_cast<int64_t>(timeline.events.size());
  Section section{str("Patient ", timeline.subject_id),
                  {Paragraph{str(counted(count, "event", "events"), ". Codes and ages only.")}},
                  {}};
  if (!risks.rows.empty()) {
    section.blocks.emplace_back(
        ShownFigure{"Risk over time",
                    str("Of each code within ", number_text(timeline.horizon_days),
                        " days, right after each event, by the model's own hazards."),
                    {.series = "Code", .x = "Age in years", .y = "Risk", .is_step = true},
                    std::move(risks)});
  }
  if (!events.rows.empty()) {
    section.blocks.emplace_back(ShownFigure{"Events",
                                            "A point is an event, in the lane of its vocabulary.",
                                            {.kind = ChartKind::points,
                                             .label = "Code",
                                             .x = "Age in years",
                                             .y = "Vocabulary",
                                             .y_scale = "category"},
                                            std::move(events)});
  }
  page.sections.push_back(std::move(section));
}

}  // namespace sequela
