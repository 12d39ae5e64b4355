// mnist-eval: measures a model on a split of a dataset.
#include "cli/run_program.hpp"
#include "engine/torch/device.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/evaluate/evaluate.hpp"
#include "mnist/serialize/model_file.hpp"
#include "report/results.hpp"
#include "support/files.hpp"
#include "support/log.hpp"

namespace mnist {
namespace {

int evaluate_model(const EvalOptions& options) {
  if (!options.report.empty()) check_file_can_be_written(options.report);
  const std::string device = resolve_device(options.device);
  prepare_libtorch(options.threads);
  const Model model = read_model(options.model);
  const Dataset dataset = load_dataset(options.data, options.split);
  check_fits(model.mlp.shape(), dataset, options.model, options.data);

  const Evaluation evaluation = device_evaluator(dataset, device)(model.mlp);
  if (!options.report.empty()) {
    write_file_atomically(options.report, html_report(options, evaluation, model, dataset));
    log_info("report: " + options.report);
  }
  print_result(options.json ? evaluation_json(options, evaluation)
                            : evaluation_text(options, evaluation));
  return check_accuracy(evaluation.accuracy(), options.require_accuracy);
}

}  // namespace
}  // namespace mnist

int main(int argc, char** argv) {
  using namespace mnist;
  return run_program<EvalOptions>(argc, argv, evaluate_model, libtorch_description);
}
