// The options of mnist-eval, mnist-predict and mnist-export: structs, tables and validation.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "export/exporters.hpp"
#include "imaging/prepare.hpp"
#include "mnist/data/split.hpp"
#include "mnist/support/log_options.hpp"
#include "options/shared_options.hpp"

namespace mnist {

struct EvalOptions {
  static constexpr const char* kProgram = "mnist-eval";
  static constexpr const char* kDescription = "Evaluates a trained model on a dataset.";

  std::string model = "model.pt";
  std::string data = "data/mnist";
  Split split = Split::kTest;
  std::string device = "auto";
  std::int64_t threads = 0;
  bool json = false;
  std::string report;
  std::string run_dir;
  double require_accuracy = 0;
  LogOptions log;
};

struct PredictOptions {
  static constexpr const char* kProgram = "mnist-predict";
  static constexpr const char* kDescription = "Classifies image files with a trained model.";

  std::vector<std::string> images;
  std::string model = "model.pt";
  Preparation prepare = Preparation::kDigit;
  bool json = false;
  bool show = false;
  LogOptions log;
};

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

// Each table calls visit(member, OptionInfo) for each option, in the order of --help.
template <OptionsOf<EvalOptions> Self, class Visitor>
void for_each_option(Self& self, Visitor&& visit) {
  visit(self.model, kModelOption);
  visit(self.data, data_option("Input"));
  visit(self.split, OptionInfo{"split", "NAME", "split to evaluate: train or test", "Input"});
  visit(self.device, kDeviceOption);
  visit(self.threads, kThreadsOption);
  visit(self.json, OptionInfo{"json", "", "print one JSON object instead of text", "Output"});
  visit(self.report, OptionInfo{"report", "FILE", "also write an HTML report", "Output"});
  visit(self.run_dir,
        OptionInfo{"run-dir", "DIR", "run directory whose curves and options the report shows",
                   "Output"});
  visit(self.require_accuracy, OptionInfo{"require-accuracy", "PERCENT",
                                          "exit with 3 if the accuracy is lower", "Output"});
  for_each_log_option(self.log, visit);
}

template <OptionsOf<PredictOptions> Self, class Visitor>
void for_each_option(Self& self, Visitor&& visit) {
  visit(self.images,
        OptionInfo{"IMAGE", "FILE", "PNG, JPEG, BMP or PGM files of any size", "Input"});
  visit(self.model, kModelOption);
  visit(self.prepare,
        OptionInfo{"prepare", "HOW",
                   "preprocess images as in MNIST (digit) or Fashion-MNIST (garment), "
                   "or use them unchanged (none)",
                   "Input"});
  visit(self.json, OptionInfo{"json", "", "print one JSON object per image", "Output"});
  visit(self.show, OptionInfo{"show", "", "draw the network's input", "Output"});
  for_each_log_option(self.log, visit);
}

template <OptionsOf<ExportOptions> Self, class Visitor>
void for_each_option(Self& self, Visitor&& visit) {
  visit(self.model, kModelOption);
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

// Each throws UsageError that names the flag, the value found and the values allowed.
void validate(const EvalOptions& options);
void validate(const PredictOptions& options);
void validate(const ExportOptions& options);

/// The file that mnist-export writes: `out`, or the model's name with the format's suffix. Throws
/// UsageError when that would overwrite the model.
std::string export_path(const ExportOptions& options);

}  // namespace mnist
