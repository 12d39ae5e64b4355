// Checks between options, and the default output path.
#include "options/program_options.hpp"

#include <filesystem>

#include "mnist/support/error.hpp"
#include "options/option_text.hpp"

namespace mnist {

void validate(const EvalOptions& options) {
  require_name(options.model, "model", "file");
  require_name(options.data, "data", "directory");
  validate_device(options.device);
  validate_threads(options.threads);
  validate_required_accuracy(options.require_accuracy);
  if (!options.run_dir.empty() && options.report.empty()) {
    throw UsageError("--run-dir needs --report, the only output that shows the run");
  }
  validate(options.log);
}

void validate(const PredictOptions& options) {
  if (options.images.empty()) throw UsageError("no IMAGE given; name at least one image file");
  require_name(options.model, "model", "file");
  validate(options.log);
}

void validate(const ExportOptions& options) {
  require_name(options.model, "model", "file");
  if (options.precision == Precision::kInt8 && options.to != ExportFormat::kC) {
    throw UsageError("--precision int8 cannot be combined with --to " + option_text(options.to) +
                     "; use --to c or --precision f32");
  }
  validate(options.log);
}

std::string export_path(const ExportOptions& options) {
  if (!options.out.empty()) return options.out;
  const std::string suffix = options.to == ExportFormat::kC ? ".h" : "." + option_text(options.to);
  std::string path = std::filesystem::path(options.model).replace_extension(suffix).string();
  if (path == options.model) {
    throw UsageError("--to " + option_text(options.to) + " would overwrite the model " +
                     options.model + "; name another file with --out");
  }
  return path;
}

}  // namespace mnist
