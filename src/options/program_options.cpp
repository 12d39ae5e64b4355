// Checks between options, and the default output path.
#include "options/program_options.hpp"

#include <filesystem>

#include "support/machine.hpp"

namespace mnist {

void validate(const EvalOptions& options) {
  require_name(options.model, "model", "file");
  require_name(options.data, "data", "directory");
  validate_device(options.device);
  require_range(options.threads, 0, kMaxThreads, "threads");
  require_range(options.require_accuracy, 0, 100, "require-accuracy");
  reject_if(!options.run_dir.empty() && options.report.empty(),
            "--run-dir needs --report, the only output that shows the run");
  validate(options.log);
}

void validate(const PredictOptions& options) {
  reject_if(options.images.empty(), "no FILE given; name at least one image file");
  require_name(options.model, "model", "file");
  validate(options.log);
}

void validate(const ExportOptions& options) {
  require_name(options.model, "model", "file");
  reject_if(options.precision == Precision::kInt8 && options.to != ExportFormat::kC,
            "--precision int8 cannot be combined with --to " + option_text(options.to) +
                "; use --to c or --precision f32");
  validate(options.log);
}

std::string export_path(const ExportOptions& options) {
  if (!options.out.empty()) return options.out;
  const std::string suffix = options.to == ExportFormat::kC ? ".h" : "." + option_text(options.to);
  std::string path = std::filesystem::path(options.model).replace_extension(suffix).string();
  reject_if(path == options.model, "--to " + option_text(options.to) +
                                       " would overwrite the model " + options.model +
                                       "; name another file with --out");
  return path;
}

}  // namespace mnist
