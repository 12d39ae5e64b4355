// A safetensors file whose metadata holds the options and the progress.
#include "train/checkpoint.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>
#include <zlib.h>

#include "mnist/support/error.hpp"
#include "mnist/support/version.hpp"
#include "options/toml.hpp"
#include "serialize/formats.hpp"
#include "serialize/state_dict.hpp"

namespace mnist {
namespace {

using Json = nlohmann::ordered_json;

// Format 1 stored moments in the scale of the engine that made them, along with the factors.
constexpr int kFormat = 2;
constexpr const char* kKind = "mnist-trainer checkpoint";

constexpr const char* kAverages = "average.";

/// Calls visit(prefix, network) for each network in the checkpoint. Names of its tensors in the
/// file start with the prefix.
void each_network(auto& checkpoint, const auto& visit) {
  auto& state = checkpoint.state;
  visit("model.", state.weights);
  visit("first_moment.", state.first_moments);
  visit("second_moment.", state.second_moments);
  if (state.averages) visit(kAverages, *state.averages);
  if (checkpoint.progress.best) visit("best.", checkpoint.progress.best->mlp);
}

/// The tensors with this prefix, as a network.
Mlp extract(const StateDict& all, std::string_view prefix, Activation activation) {
  StateDict state;
  for (const NamedTensor& tensor : all) {
    if (!tensor.name.starts_with(prefix)) continue;
    state.push_back({tensor.name.substr(prefix.size()), tensor.shape, tensor.values});
  }
  return with_source("'" + std::string(prefix) + "' tensors",
                     [&] { return to_mlp(std::move(state), activation); });
}

void scale(Mlp& mlp, double factor) {
  for (Linear& layer : mlp.layers) {
    for (float& value : layer.weight) value *= static_cast<float>(factor);
    for (float& value : layer.bias) value *= static_cast<float>(factor);
  }
}

/// CRC-32 of the metadata and of every tensor's name, shape and numbers.
std::uint32_t checksum_of(const Json& info, const StateDict& tensors) {
  std::uint32_t sum = 0;
  const auto add = [&](Bytes bytes) {
    sum = static_cast<std::uint32_t>(crc32_z(sum, bytes.data(), bytes.size()));
  };
  add(bytes_of(info.dump()));
  for (const NamedTensor& tensor : tensors) {
    add(bytes_of(tensor.name + shape_text(tensor.shape)));
    add(bytes_of(tensor.values));
  }
  return sum;
}

/// Calls visit(name, number) for each number of the progress and of the data.
void each_progress_number(auto& progress, const auto& visit) {
  visit("epoch", progress.epoch);
  visit("minibatches", progress.minibatches);
  visit("step", progress.step);
  visit("loss_sum", progress.loss_sum);
  visit("correct", progress.correct);
  visit("first_batch_loss", progress.first_batch_loss);
  visit("last_batch_loss", progress.last_batch_loss);
  visit("learning_rate", progress.learning_rate);
  visit("seconds", progress.seconds);
}
void each_data_number(auto& data, const auto& visit) {
  visit("training_examples", data.training_examples);
  visit("training_crc32", data.training_crc32);
  visit("test_examples", data.test_examples);
  visit("test_crc32", data.test_crc32);
}

/// Visitors that write to a JSON object, and read from one.
auto writer(Json& json) {
  return [&](const char* name, const auto& number) { json[name] = number; };
}
auto reader(const Json& json) {
  return [&](const char* name, auto& number) { json.at(name).get_to(number); };
}

Json progress_json(const Progress& progress) {
  Json json;
  each_progress_number(progress, writer(json));
  json["run_seconds"] = progress.run_seconds;
  if (progress.best) {
    json["best"] = {{"epoch", progress.best->epoch},
                    {"loss", progress.best->validation.loss},
                    {"accuracy", progress.best->validation.accuracy}};
  }
  return json;
}

Progress read_progress(const Json& json) {
  Progress progress;
  each_progress_number(progress, reader(json));
  progress.run_seconds = json.value("run_seconds", 0.0);  // version 0.1 did not store it
  if (json.contains("best")) {
    const Json& best = json["best"];
    progress.best = BestEpoch{best.at("epoch").get<std::int64_t>(),
                              {best.at("loss").get<double>(), best.at("accuracy").get<double>()},
                              {}};
  }
  return progress;
}

Json info_json(const Checkpoint& checkpoint) {
  Json data;
  each_data_number(checkpoint.data, writer(data));
  return {{"kind", kKind},
          {"format", kFormat},
          {"program", program_version()},
          {"engine", checkpoint.engine},
          {"options", to_toml(checkpoint.options)},
          {"data", data},
          {"steps", checkpoint.state.steps},
          {"progress", progress_json(checkpoint.progress)}};
}

void check_kind(const Json& info) {
  if (!info.is_object() || info.value("kind", "") != kKind)
    throw Error("is not a checkpoint written by mnist-train");
  const int format = info.at("format").get<int>();
  if (format > kFormat) {
    throw Error(fmt::format(
        "has format {} of {}, but this program reads formats up to {}; use a newer mnist-trainer",
        format, info.value("program", "another program"), kFormat));
  }
}

/// Throws Error unless all networks in the checkpoint have the shape that its options ask for.
void check_shapes(const Checkpoint& checkpoint) {
  const MlpShape shape = checkpoint.state.weights.shape();
  each_network(checkpoint, [&](const char* prefix, const Mlp& mlp) {
    if (mlp.shape() == shape) return;
    throw Error(fmt::format("its '{}' tensors are a network of shape {}, expected {}", prefix,
                            to_string(mlp.shape()), to_string(shape)));
  });
  if (shape.hidden != checkpoint.options.hidden ||
      checkpoint.state.averages.has_value() != (checkpoint.options.ema > 0)) {
    throw Error("its tensors do not match its options");
  }
}

Checkpoint read(const StoredTensors& stored, Checksum checksum) {
  const Json metadata = stored.info.empty() ? Json::object() : Json::parse(stored.info);
  const Json info = metadata.value("facts", Json::object());
  check_kind(info);
  const auto written_checksum = metadata.at("crc32").get<std::uint32_t>();
  if (checksum == Checksum::kVerify && written_checksum != checksum_of(info, stored.tensors)) {
    throw Error("its checksum does not match: the file is damaged");
  }
  Checkpoint checkpoint;
  read_toml(info.at("options").get<std::string>(), "options", checkpoint.options);
  info.at("engine").get_to(checkpoint.engine);
  each_data_number(checkpoint.data, reader(info.at("data")));
  checkpoint.progress = read_progress(info.at("progress"));
  EngineState& state = checkpoint.state;
  info.at("steps").get_to(state.steps);
  const bool has_averages = std::ranges::any_of(
      stored.tensors, [](const NamedTensor& tensor) { return tensor.name.starts_with(kAverages); });
  if (has_averages) state.averages.emplace();
  each_network(checkpoint, [&](const char* prefix, Mlp& mlp) {
    mlp = extract(stored.tensors, prefix, checkpoint.options.activation);
  });
  scale(state.first_moments, info.value("first_moment_scale", 1.0));
  scale(state.second_moments, info.value("second_moment_scale", 1.0));
  check_shapes(checkpoint);
  return checkpoint;
}

}  // namespace

std::vector<std::uint8_t> checkpoint_bytes(const Checkpoint& checkpoint) {
  StateDict tensors;
  each_network(checkpoint, [&](const char* prefix, const Mlp& mlp) {
    for (NamedTensor& tensor : to_state_dict(mlp)) {
      tensor.name.insert(0, prefix);
      tensors.push_back(std::move(tensor));
    }
  });
  const Json info = info_json(checkpoint);
  const Json metadata{{"facts", info}, {"crc32", checksum_of(info, tensors)}};
  return safetensors_bytes(tensors, metadata.dump());
}

Checkpoint read_checkpoint(Bytes file, const std::string& source, Checksum checksum) {
  return with_source(source, [&] {
    try {
      return read(read_safetensors(file), checksum);
    } catch (const Json::exception& error) {
      throw Error(std::string("its metadata is damaged: ") + error.what());
    }
  });
}

void check_same_data(const DataInfo& stored, const DataInfo& found, const std::string& directory) {
  DataInfo expected = stored;
  if (stored.test_examples == 0 || found.test_examples == 0) {
    expected.test_examples = found.test_examples;
    expected.test_crc32 = found.test_crc32;
  }
  if (expected == found) return;
  const auto text = [](const DataInfo& data) {
    return fmt::format("{} and {} examples with checksums {} and {}", data.training_examples,
                       data.test_examples, data.training_crc32, data.test_crc32);
  };
  throw Error(directory + ": has different data than the run started with: " + text(found) +
              ", expected " + text(stored) + "; pass the right directory with --data");
}

}  // namespace mnist
