// Everything that a prediction can be asked for.
#pragma once

#include <string>
#include <vector>

#include "imaging/preparation.hpp"
#include "mnist/support/log_options.hpp"
#include "options/log_option_table.hpp"
#include "options/option_info.hpp"

namespace mnist {

/// Options of mnist-predict.
struct PredictOptions {
  static constexpr const char* kProgram = "mnist-predict";
  static constexpr const char* kDescription =
      "Says what a trained model sees in a person's images.";

  std::vector<std::string> images;
  std::string model = "model.pt";
  Preparation prepare = Preparation::kDigit;
  bool json = false;
  bool show = false;
  LogOptions log;
};

/// Calls visit(member, OptionInfo) for each option, in the order in which help shows them.
template <OptionsOf<PredictOptions> Self, class Visitor>
void for_each_option(Self& self, Visitor&& visit) {
  visit(self.images, OptionInfo{"IMAGE", "FILE", "PNG, JPEG, BMP or PGM, of any size", "Input"});
  visit(self.model, OptionInfo{"model", "FILE", "the model, .pt or .safetensors", "Input"});
  visit(self.prepare,
        OptionInfo{"prepare", "HOW",
                   "bring images to the form of MNIST (digit) or Fashion-MNIST (garment); none "
                   "takes them as they are",
                   "Input"});
  visit(self.json, OptionInfo{"json", "", "print one JSON object an image", "Output"});
  visit(self.show, OptionInfo{"show", "", "draw what the network is given", "Output"});
  for_each_log_option(self.log, visit);
}

/// Throws UsageError that names the flag, what was found and what is allowed.
void validate(const PredictOptions& options);

}  // namespace mnist
