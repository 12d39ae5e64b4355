// The options of mnist-eval: struct, table and validation.
#pragma once

#include <cstdint>
#include <string>

#include "mnist/data/split.hpp"
#include "mnist/support/log_options.hpp"
#include "options/option_info.hpp"
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

/// Calls visit(member, OptionInfo) for each option, in the order of --help.
template <OptionsOf<EvalOptions> Self, class Visitor>
void for_each_option(Self& self, Visitor&& visit) {
  visit(self.model, OptionInfo{"model", "FILE", "model file, .pt or .safetensors", "Input"});
  visit(self.data, OptionInfo{"data", "DIR", "directory with the four IDX files, raw or gzip",
                              "Input", OptionScope::kRuntime, "MNIST_DATA"});
  visit(self.split, OptionInfo{"split", "NAME", "split to evaluate: train or test", "Input"});
  visit(self.device, OptionInfo{"device", "NAME", "auto, cpu, cuda or cuda:N", "Hardware"});
  visit(self.threads, OptionInfo{"threads", "N", "CPU threads; 0 is automatic", "Hardware"});
  visit(self.json, OptionInfo{"json", "", "print one JSON object instead of text", "Output"});
  visit(self.report, OptionInfo{"report", "FILE", "also write an HTML report", "Output"});
  visit(self.run_dir,
        OptionInfo{"run-dir", "DIR", "run directory whose curves and options the report shows",
                   "Output"});
  visit(self.require_accuracy, OptionInfo{"require-accuracy", "PERCENT",
                                          "exit with 3 if the accuracy is lower", "Output"});
  for_each_log_option(self.log, visit);
}

/// Throws UsageError that names the flag, the value found and the values allowed.
void validate(const EvalOptions& options);

}  // namespace mnist
