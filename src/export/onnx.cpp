// Builds the protobuf messages of an ONNX graph: Gemm and activation nodes.
#include <cctype>

#include <nlohmann/json.hpp>

#include "export/exporters.hpp"
#include "mnist/support/version.hpp"
#include "serialize/formats.hpp"
#include "support/bytes.hpp"
#include "support/protobuf.hpp"
#include "support/text.hpp"

namespace mnist {
namespace {

constexpr std::int64_t kFloat = 1;         // TensorProto.DataType.FLOAT
constexpr std::int64_t kAttributeInt = 2;  // AttributeProto.AttributeType.INT

// Field numbers are those of onnx.proto.

ProtobufMessage tensor_message(const NamedTensor& tensor) {
  ProtobufMessage message;
  for (const std::int64_t size : tensor.shape) message.add_integer(1, size);
  message.add_integer(2, kFloat).add_bytes(8, tensor.name);
  return message.add_bytes(9, text_of(bytes_of(tensor.values)));
}

/// An input or output, f32 [batch, columns].
ProtobufMessage value_message(const std::string& name, std::int64_t columns) {
  ProtobufMessage shape;
  shape.add_message(1, ProtobufMessage().add_bytes(2, "batch"));
  shape.add_message(1, ProtobufMessage().add_integer(1, columns));
  const auto tensor = ProtobufMessage().add_integer(1, kFloat).add_message(2, shape);
  const auto type = ProtobufMessage().add_message(1, tensor);
  return ProtobufMessage().add_bytes(1, name).add_message(2, type);
}

/// outputs = inputs * weights^T + biases
ProtobufMessage linear_node(const std::string& inputs, const std::string& layer,
                            const std::string& outputs) {
  ProtobufMessage transpose;
  transpose.add_bytes(1, "transB").add_integer(3, 1).add_integer(20, kAttributeInt);
  ProtobufMessage node;
  node.add_bytes(1, inputs).add_bytes(1, layer + ".weight").add_bytes(1, layer + ".bias");
  return node.add_bytes(2, outputs).add_bytes(4, "Gemm").add_message(5, transpose);
}

ProtobufMessage graph_message(const Model& model) {
  // ONNX's operators have the names of our activations, capitalized.
  std::string activation(name_of(model.mlp.activation));
  activation[0] = static_cast<char>(std::toupper(activation[0]));
  ProtobufMessage graph;
  std::string values = "pixels";
  for (std::size_t layer = 0; layer < model.mlp.layers.size(); ++layer) {
    const bool last = layer + 1 == model.mlp.layers.size();
    const std::string sums = last ? "logits" : "sums" + std::to_string(layer);
    graph.add_message(1, linear_node(values, std::to_string(2 * layer), sums));
    if (last) break;
    values = "activations" + std::to_string(layer);
    graph.add_message(
        1, ProtobufMessage().add_bytes(1, sums).add_bytes(2, values).add_bytes(4, activation));
  }
  graph.add_bytes(2, "mlp");
  for (const NamedTensor& tensor : to_state_dict(model.mlp)) {
    graph.add_message(5, tensor_message(tensor));
  }
  graph.add_message(11, value_message("pixels", model.mlp.shape().inputs));
  graph.add_message(12, value_message("logits", model.mlp.shape().classes));
  return graph;
}

}  // namespace

std::string onnx_bytes(const Model& model) {
  constexpr std::int64_t kIrVersion = 8;
  constexpr std::int64_t kOpset = 17;
  ProtobufMessage message;
  message.add_integer(1, kIrVersion).add_bytes(2, "mnist-trainer").add_bytes(3, kVersion);
  message.add_message(7, graph_message(model));
  message.add_message(8, ProtobufMessage().add_bytes(1, "").add_integer(2, kOpset));
  const std::string names = json_text(model.class_names);
  message.add_message(14, ProtobufMessage().add_bytes(1, "class_names").add_bytes(2, names));
  message.add_message(14, ProtobufMessage().add_bytes(1, "mnist").add_bytes(2, info_text(model)));
  return message.bytes();
}

}  // namespace mnist
