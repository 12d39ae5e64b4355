// A checkpoint: one file with everything that a run needs to go on as if it had never stopped.
#include "train/checkpoint.hpp"

#include <nlohmann/json.hpp>
#include <zlib.h>

#include "mnist/model/mlp_shape.hpp"
#include "mnist/support/error.hpp"
#include "mnist/support/version.hpp"
#include "options/option_text.hpp"
#include "options/toml.hpp"
#include "options/train_option_table.hpp"
#include "serialize/safetensors.hpp"

namespace mnist {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr const char* kKind = "mnist-trainer checkpoint";

// Fuzzing would hardly ever get past it.
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
constexpr bool kChecksumCounts = false;
#else
constexpr bool kChecksumCounts = true;
#endif

// Prefixes of the tensors' names.
constexpr const char* kModel = "model.";
constexpr const char* kFirstMoment = "first_moment.";
constexpr const char* kSecondMoment = "second_moment.";
constexpr const char* kAverage = "average.";
constexpr const char* kBest = "best.";

void append(const StateDict& state, const std::string& prefix, StateDict& all) {
  for (const NamedTensor& tensor : state) {
    all.push_back({prefix + tensor.name, tensor.shape, tensor.values});
  }
}

/// The tensors with this prefix, without it.
StateDict extract(const StateDict& all, std::string_view prefix) {
  StateDict state;
  for (const NamedTensor& tensor : all) {
    if (!tensor.name.starts_with(prefix)) continue;
    state.push_back({tensor.name.substr(prefix.size()), tensor.shape, tensor.values});
  }
  return state;
}

/// CRC-32 of the facts and of every tensor's name, shape and numbers.
std::uint32_t checksum(const Json& facts, const StateDict& tensors) {
  std::uint32_t sum = 0;
  const auto add = [&](const void* data, std::size_t size) {
    sum = static_cast<std::uint32_t>(crc32_z(sum, static_cast<const Bytef*>(data), size));
  };
  const std::string text = facts.dump();
  add(text.data(), text.size());
  for (const NamedTensor& tensor : tensors) {
    const std::string head = tensor.name + shape_text(tensor.shape);
    add(head.data(), head.size());
    add(tensor.values.data(), tensor.values.size() * sizeof(float));
  }
  return sum;
}

/// Calls visit(name, number) for everything that a checkpoint holds of the loop but the best epoch,
/// of the data, and of the engine but its tensors.
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
template <class AnyState, class Visit>
void each_state_number(AnyState& state, const Visit& visit) {
  visit("steps", state.steps);
  visit("first_moment_scale", state.first_scale);
  visit("second_moment_scale", state.second_scale);
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
  if (json.contains("best")) {
    const Json& best = json["best"];
    progress.best = BestEpoch{best.at("epoch").get<std::int64_t>(),
                              {best.at("loss").get<double>(), best.at("accuracy").get<double>()},
                              {}};
  }
  return progress;
}

Json facts_json(const Checkpoint& checkpoint) {
  Json data;
  each_data_number(checkpoint.data, writer(data));
  Json facts{{"kind", kKind},
             {"format", kFormat},
             {"program", std::string("mnist-trainer ") + kVersion + " (" + kRevision + ")"},
             {"engine", checkpoint.engine},
             {"options", to_toml(checkpoint.options)},
             {"data", data}};
  each_state_number(checkpoint.state, writer(facts));
  facts["progress"] = progress_json(checkpoint.progress);
  return facts;
}

void check_kind(const Json& facts) {
  if (!facts.is_object() || facts.value("kind", "") != kKind) throw Error("is no checkpoint");
  const int format = facts.at("format").get<int>();
  if (format > kFormat) {
    throw Error("has format " + std::to_string(format) + " of " +
                facts.value("program", "another program") + ", this program knows up to " +
                std::to_string(kFormat) + "; take a newer mnist-trainer");
  }
}

/// Every set of tensors must be one of a network, and all of the same one.
void check_sets(const Checkpoint& checkpoint) {
  const MlpShape shape = shape_of(normalise_state_dict(checkpoint.state.weights, "the model"),
                                  checkpoint.options.activation);
  const std::vector<ParameterInfo> table = parameter_table(shape);
  const EngineState& state = checkpoint.state;
  const StateDict none;
  const StateDict& best = checkpoint.progress.best ? checkpoint.progress.best->parameters : none;
  const bool averaged = checkpoint.options.ema > 0;
  if (shape.hidden != checkpoint.options.hidden || averaged == state.averages.empty() ||
      checkpoint.progress.best.has_value() == best.empty()) {
    throw Error("its tensors are not those that its options need");
  }
  for (const StateDict* set :
       {&state.weights, &state.first_moments, &state.second_moments, &state.averages, &best}) {
    if (set->empty() && (set == &state.averages || set == &best)) continue;
    bool same = set->size() == table.size();
    for (std::size_t i = 0; same && i < table.size(); ++i) {
      same = set->at(i).name == table[i].name && set->at(i).shape == table[i].shape;
    }
    if (!same) throw Error("its sets of tensors are not all of the same network");
  }
}

Checkpoint read(const StoredTensors& stored) {
  const Json info = stored.info.empty() ? Json::object() : Json::parse(stored.info);
  const Json facts = info.value("facts", Json::object());
  check_kind(facts);
  const auto written_checksum = info.at("crc32").get<std::uint32_t>();
  if (kChecksumCounts && written_checksum != checksum(facts, stored.tensors)) {
    throw Error("its checksum does not agree: something in it has changed");
  }
  Checkpoint checkpoint;
  read_toml(facts.at("options").get<std::string>(), "options", checkpoint.options);
  facts.at("engine").get_to(checkpoint.engine);
  each_data_number(checkpoint.data, reader(facts.at("data")));
  checkpoint.progress = read_progress(facts.at("progress"));
  if (checkpoint.progress.best) {
    checkpoint.progress.best->parameters = extract(stored.tensors, kBest);
  }
  EngineState& state = checkpoint.state;
  each_state_number(state, reader(facts));
  state.weights = extract(stored.tensors, kModel);
  state.first_moments = extract(stored.tensors, kFirstMoment);
  state.second_moments = extract(stored.tensors, kSecondMoment);
  state.averages = extract(stored.tensors, kAverage);
  check_sets(checkpoint);
  return checkpoint;
}

}  // namespace

