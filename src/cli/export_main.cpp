// mnist-export: converts a trained model to other formats. Needs no LibTorch.
#include "cli/run_program.hpp"
#include "export/exporters.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/evaluate/evaluate.hpp"
#include "mnist/serialize/model_file.hpp"
#include "serialize/formats.hpp"
#include "support/files.hpp"
#include "support/log.hpp"

namespace mnist {
namespace {

void write(const std::string& path, const Model& model, const ExportOptions& options) {
  switch (options.to) {
    case ExportFormat::kOnnx:
      return write_file_atomically(path, onnx_bytes(model));
    case ExportFormat::kC:
      return write_file_atomically(path, c_header_text(model, options.precision));
    case ExportFormat::kHtml:
      image_side(model.mlp.shape(), options.model);  // throws when there is none
      return write_file_atomically(path, drawing_page(model));
    case ExportFormat::kSafetensors:
      return write_file_atomically(path,
                                   safetensors_bytes(to_state_dict(model.mlp), info_text(model)));
  }
}

int export_model(const ExportOptions& options) {
  const std::string path = export_path(options);
  check_file_can_be_written(path);
  Model model = read_model(options.model);
  write(path, model, options);
  if (!options.data.empty()) {
    const Dataset dataset = load_dataset(options.data, Split::kTest);
    check_fits(model.mlp.shape(), dataset, options.model, options.data);
    if (options.precision == Precision::kInt8) {
      model.mlp = through_int8(std::move(model.mlp));
    }
    const Evaluation evaluation = evaluate(model.mlp, dataset);
    print_result("test accuracy of the exported model " + accuracy_text(evaluation) + "\n");
  }
  print_result(path + "\n");
  return kExitSuccess;
}

}  // namespace
}  // namespace mnist

int main(int argc, char** argv) {
  using namespace mnist;
  return run_program<ExportOptions>(argc, argv, export_model);
}
