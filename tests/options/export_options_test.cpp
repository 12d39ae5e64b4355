// Where an export goes, and what it refuses.
#include "options/export_options.hpp"

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

ExportOptions to(ExportFormat format, const std::string& model) {
  ExportOptions options;
  options.to = format;
  options.model = model;
  return options;
}

TEST(ExportOptions, TheFileIsCalledLikeTheModel) {
  EXPECT_EQ(export_path(to(ExportFormat::kOnnx, "runs/a.b.pt")), "runs/a.b.onnx");
  EXPECT_EQ(export_path(to(ExportFormat::kC, "model.pt")), "model.h");
  ExportOptions options = to(ExportFormat::kHtml, "model.pt");
  options.out = "page";
  EXPECT_EQ(export_path(options), "page");
}

TEST(ExportOptions, NeverReplacesTheModelByDefault) {
  expect_throws<UsageError>([] { export_path(to(ExportFormat::kSafetensors, "m.safetensors")); },
                            "--to safetensors would replace the model m.safetensors itself");
}

TEST(ExportOptions, EightBitsAreForCAlone) {
  ExportOptions options = to(ExportFormat::kC, "model.pt");
  options.precision = Precision::kInt8;
  EXPECT_NO_THROW(validate(options));
  options.to = ExportFormat::kOnnx;
  expect_throws<UsageError>([&] { validate(options); }, "--precision int8 contradicts --to onnx");
}

}  // namespace
}  // namespace mnist
