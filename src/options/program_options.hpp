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
  static constexpr const char* kExamples = R"(
  mnist-eval                                         model.pt on the test set of data/mnist
  mnist-eval --model runs/a/model.pt --json          accuracy, loss, classes, confusion
  mnist-eval --report report.html --run-dir runs/a   a page with curves and mistakes
  mnist-eval --require-accuracy 97                   exits with 3 if the accuracy is lower
)";

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
  static constexpr const char* kExamples = R"(
  mnist-predict photo.jpg three.png                  the most probable classes of each image
  mnist-predict --show three.png                     also draws what the network sees
  mnist-predict --json --model runs/a/model.pt *.png one JSON object per image
)";

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
  static constexpr const char* kExamples = R"(
  mnist-export                                       model.pt as model.onnx
  mnist-export --to c --precision int8               model.h, for microcontrollers
  mnist-export --to html --out draw.html             a page that recognizes drawings
  mnist-export --to c --data data/mnist              also evaluates the exported weights
)";

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
  option_rows(visit, "Input")(self.split, "split", "NAME", "split to evaluate: train or test");
  visit(self.device, kDeviceOption);
  visit(self.threads, kThreadsOption);
  const auto row = option_rows(visit, "Output");
  row(self.json, "json", "", "print one JSON object instead of text");
  row(self.report, "report", "FILE", "also write an HTML report");
  row(self.run_dir, "run-dir", "DIR", "run directory whose curves and options the report shows");
  row(self.require_accuracy, "require-accuracy", "PERCENT", "exit with 3 if the accuracy is lower");
  for_each_log_option(self.log, visit);
}

template <OptionsOf<PredictOptions> Self, class Visitor>
void for_each_option(Self& self, Visitor&& visit) {
  const auto input = option_rows(visit, "Input");
  input(self.images, "IMAGE", "FILE", "PNG, JPEG, BMP, PGM or PPM files of any size");
  visit(self.model, kModelOption);
  input(self.prepare, "prepare", "HOW",
        "preprocess images as in MNIST (digit) or Fashion-MNIST (garment), or use them unchanged "
        "(none)");
  const auto output = option_rows(visit, "Output");
  output(self.json, "json", "", "print one JSON object per image");
  output(self.show, "show", "", "draw the network's input");
  for_each_log_option(self.log, visit);
}

template <OptionsOf<ExportOptions> Self, class Visitor>
void for_each_option(Self& self, Visitor&& visit) {
  visit(self.model, kModelOption);
  const auto row = option_rows(visit, "Output");
  row(self.to, "to", "FORMAT",
      "onnx, safetensors, c (a header with weights and a predict function) or html (a page to draw "
      "digits on)");
  row(self.out, "out", "FILE", "file to write; default: the model's name with the format's suffix");
  row(self.precision, "precision", "TYPE", "weight type for --to c: f32 or int8");
  row(self.data, "data", "DIR",
      "also evaluate the exported weights on the test split of this data");
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
