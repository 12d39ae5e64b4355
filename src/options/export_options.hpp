// The options of mnist-export: struct, table and validation.
#pragma once

#include <string>

#include "export/export_format.hpp"
#include "mnist/support/log_options.hpp"
#include "options/option_info.hpp"
#include "options/shared_options.hpp"

namespace mnist {

struct ExportOptions {
  static constexpr const char* kProgram = "mnist-export";
  static constexpr const char* kDescription = "Converts a trained model to other formats.";

  std::string model = "model.pt";
  ExportFormat to = ExportFormat::kOnnx;
  std::string out;
  Precision precision = Precision::kF32;
  std::string data;
  LogOptions log;
};

/// Calls visit(member, OptionInfo) for each option, in the order of --help.
template <OptionsOf<ExportOptions> Self, class Visitor>
void for_each_option(Self& self, Visitor&& visit) {
  visit(self.model, OptionInfo{"model", "FILE", "model file, .pt or .safetensors", "Input"});
  visit(self.to, OptionInfo{"to", "FORMAT",
                            "onnx, safetensors, c (a header with weights and a predict function) "
                            "or html (a page to draw digits on)",
                            "Output"});
  visit(self.out,
        OptionInfo{"out", "FILE",
                   "file to write; default: the model's name with the format's suffix", "Output"});
  visit(self.precision,
        OptionInfo{"precision", "TYPE", "weight type for --to c: f32 or int8", "Output"});
  visit(self.data,
        OptionInfo{"data", "DIR",
                   "also evaluate the exported weights on the test split of this data", "Output"});
  for_each_log_option(self.log, visit);
}

/// Throws UsageError that names the flag, the value found and the values allowed.
void validate(const ExportOptions& options);

/// The file to write: `out`, or the model's name with the format's suffix. Throws UsageError when
/// that would overwrite the model.
std::string export_path(const ExportOptions& options);

}  // namespace mnist
