// Reads model files of either format, and their metadata.
#include "mnist/serialize/model_file.hpp"

#include <utility>

#include <spdlog/fmt/fmt.h>

#include "mnist/support/error.hpp"
#include "mnist/support/version.hpp"
#include "options/option_text.hpp"
#include "serialize/formats.hpp"
#include "support/files.hpp"
#include "support/text.hpp"

namespace mnist {
namespace {

constexpr int kFormat = 1;
constexpr std::uint64_t kMaxModelBytes = std::uint64_t{1} << 32;

void read_info(const std::string& info, Model& model) {
  const auto json = nlohmann::ordered_json::parse(info);
  const int format = json.at("format").get<int>();
  if (format > kFormat) {
    throw Error(
        fmt::format("has format {}, but this program reads formats up to {}; use a newer "
                    "mnist-trainer",
                    format, kFormat));
  }
  parse_option(json.at("activation").get<std::string>(), model.mlp.activation);
  model.class_names = json.at("class_names").get<std::vector<std::string>>();
  model.training = json.at("training");
  const auto& shape = json.at("shape");
  const MlpShape stated{shape.at("inputs").get<std::int64_t>(),
                        shape.at("hidden").get<std::vector<std::int64_t>>(),
                        shape.at("classes").get<std::int64_t>(), model.mlp.activation};
  const MlpShape found = model.mlp.shape();
  if (stated != found) {
    throw Error("its metadata describes the network " + to_string(stated) +
                ", but its tensors are those of " + to_string(found));
  }
  if (std::ssize(model.class_names) != found.classes) {
    throw Error(fmt::format("its metadata names {} classes, but the network has {}",
                            model.class_names.size(), found.classes));
  }
}

}  // namespace

std::string info_text(const Model& model) {
  const MlpShape shape = model.mlp.shape();
  nlohmann::ordered_json json;
  json["format"] = kFormat;
  json["program"] = std::string("mnist-trainer ") + kVersion;
  json["shape"] = {{"inputs", shape.inputs}, {"hidden", shape.hidden}, {"classes", shape.classes}};
  json["activation"] = name_of(shape.activation);
  json["class_names"] = model.class_names;
  json["training"] = model.training;
  return json_text(json, 2);
}

Model make_model(StoredTensors stored) {
  Model model{to_mlp(std::move(stored.tensors), Activation::kRelu), {}, {}};
  if (stored.info.empty()) {
    for (std::int64_t i = 0; i < model.mlp.shape().classes; ++i) {
      model.class_names.push_back(std::to_string(i));
    }
    return model;
  }
  try {
    read_info(stored.info, model);
  } catch (const nlohmann::json::exception& error) {
    throw Error(std::string("its metadata is damaged: ") + error.what());
  }
  return model;
}

Model read_model(const std::string& path) {
  const std::vector<std::uint8_t> file = read_whole_file(path, kMaxModelBytes);
  return with_source(path, [&] {
    // A pickle of protocol 2 to 5. Before PyTorch 1.6, torch.save wrote a sequence of them.
    if (file.size() >= 2 && file[0] == 0x80 && file[1] <= 5) {
      throw Error(
          "is a bare pickle, or in the format that torch.save wrote before PyTorch 1.6; load it "
          "with a newer PyTorch and save it again");
    }
    const bool is_zip = text_of(file).starts_with("PK\3\4");
    return make_model(is_zip ? read_pt(file) : read_safetensors(file));
  });
}

}  // namespace mnist
