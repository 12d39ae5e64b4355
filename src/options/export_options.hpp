// Everything that an export can be asked for.
#pragma once

#include <string>

#include "export/export_format.hpp"
#include "mnist/support/log_options.hpp"
#include "options/log_option_table.hpp"
#include "options/option_info.hpp"

namespace mnist {

/// Options of mnist-export.
struct ExportOptions {
  static constexpr const char* kProgram = "mnist-export";
  static constexpr const char* kDescription = "Writes a trained model in a form that others read.";

  std::string model = "model.pt";
  ExportFormat to = ExportFormat::kOnnx;
  std::string out;
  Precision precision = Precision::kF32;
  std::string data;
  LogOptions log;
};

/// Calls visit(member, OptionInfo) for each option, in the order in which help shows them.
template <OptionsOf<ExportOptions> Self, class Visitor>
void for_each_option(Self& self, Visitor&& visit) {
  visit(self.model, OptionInfo{"model", "FILE", "the model, .pt or .safetensors", "Input"});
  visit(self.to,
        OptionInfo{"to", "FORMAT",
                   "onnx, safetensors, c (a header with weights and a predict function) or "
                   "html (a page to draw digits on)",
                   "Output"});
  visit(self.out, OptionInfo{"out", "FILE",
                             "what to write; by default the model's name with "
                             "another suffix",
                             "Output"});
  visit(self.precision,
        OptionInfo{"precision", "TYPE", "of the weights in c: f32 or int8", "Output"});
  visit(self.data,
        OptionInfo{"data", "DIR",
                   "also measure what is exported, on the test split of the data in this folder",
                   "Output"});
  for_each_log_option(self.log, visit);
}

/// Throws UsageError that names the flag, what was found and what is allowed.
void validate(const ExportOptions& options);

/// The file to write: `out`, or the model's name with the suffix of the format.
std::string export_path(const ExportOptions& options);

}  // namespace mnist
