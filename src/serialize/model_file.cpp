// Reads model files of either format, and their metadata.
#include "mnist/serialize/model_file.hpp"

#include <utility>

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
    throw Error("it has format " + std::to_string(format) +
                ", but this program reads formats up to " + std::to_string(kFormat) +
                "; use a newer mnist-trainer");
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
    throw Error("its metadata describe the network " + to_string(stated) +
                ", but its tensors are those of " + to_string(found));
  }
  if (std::ssize(model.class_names) != found.classes) {
    throw Error("it names " + std::to_string(model.class_names.size()) +
                " classes, but the network has " + std::to_string(found.classes));
  }
}

/// The format of torch.save before PyTorch 1.6: a sequence of pickles that starts with a magic
/// long.
bool is_legacy_pickle(Bytes file) {
  return file.size() >= 2 && file[0] == 0x80 && file[1] <= 5;
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

Model make_model(StateDict tensors, const std::string& info, const std::string& source) {
  Model model{to_mlp(std::move(tensors), Activation::kRelu, source), {}, {}};
  try {
    if (info.empty()) {
      for (std::int64_t i = 0; i < model.mlp.shape().classes; ++i) {
        model.class_names.push_back(std::to_string(i));
      }
    } else {
      read_info(info, model);
    }
  } catch (const nlohmann::json::exception& error) {
    throw Error(source + ": its metadata are damaged: " + error.what());
  } catch (const Error& error) {
    throw Error(source + ": " + error.what());
  }
  return model;
}

Model read_model(const std::string& path) {
  const std::vector<std::uint8_t> file = read_whole_file(path, kMaxModelBytes);
  if (is_legacy_pickle(file)) {
    throw Error(path + ": is a bare pickle or in torch.save's format of before PyTorch 1.6; " +
                "load it with a newer PyTorch and save it again");
  }
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  StoredTensors stored =
      text.starts_with("PK\3\4") ? read_pt(file, path) : read_safetensors(file, path);
  return make_model(std::move(stored.tensors), stored.info, path);
}

}  // namespace mnist
