// Fuzzes the reader of .pt files with valid archives and pickles whose numbers are hostile.
#include "archives.hpp"
#include "fuzz/choices.hpp"
#include "fuzz/fuzzer.hpp"
#include "serialize/formats.hpp"

namespace mnist {
namespace {

constexpr std::array<const char*, 5> kStorageTypes{"FloatStorage", "DoubleStorage", "HalfStorage",
                                                   "BFloat16Storage", "LongStorage"};

std::size_t element_size(const std::string& storage_type) {
  if (storage_type == "FloatStorage") return 4;
  return storage_type == "DoubleStorage" || storage_type == "LongStorage" ? 8 : 2;
}

std::vector<std::uint8_t> pt_file(Choices& choices) {
  std::vector<PickledTensor> tensors;
  std::vector<ZipRecord> records;
  const std::size_t count = 1 + choices.below(3);
  for (std::size_t i = 0; i < count; ++i) {
    PickledTensor tensor;
    tensor.name = choices.parameter_name();
    tensor.key = std::to_string(choices.rarely() ? 0 : i);
    tensor.storage_type = choices.one_of(kStorageTypes);
    const std::size_t stored = choices.below(8);
    tensor.elements = choices.number_or(static_cast<std::int64_t>(stored));
    tensor.offset = choices.number_or(0);
    tensor.shape = choices.shape();
    tensor.strides = choices.strides(choices.rarely() ? choices.shape() : tensor.shape);
    records.push_back({"m/data/" + std::to_string(i),
                       std::string(stored * element_size(tensor.storage_type), 'x')});
    tensors.push_back(std::move(tensor));
  }
  records.push_back({"m/data.pkl", pickled(tensors)});
  if (choices.rarely())
    records.push_back({"m/byteorder", choices.below(2) == 0 ? "little" : "big"});
  if (choices.rarely()) records.push_back({"m/mnist.json", "{\"format\": 1}"});
  ZipRecord& hostile = records[choices.below(records.size())];
  hostile.header_offset = choices.number_or(-1);
  hostile.extra_size = static_cast<std::uint32_t>(choices.number_or(0));
  return zip(records, choices.below(2) == 1);
}

}  // namespace
}  // namespace mnist

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return mnist::fuzz(data, size, [](mnist::Bytes bytes) {
    mnist::Choices choices(bytes);
    mnist::make_model(mnist::read_pt(mnist::pt_file(choices)));
  });
}