std::vector<std::uint8_t> checkpoint_bytes(const Checkpoint& checkpoint) {
  StateDict tensors;
  append(checkpoint.state.weights, kModel, tensors);
  append(checkpoint.state.first_moments, kFirstMoment, tensors);
  append(checkpoint.state.second_moments, kSecondMoment, tensors);
  append(checkpoint.state.averages, kAverage, tensors);
  if (checkpoint.progress.best) append(checkpoint.progress.best->parameters, kBest, tensors);
  const Json facts = facts_json(checkpoint);
  const Json info{{"facts", facts}, {"crc32", checksum(facts, tensors)}};
  return safetensors_bytes(tensors, info.dump());
}

Checkpoint read_checkpoint(Bytes file, const std::string& source) {
  const StoredTensors stored = read_safetensors(file, source);
  try {
    return read(stored);
  } catch (const nlohmann::json::exception& error) {
    throw Error(source + ": its facts are damaged: " + error.what());
  } catch (const Error& error) {
    throw Error(source + ": " + error.what());
  }
}

void check_same_learning(const TrainOptions& stored, const TrainOptions& wanted) {
  std::vector<std::string> before;
  for_each_option(
      stored, [&](const auto& value, const OptionInfo&) { before.push_back(option_text(value)); });
  std::size_t i = 0;
  for_each_option(wanted, [&](const auto& value, const OptionInfo& info) {
    const std::string& was = before[i++];
    const std::string now = option_text(value);
    if (info.scope != OptionScope::kLearning || now == was || info.name == std::string("epochs")) {
      return;
    }
    throw UsageError(std::string("--") + info.name + " " + now +
                     " would make another training of the one that is to go on, which has " + was +
                     "; leave it out, or start anew without --resume");
  });
  if (wanted.epochs < stored.epochs) {
    throw UsageError("--epochs " + option_text(wanted.epochs) + " is below the " +
                     option_text(stored.epochs) + " of the training that is to go on");
  }
}

void check_same_data(const DataFacts& stored, const DataFacts& found, const std::string& folder) {
  if (stored == found) return;
  const auto text = [](const DataFacts& data) {
    return std::to_string(data.training_examples) + " and " + std::to_string(data.test_examples) +
           " examples with checksums " + std::to_string(data.training_crc32) + " and " +
           std::to_string(data.test_crc32);
  };
  throw Error(folder + ": holds other data than the training was begun with: " + text(found) +
              ", expected " + text(stored) + "; name the right folder with --data");
}

}  // namespace mnist
