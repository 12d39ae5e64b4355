// Property-based tests with rapidcheck: properties of all inputs, checked on random ones.
//
//     PROPERTY(Suite, Name) {
//       const int number = *rc::gen::inRange(0, 10);
//       RC_ASSERT(number < 10);
//     }
//
// A failure prints the smallest input that fails. Cases are the same in every run; RC_PARAMS, for
// example "seed=2 max_success=10000", selects others.
#pragma once

#include <cstdlib>
#include <rapidcheck.h>
#include <string>

#include <gtest/gtest.h>

namespace mnist {

inline bool check_property(const std::string& name, void (*property)()) {
  ::setenv("RC_PARAMS", "seed=1 max_success=200", /*overwrite=*/0);
  return rc::check(name, property);
}

}  // namespace mnist

#define PROPERTY(suite, name)                                      \
  void suite##_##name##_property();                                \
  TEST(suite, name) {                                              \
    EXPECT_TRUE(check_property(#name, suite##_##name##_property)); \
  }                                                                \
  void suite##_##name##_property()
