// A safetensors file whose metadata holds the options and the progress.
#include "train/checkpoint.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>
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

// Prefixes of the tensors' names.
constexpr const char* kModel = "model.";
constexpr const char* kFirstMoment = "first_moment.";
constexpr const char* kSecondMoment = "second_moment.";
constexpr const char* kAverage = "average.";
constexpr const char* kBest = "best.";

void append(const Mlp& mlp, const std::string& prefix, StateDict& all) {
  for (NamedTensor& tensor : to_state_dict(mlp)) {
    tensor.name.insert(0, prefix);
    all.push_back(std::move(tensor));
  }
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

bool has(const StateDict& all, std::string_view prefix) {
  return std::any_of(all.begin(), all.end(),
                     [&](const NamedTensor& tensor) { return tensor.name.starts_with(prefix); });
}

/// CRC-32 of the metadata and of every tensor's name, shape and numbers.
std::uint32_t checksum_of(const Json& info, const StateDict& tensors) {
  std::uint32_t sum = 0;
  const auto add = [&](const void* data, std::size_t size) {
    sum = static_cast<std::uint32_t>(crc32_z(sum, static_cast<const Bytef*>(data), size));
  };
  const std::string text = info.dump();
  add(text.data(), text.size());
  for (const NamedTensor& tensor : tensors) {
    const std::string head = tensor.name + shape_text(tensor.shape);
    add(head.data(), head.size());
    add(tensor.values.data(), tensor.values.size() * sizeof(float));
  }
  return sum;
}

/// Calls visit(name, number) for each number of the progress and of the data.
template <class AnyProgress, class Visit>
void each_progress_number(AnyProgress& progress, const Visit& visit) {
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
template <class AnyData, class Visit>
void each_data_number(AnyData& data, const Visit& visit) {
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
  Json info{{"kind", kKind},
            {"format", kFormat},
            {"program", std::string("mnist-trainer ") + kVersion + " (" + kRevision + ")"},
            {"engine", checkpoint.engine},
            {"options", to_toml(checkpoint.options)},
            {"data", data}};
  info["steps"] = checkpoint.state.steps;
  info["progress"] = progress_json(checkpoint.progress);
  return info;
}

void check_kind(const Json& info) {
  if (!info.is_object() || info.value("kind", "") != kKind)
    throw Error("is not a checkpoint written by mnist-train");
  const int format = info.at("format").get<int>();
  if (format > kFormat) {
    throw Error("has format " + std::to_string(format) + " of " +
                info.value("program", "another program") +
                ", but this program reads formats up to " + std::to_string(kFormat) +
                "; use a newer mnist-trainer");
  }
}

/// Throws Error unless all networks in the checkpoint have the shape that its options ask for.
void check_shapes(const Checkpoint& checkpoint) {
  const EngineState& state = checkpoint.state;
  const MlpShape shape = state.weights.shape();
  const bool same = state.first_moments.shape() == shape && state.second_moments.shape() == shape &&
                    (!state.averages || state.averages->shape() == shape) &&
                    (!checkpoint.progress.best || checkpoint.progress.best->mlp.shape() == shape);
  if (!same) throw Error("its sets of tensors do not all belong to the same network");
  if (shape.hidden != checkpoint.options.hidden ||
      state.averages.has_value() != (checkpoint.options.ema > 0)) {
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
  const Activation activation = checkpoint.options.activation;
  if (checkpoint.progress.best) {
    checkpoint.progress.best->mlp = extract(stored.tensors, kBest, activation);
  }
  EngineState& state = checkpoint.state;
  info.at("steps").get_to(state.steps);
  state.weights = extract(stored.tensors, kModel, activation);
  state.first_moments = extract(stored.tensors, kFirstMoment, activation);
  state.second_moments = extract(stored.tensors, kSecondMoment, activation);
  scale(state.first_moments, info.value("first_moment_scale", 1.0));
  scale(state.second_moments, info.value("second_moment_scale", 1.0));
  if (has(stored.tensors, kAverage)) state.averages = extract(stored.tensors, kAverage, activation);
  check_shapes(checkpoint);
  return checkpoint;
}

}  // namespace

std::vector<std::uint8_t> checkpoint_bytes(const Checkpoint& checkpoint) {
  StateDict tensors;
  append(checkpoint.state.weights, kModel, tensors);
  append(checkpoint.state.first_moments, kFirstMoment, tensors);
  append(checkpoint.state.second_moments, kSecondMoment, tensors);
  if (checkpoint.state.averages) append(*checkpoint.state.averages, kAverage, tensors);
  if (checkpoint.progress.best) append(checkpoint.progress.best->mlp, kBest, tensors);
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
  const bool both_tested = stored.test_examples > 0 && found.test_examples > 0;
  DataInfo expected = stored;
  if (!both_tested) {
    expected.test_examples = found.test_examples;
    expected.test_crc32 = found.test_crc32;
  }
  if (expected == found) return;
  const auto text = [](const DataInfo& data) {
    return std::to_string(data.training_examples) + " and " + std::to_string(data.test_examples) +
           " examples with checksums " + std::to_string(data.training_crc32) + " and " +
           std::to_string(data.test_crc32);
  };
  throw Error(directory + ": has different data than the run started with: " + text(found) +
              ", expected " + text(stored) + "; pass the right directory with --data");
}

}  // namespace mnist
