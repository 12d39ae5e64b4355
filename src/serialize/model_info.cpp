// A trained network with the facts that travel with it, and those facts as JSON.
#include "serialize/model_info.hpp"

#include <utility>

#include "mnist/support/error.hpp"
#include "mnist/support/version.hpp"
#include "options/option_text.hpp"
#include "support/json_text.hpp"

namespace mnist {
namespace {

constexpr int kFormat = 1;

std::vector<std::string> numbered_classes(std::int64_t count) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

void read_info(const std::string& info, Model& model) {
  const auto json = nlohmann::ordered_json::parse(info);
  const int format = json.at("format").get<int>();
  if (format > kFormat) {
    throw Error("has format " + std::to_string(format) + ", this program knows up to " +
                std::to_string(kFormat) + "; take a newer mnist-trainer");
  }
  parse_option(json.at("activation").get<std::string>(), model.shape.activation);
  model.class_names = json.at("class_names").get<std::vector<std::string>>();
  model.training = json.at("training");
  const auto& shape = json.at("shape");
  const MlpShape promised{shape.at("inputs").get<std::int64_t>(),
                          shape.at("hidden").get<std::vector<std::int64_t>>(),
                          shape.at("classes").get<std::int64_t>(), model.shape.activation};
  if (promised != model.shape) {
    throw Error("says that the network is " + to_string(promised) +
                ", but the tensors are those of " + to_string(model.shape));
  }
  if (std::ssize(model.class_names) != model.shape.classes) {
    throw Error("names " + std::to_string(model.class_names.size()) +
                " classes, but the network has " + std::to_string(model.shape.classes));
  }
}

}  // namespace

std::string info_text(const Model& model) {
  nlohmann::ordered_json json;
  json["format"] = kFormat;
  json["program"] = std::string("mnist-trainer ") + kVersion;
  json["shape"] = {{"inputs", model.shape.inputs},
                   {"hidden", model.shape.hidden},
                   {"classes", model.shape.classes}};
  json["activation"] = name_of(model.shape.activation);
  json["class_names"] = model.class_names;
  json["training"] = model.training;
  return json_text(json, 2);
}

Model make_model(StateDict parameters, const std::string& info, const std::string& source) {
  Model model;
  model.parameters = normalise_state_dict(std::move(parameters), source);
  model.shape = shape_of(model.parameters, Activation::kRelu);
  model.class_names = numbered_classes(model.shape.classes);
  if (info.empty()) return model;
  try {
    read_info(info, model);
  } catch (const nlohmann::json::exception& error) {
    throw Error(source + ": its facts about the model are damaged: " + error.what());
  } catch (const Error& error) {
    throw Error(source + ": " + error.what());
  }
  return model;
}

}  // namespace mnist
