#pragma once

#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "tests/support/shared.h"

namespace sequela {

// Whose numbers a test compares with: those of tests/reference, made on records of our own, or
// those of third parties' records beside the checkout. Both have the same files.
enum class Reference { repository, shared };

namespace reference_detail {
inline Reference current = Reference::repository;
}

// Takes the numbers of a reference for a scope.
class WithReference {
 public:
  explicit WithReference(Reference reference) : before_(reference_detail::current) {
    reference_detail::current = reference;
  }
  ~WithReference() { reference_detail::current = before_; }

 private:
  Reference before_;
};

inline bool is_own_reference() {
  return reference_detail::current == Reference::repository;
}

// A path among the reference numbers, such as "motor/g60/split.csv"; see tests/reference.
inline std::string reference_path(const std::string& relative) {
  if (!is_own_reference()) return shared_path("parity/" + relative);
  return SEQUELA_SOURCE_DIR "/tests/reference/" + relative;
}

// A path among the records with few, rare codes and the two bundles for them (in the other
// reference they are femr's tutorial).
inline std::string tutorial_path(const std::string& relative) {
  return is_own_reference() ? reference_path("motor/tutorial/" + relative)
                            : shared_path("data/femr_tutorial/" + relative);
}

inline std::string to_text(Reference reference) {
  return reference == Reference::repository ? "repository" : "shared";
}

// The name of a test that runs once per reference and something else, for INSTANTIATE_TEST_SUITE_P.
template <class Info>
std::string name_on_reference(const Info& info) {
  return to_text(std::get<0>(info.param)) + "_" + std::string(std::get<1>(info.param));
}

// Each TEST_P of a suite that is derived from this and named to SEQUELA_ON_REFERENCES runs once
// with each reference.
class OnReference : public testing::TestWithParam<Reference> {
 protected:
  void SetUp() override {
    if (GetParam() == Reference::shared) SEQUELA_NEED_SHARED();
  }

 private:
  WithReference with_reference_{GetParam()};
};

}  // namespace sequela

#define SEQUELA_ON_REFERENCES(suite)                                                  \
  INSTANTIATE_TEST_SUITE_P(Numbers, suite,                                            \
                           testing::Values(Reference::repository, Reference::shared), \
                           [](const auto& info) { return to_text(info.param); })
