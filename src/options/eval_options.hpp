// Everything that an evaluation can be asked for.
#pragma once

#include <cstdint>
#include <string>

#include "mnist/data/split.hpp"
#include "mnist/support/log_options.hpp"
#include "options/log_option_table.hpp"
#include "options/option_info.hpp"

namespace mnist {

/// Options of mnist-eval.
struct EvalOptions {
  static constexpr const char* kProgram = "mnist-eval";
  static constexpr const char* kDescription = "Measures a trained model on a set of examples.";

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

/// Calls visit(member, OptionInfo) for each option, in the order in which help shows them.
template <OptionsOf<EvalOptions> Self, class Visitor>
void for_each_option(Self& self, Visitor&& visit) {
  visit(self.model, OptionInfo{"model", "FILE", "the model, .pt or .safetensors", "Input"});
  visit(self.data, OptionInfo{"data", "DIR", "folder with the four IDX files, raw or gzip", "Input",
                              OptionScope::kPlace, "MNIST_DATA"});
  visit(self.split, OptionInfo{"split", "NAME", "which part of the data: train or test", "Input"});
  visit(self.device, OptionInfo{"device", "NAME", "auto, cpu, cuda or cuda:N", "Machine"});
  visit(self.threads, OptionInfo{"threads", "N", "processor threads; 0 chooses", "Machine"});
  visit(self.json, OptionInfo{"json", "", "print one JSON object instead of text", "Output"});
  visit(self.report,
        OptionInfo{"report", "FILE", "also write a page with pictures, to look at in a browser",
                   "Output"});
  visit(self.run_dir,
        OptionInfo{"run-dir", "DIR", "folder of the run, whose curves and options the report shows",
                   "Output"});
  visit(self.require_accuracy, OptionInfo{"require-accuracy", "PERCENT",
                                          "exit with 3 when the accuracy is lower", "Output"});
  for_each_log_option(self.log, visit);
}

/// Throws UsageError that names the flag, what was found and what is allowed.
void validate(const EvalOptions& options);

}  // namespace mnist
