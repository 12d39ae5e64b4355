// Tensors of any shape, strides and bits survive a round trip through both formats.
#include "properties.hpp"

#include <bit>
#include <numeric>
#include <set>

#include "archives.hpp"
#include "serialize/any_model.hpp"
#include "serialize/formats.hpp"

namespace mnist {
namespace {

/// Floats of any bits, NaN included.
std::vector<float> any_floats(std::size_t count) {
  const auto bits =
      *rc::gen::container<std::vector<std::uint32_t>>(count, rc::gen::arbitrary<std::uint32_t>());
  std::vector<float> values;
  for (const std::uint32_t word : bits) values.push_back(std::bit_cast<float>(word));
  return values;
}

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return record_of(a) == record_of(b);
}

std::vector<std::int64_t> any_shape() {
  return *rc::gen::resize(
      4, rc::gen::container<std::vector<std::int64_t>>(rc::gen::inRange<std::int64_t>(0, 5)));
}

std::size_t count_of(const std::vector<std::int64_t>& shape) {
  std::size_t count = 1;
  for (const std::int64_t size : shape) count *= static_cast<std::size_t>(size);
  return count;
}

PROPERTY(SerializeProperties, SafetensorsComeBack) {
  StateDict state;
  for (const std::string& name :
       *rc::gen::resize(4, rc::gen::container<std::set<std::string>>(
                               rc::gen::container<std::string>(rc::gen::inRange(' ', '\x7f'))))) {
    const std::vector<std::int64_t> shape = any_shape();
    state.push_back({name, shape, any_floats(count_of(shape))});
  }
  const auto info = *rc::gen::container<std::string>(rc::gen::inRange(' ', '\x7f'));
  const StoredTensors read = read_safetensors(safetensors_bytes(state, info));
  RC_ASSERT(read.info == info);
  RC_ASSERT(read.tensors.size() == state.size());
  for (std::size_t i = 0; i < state.size(); ++i) {
    RC_ASSERT(read.tensors[i].name == state[i].name);
    RC_ASSERT(read.tensors[i].shape == state[i].shape);
    RC_ASSERT(same_bits(read.tensors[i].values, state[i].values));
  }
}

/// Contiguous dimensions in any order, as torch.save writes a transposed tensor.
PROPERTY(SerializeProperties, PermutedTensorsOfPtFilesComeBack) {
  PickledTensor tensor;
  tensor.name = "a";
  tensor.shape = any_shape();
  const std::size_t rank = tensor.shape.size();
  std::vector<std::size_t> order(rank);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t last = rank; last > 1; --last) {
    std::swap(order[last - 1], order[*rc::gen::inRange<std::size_t>(0, last)]);
  }
  tensor.strides.resize(rank);
  std::int64_t stride = 1;
  for (const std::size_t d : order) {
    tensor.strides[d] = stride;
    stride *= std::max<std::int64_t>(tensor.shape[d], 1);
  }
  tensor.offset = *rc::gen::inRange<std::int64_t>(0, 4);
  const std::size_t count = count_of(tensor.shape);
  const std::vector<float> storage = any_floats(static_cast<std::size_t>(tensor.offset + stride));
  tensor.elements = std::ssize(storage);
  const auto file = zip({{"m/data.pkl", pickled({tensor})}, {"m/data/0", record_of(storage)}},
                        *rc::gen::arbitrary<bool>());

  std::vector<float> expected;
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t rest = i;
    std::int64_t place = tensor.offset;
    for (std::size_t d = rank; d-- > 0;) {
      const auto size = static_cast<std::size_t>(tensor.shape[d]);
      place += static_cast<std::int64_t>(rest % size) * tensor.strides[d];
      rest /= size;
    }
    expected.push_back(storage[static_cast<std::size_t>(place)]);
  }
  const StoredTensors read = read_pt(file);
  RC_ASSERT(read.tensors.at(0).shape == tensor.shape);
  RC_ASSERT(same_bits(read.tensors[0].values, expected));
}

PROPERTY(SerializeProperties, NetworksComeBack) {
  const Model model = any_model();
  const auto file = safetensors_bytes(to_state_dict(model.mlp), info_text(model));
  const Model read = make_model(read_safetensors(file));
  RC_ASSERT(read.mlp == model.mlp);
  RC_ASSERT(read.class_names == model.class_names);
}

}  // namespace
}  // namespace mnist
