// What tools/gpu_check runs of this program: one probe a process. The result goes to standard
// output, as JSON; the log to standard error.
//   gpu_probe facts|kernels|training|profile|features|encoder [--device D] [--data DIR] [--out DIR]
//   [--size S]
//             [--precision bf16|fp32] [--kernels auto|plain|own] [--steps N] [--joined N]
//             [--recompute 1] [--fault OP]
#include <cstdio>
#include <exception>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "sequela/core/error.h"
#include "sequela/core/log.h"
#include "tools/gpu/probe/probe.h"

namespace sequela {
namespace {

using Set = std::function<void(ProbeOptions&, const std::string&)>;

const std::map<std::string, Set> kOptions = {
    {"--device", [](ProbeOptions& o, const std::string& text) { o.device = at::Device(text); }},
    {"--data", [](ProbeOptions& o, const std::string& text) { o.data = text; }},
    {"--out", [](ProbeOptions& o, const std::string& text) { o.out = text; }},
    {"--size", [](ProbeOptions& o, const std::string& text) { o.size = text; }},
    {"--precision",
     [](ProbeOptions& o, const std::string& text) {
       o.precision = text == "fp32" ? Precision::fp32 : Precision::bf16;
     }},
    {"--kernels", [](ProbeOptions& o, const std::string& text) { o.kernels = to_kernels(text); }},
    {"--steps", [](ProbeOptions& o, const std::string& text) { o.steps = std::stoll(text); }},
    {"--joined", [](ProbeOptions& o, const std::string& text) { o.joined = std::stoll(text); }},
    {"--recompute",
     [](ProbeOptions& o, const std::string& text) { o.is_recomputed = text == "1"; }},
    {"--fault", [](ProbeOptions& o, const std::string& text) { o.fault = text; }}};

const std::map<std::string, Json (*)(const ProbeOptions&)> kProbes = {
    {"facts", probe_facts},     {"kernels", probe_kernels},   {"training", probe_training},
    {"profile", probe_profile}, {"features", probe_features}, {"encoder", probe_encoder}};

int run(const std::vector<std::string>& words) {
  const auto probe = words.empty() ? kProbes.end() : kProbes.find(words[0]);
  if (probe == kProbes.end())
    throw ConfigError("first word", words.empty() ? "" : words[0], "a probe's name");
  ProbeOptions options;
  for (size_t i = 1; i < words.size(); i += 2) {
    const auto option = kOptions.find(words[i]);
    if (option == kOptions.end() || i + 1 == words.size())
      throw ConfigError("option", words[i], "one with a value");
    option->second(options, words[i + 1]);
  }
  if (options.device.is_cuda() && !options.device.has_index())
    options.device = at::Device(at::kCUDA, 0);
  std::printf("%s\n", json_text(probe->second(options)).c_str());
  return 0;
}

}  // namespace
}  // namespace sequela

int main(int argc, char** argv) {
  sequela::set_log_sink([](sequela::LogLevel, const std::string& message) {
    std::fprintf(stderr, "%s\n", message.c_str());
  });
  try {
    return sequela::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_probe: %s\n", error.what());
    return 1;
  }
}
