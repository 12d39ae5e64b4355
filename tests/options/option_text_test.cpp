// Parsing and printing of option values.
#include "options/option_text.hpp"

#include "mnist/support/error.hpp"
#include "options/parsed.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

TEST(OptionText, ReadsNumbers) {
  EXPECT_EQ(parsed<double>("1e-3"), 0.001);
  EXPECT_EQ(parsed<std::int64_t>("-5"), -5);
  EXPECT_EQ(parsed<std::uint64_t>("18446744073709551615"), ~std::uint64_t{0});
}

TEST(OptionText, RefusesMalformedNumbers) {
  for (const char* text : {"", "abc", "12x", "1,5", " 1", "0x10", "99999999999999999999"}) {
    expect_throws<UsageError>([&] { parsed<std::int64_t>(text); },
                              "expected a whole number, found");
  }
  expect_throws<UsageError>([] { parsed<std::int64_t>("1.5"); }, "found '1.5'");
  expect_throws<UsageError>([] { parsed<std::uint64_t>("-1"); }, "found '-1'");
  expect_throws<UsageError>([] { parsed<double>("1.0.0"); }, "expected a number, found '1.0.0'");
}

TEST(OptionText, ReadsLists) {
  using List = std::vector<std::int64_t>;
  EXPECT_EQ(parsed<List>("256,128"), (List{256, 128}));
  EXPECT_EQ(parsed<List>("7"), List{7});
  EXPECT_EQ(parsed<List>("none"), List{});
  EXPECT_EQ(option_text(List{}), "none");
  EXPECT_EQ(option_text(List{256, 128}), "256,128");
  for (const char* text : {"256,,128", "256,", ",256", "256;128", "a"}) {
    expect_throws<UsageError>([&] { parsed<List>(text); }, "expected");
  }
}

TEST(OptionText, ReadsNames) {
  EXPECT_EQ(parsed<Activation>("tanh"), Activation::kTanh);
  EXPECT_EQ(option_text(Optimizer::kAdamW), "adamw");
  expect_throws<UsageError>([] { parsed<Activation>("gelu"); },
                            "expected relu, tanh, sigmoid or identity, found 'gelu'");
}

TEST(OptionText, DoublesRoundTripExactly) {
  for (const double value : {0.1, 1.0 / 3, 1e-300, 12345678.9}) {
    EXPECT_EQ(parsed<double>(option_text(value)), value);
  }
}

TEST(OptionText, SuggestsTheNearestName) {
  const std::vector<std::string> names{"batch", "epochs", "lr", "log-file", "label-smoothing"};
  EXPECT_EQ(did_you_mean("bacth", names), "; did you mean batch?");
  EXPECT_EQ(did_you_mean("epoch", names, "--"), "; did you mean --epochs?");
  EXPECT_EQ(did_you_mean("log_file", names), "; did you mean log-file?");
  EXPECT_EQ(did_you_mean("lable-smoothin", names), "; did you mean label-smoothing?");
  EXPECT_EQ(did_you_mean("lt", names), "; did you mean lr?");
  for (const char* text : {"", "x", "xy", "training", "learning-rate"}) {
    EXPECT_EQ(did_you_mean(text, names), "") << text;
  }
}

TEST(OptionText, ZeroHasNoSign) {
  EXPECT_EQ(option_text(-0.0), "0");
  EXPECT_EQ(option_text(std::vector<double>{-0.0, 0.5}), "0,0.5");
}

}  // namespace
}  // namespace mnist
