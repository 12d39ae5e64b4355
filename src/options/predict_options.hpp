// The options of mnist-predict: struct, table and validation.
#pragma once

#include <string>
#include <vector>

#include "imaging/preparation.hpp"
#include "mnist/support/log_options.hpp"
#include "options/option_info.hpp"
#include "options/shared_options.hpp"

namespace mnist {

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

/// Calls visit(member, OptionInfo) for each option, in the order of --help.
template <OptionsOf<PredictOptions> Self, class Visitor>
void for_each_option(Self& self, Visitor&& visit) {
  visit(self.images,
        OptionInfo{"IMAGE", "FILE", "PNG, JPEG, BMP or PGM files of any size", "Input"});
  visit(self.model, OptionInfo{"model", "FILE", "model file, .pt or .safetensors", "Input"});
  visit(self.prepare,
        OptionInfo{"prepare", "HOW",
                   "preprocess images as in MNIST (digit) or Fashion-MNIST (garment), "
                   "or use them unchanged (none)",
                   "Input"});
  visit(self.json, OptionInfo{"json", "", "print one JSON object per image", "Output"});
  visit(self.show, OptionInfo{"show", "", "draw the network's input", "Output"});
  for_each_log_option(self.log, visit);
}

/// Throws UsageError that names the flag, the value found and the values allowed.
void validate(const PredictOptions& options);

}  // namespace mnist
