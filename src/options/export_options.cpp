// Everything that an export can be asked for.
#include "options/export_options.hpp"

#include <filesystem>

#include "mnist/support/error.hpp"
#include "options/option_text.hpp"

namespace mnist {

void validate(const ExportOptions& options) {
  if (options.model.empty()) throw UsageError("--model must be the name of a file, found nothing");
  if (options.precision == Precision::kInt8 && options.to != ExportFormat::kC) {
    throw UsageError("--precision int8 contradicts --to " + option_text(options.to) +
                     ": only c knows it");
  }
  validate(options.log);
}

std::string export_path(const ExportOptions& options) {
  if (!options.out.empty()) return options.out;
  const std::string suffix = options.to == ExportFormat::kC ? ".h" : "." + option_text(options.to);
  std::string path = std::filesystem::path(options.model).replace_extension(suffix).string();
  if (path == options.model) {
    throw UsageError("--to " + option_text(options.to) + " would replace the model " +
                     options.model + " itself; name another file with --out");
  }
  return path;
}

}  // namespace mnist
