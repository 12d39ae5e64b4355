// Output paths and validation of mnist-export.
#include "options/program_options.hpp"

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

TEST(EvalOptions, OnlyTheReportShowsARun) {
  EvalOptions options;
  options.run_dir = "runs/first";
  expect_throws<UsageError>([&] { validate(options); }, "--run-dir needs --report");
  options.report = "report.html";
  EXPECT_NO_THROW(validate(options));
}

TEST(ExportOptions, OutputIsNamedAfterTheModel) {
  EXPECT_EQ(export_path(to(ExportFormat::kOnnx, "runs/a.b.pt")), "runs/a.b.onnx");
  EXPECT_EQ(export_path(to(ExportFormat::kC, "model.pt")), "model.h");
  ExportOptions options = to(ExportFormat::kHtml, "model.pt");
  options.out = "page";
  EXPECT_EQ(export_path(options), "page");
}

TEST(ExportOptions, NeverOverwritesTheModelByDefault) {
  expect_throws<UsageError>(
      [] { export_path(to(ExportFormat::kSafetensors, "m.safetensors")); },
      "--to safetensors would overwrite the model m.safetensors; name another file");
}

TEST(ExportOptions, OnlyTheCHeaderSupportsInt8) {
  ExportOptions options = to(ExportFormat::kC, "model.pt");
  options.precision = Precision::kInt8;
  EXPECT_NO_THROW(validate(options));
  options.to = ExportFormat::kOnnx;
  expect_throws<UsageError>([&] { validate(options); },
                            "--precision int8 cannot be combined with --to onnx; use --to c");
}

}  // namespace
}  // namespace mnist
