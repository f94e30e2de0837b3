#pragma once

#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "tests/support/isa.h"
#include "tests/support/reference.h"

namespace sequela {

// A test that runs once per reference, model of it and instruction set.
class OnReferenceModel : public testing::TestWithParam<std::tuple<Reference, std::string, Isa>> {
 protected:
  void SetUp() override {
    if (!is_own_reference()) SEQUELA_NEED_SHARED();
  }

  static std::string model_name() { return std::get<1>(GetParam()); }
  static std::string fixture(const std::string& file) {
    return reference_path("motor/" + model_name() + "/" + file);
  }

 private:
  WithReference with_reference_{std::get<0>(GetParam())};
  WithIsa with_isa_{std::get<2>(GetParam())};
};

}  // namespace sequela

#define SEQUELA_ON_REFERENCE_MODELS(suite)                                                   \
  INSTANTIATE_TEST_SUITE_P(                                                                  \
      Models, suite,                                                                         \
      testing::Combine(testing::Values(Reference::repository, Reference::shared),            \
                       testing::Values("model_main", "model_main_allattn", "model_prehawk"), \
                       testing::ValuesIn(runnable_isas())),                                  \
      [](const auto& info) {                                                                 \
        return to_text(std::get<0>(info.param)) + "_" + std::get<1>(info.param) + "_" +      \
               to_text(std::get<2>(info.param));                                             \
      })
