// Parses untrusted safetensors headers, and writes our own.
#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "mnist/support/error.hpp"
#include "serialize/formats.hpp"
#include "support/bytes.hpp"

namespace mnist {
namespace {

using Json = nlohmann::ordered_json;

// The format allows 100 MB, but a linear layer needs a few hundred bytes, and parsed JSON takes
// many times its size in memory.
constexpr std::uint64_t kMaxHeader = 1 << 20;
constexpr const char* kMetadata = "__metadata__";
constexpr const char* kInfo = "mnist";
constexpr std::size_t kHeaderAlignment = 8;

/// Parses JSON and refuses duplicate keys, of which parsers may keep either.
Json parse_header(Bytes header, const std::string& source) {
  std::vector<std::set<std::string>> keys;
  const auto check_keys = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key &&
        !keys.back().insert(parsed.get<std::string>()).second) {
      throw Error(source + ": its header repeats the key '" + parsed.get<std::string>() + "'");
    }
    return true;
  };
  return Json::parse(header.begin(), header.end(), check_keys);
}

FloatType float_type(const std::string& dtype, const std::string& what) {
  if (dtype == "F32") return FloatType::kF32;
  if (dtype == "F64") return FloatType::kF64;
  if (dtype == "F16") return FloatType::kF16;
  if (dtype == "BF16") return FloatType::kBf16;
  throw Error(what + ": is stored as " + dtype + "; expected F32, F64, F16 or BF16");
}

/// Reads an array of nonnegative integers; nlohmann's own conversion would accept fractions too.
std::vector<std::int64_t> read_integers(const Json& entry, const char* key,
                                        const std::string& what) {
  const Json& array = entry.at(key);
  const auto is_valid = [](const Json& item) { return item.is_number_unsigned(); };
  if (!array.is_array() || !std::all_of(array.begin(), array.end(), is_valid)) {
    throw Error(what + ": its " + key + " is not an array of nonnegative integers");
  }
  return array.get<std::vector<std::int64_t>>();
}

using Range = std::pair<std::uint64_t, std::uint64_t>;  // begin and end, in bytes of the data

Range read_range(const Json& entry, std::uint64_t size, const std::string& what) {
  const std::vector<std::int64_t> offsets = read_integers(entry, "data_offsets", what);
  if (offsets.size() == 2 && 0 <= offsets[0] && offsets[0] <= offsets[1]) {
    const Range range(offsets[0], offsets[1]);
    if (range.second <= size) return range;
  }
  throw Error(what + ": its data_offsets are not a range within the " + std::to_string(size) +
              " bytes of data");
}

NamedTensor read_tensor(const std::string& name, const Json& entry, Range range, Bytes data,
                        const std::string& what) {
  const FloatType type = float_type(entry.at("dtype").get<std::string>(), what);
  const std::vector<std::int64_t> shape = read_integers(entry, "shape", what);
  const Bytes bytes = data.subspan(range.first, range.second - range.first);
  const auto stored = static_cast<std::int64_t>(bytes.size() / float_size(type));
  const std::int64_t count = checked_element_count(shape, stored, what);
  if (static_cast<std::uint64_t>(count) * float_size(type) != bytes.size()) {
    throw Error(what + ": its shape " + shape_text(shape) + " does not fill its " +
                std::to_string(bytes.size()) + " bytes");
  }
  // Contiguous data decode as a vector; the strides of `shape` could overflow when it is empty.
  constexpr std::array<std::int64_t, 1> kContiguous{1};
  return {name, shape, decode_floats(bytes, type, 0, std::array{count}, kContiguous, what)};
}

/// The format requires that the tensors cover the data exactly.
void check_coverage(std::vector<Range> ranges, std::uint64_t size, const std::string& source) {
  std::sort(ranges.begin(), ranges.end());
  std::uint64_t covered = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin != covered) {
      throw Error(source + ": its tensors overlap or leave a gap at byte " +
                  std::to_string(std::min(covered, begin)) + " of the data");
    }
    covered = end;
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
  if (header_size > reader.remaining()) {
    throw Error(source + ": is not a safetensors file: its header would have " +
                std::to_string(header_size) + " bytes, but the file has " +
                std::to_string(file.size()));
  }
  if (header_size > kMaxHeader) {
    throw Error(source + ": its safetensors header has " + std::to_string(header_size) +
                " bytes; at most " + std::to_string(kMaxHeader) + " are allowed");
  }
  try {
    const Json header = parse_header(reader.take(header_size), source);
    if (!header.is_object()) throw Error(source + ": its safetensors header is not a JSON object");
    const Bytes data = reader.take(reader.remaining());
    StoredTensors stored;
    std::vector<Range> ranges;
    for (const auto& [name, entry] : header.items()) {
      if (name == kMetadata) {
        stored.info = entry.value(kInfo, "");
        continue;
      }
      const std::string what = source + ": tensor '" + name + "'";
      ranges.push_back(read_range(entry, data.size(), what));
      stored.tensors.push_back(read_tensor(name, entry, ranges.back(), data, what));
    }
    check_coverage(std::move(ranges), data.size(), source);
    return stored;
  } catch (const Json::exception& error) {
    throw Error(source + ": its safetensors header is invalid: " + error.what());
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

  std::string bytes;
  append_little_endian(bytes, std::uint64_t{text.size()});
  bytes += text;
  for (const NamedTensor& tensor : tensors) bytes += little_endian_bytes<float>(tensor.values);
  return {bytes.begin(), bytes.end()};
}

}  // namespace mnist
