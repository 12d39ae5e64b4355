// Fuzzes the reader of safetensors files with valid headers whose numbers are hostile.
#include <nlohmann/json.hpp>

#include "archives.hpp"
#include "fuzz/choices.hpp"
#include "fuzz/fuzzer.hpp"
#include "serialize/formats.hpp"

namespace mnist {
namespace {

constexpr std::array<const char*, 5> kTypes{"F32", "F64", "F16", "BF16", "I64"};
constexpr std::array<std::size_t, 5> kSizes{4, 8, 2, 2, 8};

/// The bytes of a tensor of this shape; 0 unless they are few.
std::size_t stored_bytes(const std::vector<std::int64_t>& shape, std::size_t element_size) {
  constexpr std::int64_t kMaxElements = 64;
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size <= 0 || size > kMaxElements / count) return 0;
    count *= size;
  }
  return static_cast<std::size_t>(count) * element_size;
}

std::vector<std::uint8_t> safetensors_file(Choices& choices) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (choices.rarely()) header["__metadata__"] = {{"mnist", "{\"format\": 1}"}};
  std::int64_t end = 0;
  const std::size_t count = 1 + choices.below(3);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t type = choices.below(kTypes.size());
    const std::vector<std::int64_t> shape = choices.shape();
    const std::int64_t begin = choices.number_or(end);
    end += static_cast<std::int64_t>(stored_bytes(shape, kSizes[type]));
    nlohmann::ordered_json& entry = header[choices.parameter_name()];
    entry = {{"dtype", kTypes[type]},
             {"shape", nlohmann::ordered_json::array()},
             {"data_offsets", {begin, choices.number_or(end)}}};
    for (const std::int64_t size : shape) {
      entry["shape"].push_back(static_cast<std::uint64_t>(size));  // -1 is 2^64 - 1
    }
  }
  const std::string text = header.dump();
  ByteWriter file;
  file.number(static_cast<std::uint64_t>(choices.number_or(std::ssize(text))), 8);
  file.text(text);
  file.text(std::string(static_cast<std::size_t>(end), 'x'));
  return file.bytes;
}

}  // namespace
}  // namespace mnist

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return mnist::fuzz(data, size, [](mnist::Bytes bytes) {
    mnist::Choices choices(bytes);
    mnist::make_model(mnist::read_safetensors(mnist::safetensors_file(choices)));
  });
}
