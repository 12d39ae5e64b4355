// The safetensors format (github.com/huggingface/safetensors, "Format"): the size of the header as
// u64, the header as JSON, then the tensors' bytes, little-endian.
#include "serialize/safetensors.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "mnist/support/error.hpp"
#include "serialize/float_decoding.hpp"

namespace mnist {
namespace {

using Json = nlohmann::ordered_json;

// The format allows 100 MB; a network of linear layers needs a few hundred bytes a layer, and JSON
// takes many times its size in memory.
constexpr std::uint64_t kLargestHeader = 1 << 20;
constexpr const char* kMetadata = "__metadata__";
constexpr const char* kInfo = "mnist";
constexpr std::size_t kHeaderAlignment = 8;

/// Parses JSON, and refuses a key that stands twice in one object (parsers would keep either).
Json parse_header(Bytes header, const std::string& source) {
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key &&
        !keys.back().insert(parsed.get<std::string>()).second) {
      throw Error(source + ": its header has the key '" + parsed.get<std::string>() + "' twice");
    }
    return true;
  };
  return Json::parse(header.begin(), header.end(), watch);
}

FloatType float_type(const std::string& dtype, const std::string& what) {
  if (dtype == "F32") return FloatType::kF32;
  if (dtype == "F64") return FloatType::kF64;
  if (dtype == "F16") return FloatType::kF16;
  if (dtype == "BF16") return FloatType::kBf16;
  throw Error(what + ": is stored as " + dtype + ", expected F32, F64, F16 or BF16");
}

struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

NamedTensor read_tensor(const std::string& name, const Json& entry, Bytes data, Range& range,
                        const std::string& source) {
  const std::string what = source + ": tensor '" + name + "'";
  const FloatType type = float_type(entry.at("dtype").get<std::string>(), what);
  const auto shape = entry.at("shape").get<std::vector<std::int64_t>>();
  const auto& offsets = entry.at("data_offsets");
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned()) {
    throw Error(what + ": its data_offsets are not two positions");
  }
  range = {offsets[0].get<std::uint64_t>(), offsets[1].get<std::uint64_t>()};
  if (range.begin > range.end || range.end > data.size()) {
    throw Error(what + ": its data_offsets lead outside the file");
  }
  const Bytes bytes = data.subspan(range.begin, range.end - range.begin);
  const std::int64_t count =
      checked_element_count(shape, static_cast<std::int64_t>(bytes.size()), what);
  if (static_cast<std::uint64_t>(count) * float_size(type) != bytes.size()) {
    throw Error(what + ": its shape " + shape_text(shape) + " does not fill its " +
                std::to_string(bytes.size()) + " bytes");
  }
  // Row-major data without gaps decode as a vector; strides of an empty tensor could overflow.
  constexpr std::array<std::int64_t, 1> kContiguous{1};
  return {name, shape, decode_floats(bytes, type, 0, std::array{count}, kContiguous, what)};
}

/// The format demands that the tensors cover the data exactly.
void check_coverage(std::vector<Range> ranges, std::uint64_t size, const std::string& source) {
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin; });
  std::uint64_t covered = 0;
  for (const Range& range : ranges) {
    if (range.begin != covered) {
      throw Error(source + ": its tensors overlap or leave a gap at byte " +
                  std::to_string(std::min(covered, range.begin)) + " of the data");
    }
    covered = range.end;
  }
  if (covered != size) {
    throw Error(source + ": has " + std::to_string(size - covered) +
                " bytes after its last tensor");
  }
}

}  // namespace

StoredTensors read_safetensors(Bytes file, const std::string& source) {
  ByteReader reader(file, source);
  const auto header_size = reader.take_little_endian<std::uint64_t>();
  if (header_size > reader.remaining() || header_size > kLargestHeader) {
    throw Error(source + ": is no safetensors file of ours: a header of " +
                std::to_string(header_size) + " bytes in a file of " + std::to_string(file.size()) +
                ", expected at most " + std::to_string(kLargestHeader));
  }
  try {
    const Json header = parse_header(reader.take(header_size), source);
    if (!header.is_object()) throw Error(source + ": its header is no JSON object");
    const Bytes data = reader.take(reader.remaining());
    StoredTensors stored;
    std::vector<Range> ranges;
    for (const auto& [name, entry] : header.items()) {
      if (name == kMetadata) {
        stored.info = entry.value(kInfo, "");
        continue;
      }
      stored.tensors.push_back(read_tensor(name, entry, data, ranges.emplace_back(), source));
    }
    check_coverage(std::move(ranges), data.size(), source);
    return stored;
  } catch (const Json::exception& error) {
    throw Error(source + ": its safetensors header is damaged: " + error.what());
  }
}

std::vector<std::uint8_t> safetensors_bytes(const StateDict& tensors, const std::string& info) {
  Json header;
  header[kMetadata] = {{"format", "pt"}, {kInfo, info}};
  std::size_t offset = 0;
  for (const NamedTensor& tensor : tensors) {
    const std::size_t size = tensor.values.size() * sizeof(float);
    header[tensor.name] = {
        {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, offset + size}}};
    offset += size;
  }
  std::string text = header.dump();
  text.append((kHeaderAlignment - text.size() % kHeaderAlignment) % kHeaderAlignment, ' ');

  std::vector<std::uint8_t> bytes;
  bytes.reserve(sizeof(std::uint64_t) + text.size() + offset);
  for (std::size_t i = 0; i < sizeof(std::uint64_t); ++i) {
    bytes.push_back(static_cast<std::uint8_t>(std::uint64_t{text.size()} >> (8 * i)));
  }
  bytes.insert(bytes.end(), text.begin(), text.end());
  for (const NamedTensor& tensor : tensors) {
    const auto* begin = reinterpret_cast<const std::uint8_t*>(tensor.values.data());
    bytes.insert(bytes.end(), begin, begin + tensor.values.size() * sizeof(float));
  }
  return bytes;
}

}  // namespace mnist
