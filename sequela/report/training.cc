#include "sequela/report/training.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/report/html.h"
#include "sequela/report/json_fields.h"

namespace sequela {
namespace {

// A line of a figure: a key of the entries, and its name.
struct Line {
  std::string key, name;
};

void add_line(const Json& entries, const Line& line, PageTable& table) {
  for (const Json& entry : entries) {
    const double value = number_field(entry, line.key);
    if (!std::isnan(value)) table.rows.push_back({line.name, to_cell(field(entry, "step")), value});
  }
}

ShownFigure step_figure(std::string title, std::string note, const std::string& y) {
  return {std::move(title),
          std::move(note),
          {.series = "Series", .x = "Step", .y = y},
          {{"Series", "Step", y}, {}}};
}

// Keys that some entry has below a prefix, in the order in which they first come.
std::vector<Line> lines_below(const Json& entries, const std::string& prefix,
                              const std::string& suffix = "") {
  std::vector<Line> lines;
  for (const Json& entry : entries) {
    if (!entry.is_object()) continue;
    for (const auto& [key, value] : entry.items()) {
      if (!key.starts_with(prefix) || !key.ends_with(suffix)) continue;
      const std::string name =
          key.substr(prefix.size(), key.size() - prefix.size() - suffix.size());
      bool is_known = false;
      for (const Line& line : lines) is_known = is_known || line.key == key;
      if (!is_known) lines.push_back({key, name});
    }
  }
  return lines;
}

ShownFigure lines_figure(ShownFigure figure, const Json& entries, const std::vector<Line>& lines) {
  for (const Line& line : lines) add_line(entries, line, figure.table);
  return figure;
}

ShownFigure loss_figure(const Json& metrics) {
  ShownFigure figure = step_figure(
      "Loss", "Of the training steps since the line before, and of all validation batches.",
      "Loss");
  add_line(list_field(metrics, "log"), {"train/loss", "training"}, figure.table);
  add_line(list_field(metrics, "evaluations"), {"eval/loss", "validation"}, figure.table);
  add_line(list_field(metrics, "evaluations"), {"eval/constant_loss", "constant hazards"},
           figure.table);
  return figure;
}

ShownFigure gain_figure(const Json& evaluations) {
  ShownFigure figure = step_figure("Gain per event",
                                   "What an event costs less under the model than under constant "
                                   "hazards, in nats; 0 has learnt nothing.",
                                   "Nats per event");
  figure.chart.level = 0;
  return lines_figure(std::move(figure), evaluations,
                      {{"eval/gain", "all tasks"},
                       {"eval/gain/frequent", "frequent"},
                       {"eval/gain/middle", "middle"},
                       {"eval/gain/rare", "rare"},
                       {"eval/truth/gain", "the truth's own hazards"}});
}

// The values of the last evaluation below a prefix, as bars.
ShownFigure last_figure(std::string title, const Json& evaluations, const std::string& prefix,
                        const std::string& what, const std::string& x) {
  ShownFigure figure{std::move(title),
                     "At the last evaluation.",
                     {.kind = ChartKind::bars, .category = what, .x = x},
                     {{what, x}, {}}};
  if (evaluations.empty()) return figure;
  for (const Line& line : lines_below(evaluations, prefix)) {
    const double value = number_field(evaluations.back(), line.key);
    if (!std::isnan(value)) figure.table.rows.push_back({line.name, value});
  }
  return figure;
}

std::vector<Line> with_all(const std::string& key, const std::string& name,
                           std::vector<Line> lines) {
  lines.insert(lines.begin(), {key, name});
  return lines;
}

ShownFigure health_figure(const Json& log, const std::string& kind, const std::string& title,
                          const std::string& note) {
  ShownFigure figure = step_figure(title, note, title);
  figure.chart.y_scale = kind == "starved" ? "linear" : "log";
  figure = lines_figure(std::move(figure), log, lines_below(log, "health/", "/" + kind));
  if (figure.chart.y_scale == "log") {  // 0 has no place on it
    std::erase_if(figure.table.rows, [](const auto& row) { return std::get<double>(row[2]) <= 0; });
  }
  return figure;
}

std::vector<ShownFigure> learning_figures(const Json& metrics) {
  const Json& evaluations = list_field(metrics, "evaluations");
  return {
      loss_figure(metrics),
      gain_figure(evaluations),
      last_figure("Gain per event by vocabulary", evaluations, "eval/gain/vocabulary/",
                  "Vocabulary", "Nats per event"),
      lines_figure(step_figure("Concordance", "Time-dependent, mean of the most frequent tasks.",
                               "Concordance"),
                   evaluations, {{"eval/concordance", "mean"}}),
      last_figure("Concordance by task", evaluations, "eval/concordance/", "Task", "Concordance"),
      lines_figure(
          step_figure("Probe", "AUROC of a logistic regression on the embeddings.", "AUROC"),
          evaluations, with_all("eval/probe", "mean", lines_below(evaluations, "eval/probe/"))),
      lines_figure(step_figure("Validation AUROC", "Of the labels that are tuned on.", "AUROC"),
                   evaluations, {{"eval/auroc", "validation"}}),
      lines_figure(
          step_figure("Recall of the history",
                      "Median AUROC of telling whether a code stood in the last year, by the "
                      "code's frequency in percent.",
                      "AUROC"),
          evaluations,
          with_all("eval/recall", "all codes", lines_below(evaluations, "eval/recall/")))};
}

std::vector<ShownFigure> optimizer_figures(const Json& log) {
  ShownFigure rate = lines_figure(step_figure("Learning rate", "", "Learning rate"), log,
                                  {{"train/learning_rate", "learning rate"}});
  ShownFigure norm = lines_figure(step_figure("Gradient norm", "Before clipping.", "Gradient norm"),
                                  log, {{"train/grad_norm", "all parameters"}});
  norm.chart.y_scale = "log";
  return {std::move(rate), std::move(norm),
          health_figure(log, "gradient_norm", "Gradient norm by kind", "Before clipping."),
          health_figure(log, "update_ratio", "Size of a step",
                        "Norm of the step over the norm of the weights, by kind."),
          health_figure(log, "starved", "Starved parameters",
                        "Share of entries whose second moment lies below epsilon: they hardly "
                        "move. More than a tenth calls for a smaller epsilon.")};
}

std::vector<ShownFigure> throughput_figures(const Json& log) {
  return {
      lines_figure(step_figure("Throughput", "", "Tokens per second"), log,
                   {{"train/tokens_per_second", "tokens per second"}}),
      lines_figure(step_figure("Share of the machine's matrix products",
                               "Model FLOP per second over the rate of a large product.", "Share"),
                   log, {{"train/mfu", "share"}})};
}

Section figures_section(const std::string& title, std::vector<ShownFigure> figures) {
  Section section{title, {}, {}};
  for (ShownFigure& figure : figures) {
    if (!figure.table.rows.empty()) section.blocks.emplace_back(std::move(figure));
  }
  return section;
}

// "600 steps; the best evaluation at step 600: loss 0.01234, gain 0.61 nats an event".
std::string training_text(const Json& metrics) {
  const Json& log = list_field(metrics, "log");
  std::string text = log.empty() ? "No step was logged"
                                 : counted(count_field(log.back(), "step"), "step", "steps");
  const Json* best = nullptr;
  for (const Json& entry : list_field(metrics, "evaluations"))
    if (field(entry, "is_best") == true) best = &entry;
  if (best == nullptr) return text + ".";
  text += str("; the best evaluation at step ", count_field(*best, "step"), ": loss ",
              number_text(number_field(*best, "eval/loss")));
  const std::string gain = number_text(number_field(*best, "eval/gain"));
  return text + (gain.empty() ? "." : str(", gain ", gain, " nats per event."));
}

}  // namespace

void add_training(const Json& metrics, const std::string& name, Page& page) {
  const std::string text = training_text(metrics);
  page.summary += (page.summary.empty() ? "" : " · ") + str(name, ": ", text);
  Section section{"Training: " + name, {Paragraph{text}}, {}};
  if (field(metrics, "warned_at").is_number_integer()) {
    section.blocks.emplace_back(Notice{
        str("At step ", count_field(metrics, "warned_at"),
            " the run warned of parameters that hardly move; see the optimizer's figures.")});
  }
  for (Section part :
       {figures_section("Learning curves", learning_figures(metrics)),
        figures_section("Optimizer", optimizer_figures(list_field(metrics, "log"))),
        figures_section("Throughput", throughput_figures(list_field(metrics, "log")))}) {
    if (!part.blocks.empty()) section.sections.push_back(std::move(part));
  }
  page.sections.push_back(std::move(section));
}

}  // namespace sequela
