// mnist-predict: classifies a user's images with a model. Needs no LibTorch.
#include "cli/run_program.hpp"
#include "imaging/image_file.hpp"
#include "imaging/prepare.hpp"
#include "mnist/serialize/model_file.hpp"
#include "mnist/support/error.hpp"
#include "model/forward.hpp"
#include "report/results.hpp"
#include "support/log.hpp"

namespace mnist {
namespace {

void predict(const PredictOptions& options, const Model& model, std::int64_t side,
             const std::string& path) {
  const std::vector<std::uint8_t> image = prepare(read_image(path), options.prepare, side, path);
  const auto ranking = ranked(softmax(forward(model.mlp, image)), model.class_names);
  if (options.show) log_info(drawing(image, side));
  print_result(options.json ? prediction_json(path, ranking) : prediction_text(path, ranking));
}

/// An image that cannot be read does not stop the others; it makes the exit code 1.
int predict_all(const PredictOptions& options) {
  const Model model = read_model(options.model);
  const std::int64_t side = image_side(model.mlp.shape(), options.model);
  int code = kExitSuccess;
  for (const std::string& path : options.images) {
    try {
      predict(options, model, side, path);
    } catch (const Error& error) {
      log_error(error.what());
      code = kExitFailure;
    }
  }
  return code;
}

}  // namespace
}  // namespace mnist

int main(int argc, char** argv) {
  using namespace mnist;
  return run_program<PredictOptions>(argc, argv, predict_all);
}
