// The text of an exported header; tests/cli/export.py compiles and runs it.
#include <gtest/gtest.h>

#include "export/exporters.hpp"
#include "mnist/serialize/model_file.hpp"

namespace mnist {
namespace {

Model small_model(const std::string& class_name) {
  return {{{{2, 1, {1, -0.5F}, {3}}}}, {class_name}, {}};
}

TEST(CHeader, NumbersAreFloatLiteralsAndAllFieldsAreFilled) {
  const std::string text = c_header_text(small_model("a"), Precision::kF32);
  EXPECT_NE(text.find("mnist_weights_0[2] = {\n  1.0f, -0.5f,"), std::string::npos) << text;
  EXPECT_NE(text.find("mnist_biases_0[1] = {\n  3.0f,"), std::string::npos);
  EXPECT_EQ(text.find("{{"), std::string::npos);
}

TEST(CHeader, SmallNumbersAreFloatLiterals) {
  const Model model{{{{1, 1, {1e-20F}, {-3e30F}}}}, {"a"}, {}};
  const std::string text = c_header_text(model, Precision::kF32);
  EXPECT_NE(text.find("{\n  1e-20f,"), std::string::npos) << text;
  EXPECT_NE(text.find("{\n  -3e+30f,"), std::string::npos) << text;
}

TEST(CHeader, LayersAlternateBetweenTwoBuffersOfTheWidestLayer) {
  const Model model{zero_mlp({2, {3, 5, 4}, 1, Activation::kRelu}), {"a"}, {}};
  const std::string text = c_header_text(model, Precision::kF32);
  EXPECT_NE(text.find("#define MNIST_MAX_WIDTH 5\n"), std::string::npos) << text;
  for (const char* call : {"3, 2, pixels, even);", "5, 3, even, odd);", "4, 5, odd, even);",
                           "1, 4, even, probabilities);"}) {
    EXPECT_NE(text.find(call), std::string::npos) << call;
  }
}

TEST(CHeader, Int8WeightsHaveScales) {
  const std::string text = c_header_text(small_model("a"), Precision::kInt8);
  EXPECT_NE(text.find("static const signed char mnist_weights_0[2] = {\n  127, -64,"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("static const float mnist_scales_0[1]"), std::string::npos);
}

TEST(CHeader, EscapesClassNames) {
  const std::string text = c_header_text(small_model("\"; system(\"x\n?"
                                                     "?/"),
                                         Precision::kF32);
  EXPECT_NE(text.find(R"({"\042; system(\042x\012\077\077/"})"), std::string::npos) << text;
}

TEST(ThroughInt8, RoundsEachRowToStepsOfItsOwn) {
  const Mlp mlp{{{3, 2, {127, -63.6F, 0, 0.5F, -1.27F, 0.005F}, {0, 0.123F}}}};
  const Linear rounded = through_int8(mlp).layers[0];
  const std::vector<float> expected{127, -64, 0, 0.5F, -1.27F, 0.01F};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_FLOAT_EQ(rounded.weight[i], expected[i]) << i;
  }
  EXPECT_EQ(rounded.bias, mlp.layers[0].bias);
}

TEST(ThroughInt8, RowsOfZerosStayZeros) {
  EXPECT_EQ(through_int8({{{2, 1, {0, 0}, {0}}}}).layers[0].weight, (std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace mnist
