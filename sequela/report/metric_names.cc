#include "sequela/report/metric_names.h"

#include <array>

namespace sequela {
namespace {

struct Name {
  const char* metric;
  const char* title;
};
constexpr auto kNames = std::to_array<Name>({
    {"auroc", "AUROC"},
    {"auprc", "AUPRC"},
    {"brier", "Brier score"},
    {"log_loss", "Log loss"},
    {"calibration_slope", "Calibration slope"},
    {"calibration_intercept", "Calibration intercept"},
    {"calibration_in_the_large", "Calibration in the large"},
    {"ece", "Expected calibration error"},
    {"ici", "Integrated calibration index"},
    {"harrell_c", "Harrell's C"},
    {"uno_c", "Uno's C"},
    {"mean_auc", "Mean AUC"},
    {"integrated_brier", "Integrated Brier score"},
});

}  // namespace

std::string metric_title(const std::string& metric) {
  for (const Name& name : kNames) {
    if (metric == name.metric) return name.title;
  }
  return metric;
}

Better better_of(const std::string& metric) {
  for (const char* start : {"auroc", "auprc", "sensitivity", "ppv", "net_benefit", "harrell_c",
                            "uno_c", "mean_auc", "auc_at"}) {
    if (metric.starts_with(start)) return Better::higher;
  }
  for (const char* start : {"brier", "log_loss", "integrated_brier", "ece", "ici"}) {
    if (metric.starts_with(start)) return Better::lower;
  }
  return Better::neither;
}

}  // namespace sequela
