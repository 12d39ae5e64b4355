// Parses untrusted safetensors headers, and writes our own.
#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include "mnist/support/error.hpp"
#include "serialize/formats.hpp"

namespace mnist {
namespace {

using Json = nlohmann::ordered_json;

// The format allows 100 MB, but a linear layer needs a few hundred bytes, and parsed JSON takes
// many times its size in memory.
constexpr std::uint64_t kMaxHeader = 1 << 20;
constexpr const char* kMetadata = "__metadata__";
constexpr const char* kInfo = "mnist";
constexpr std::size_t kHeaderAlignment = 8;

/// Parses JSON and rejects duplicate keys, of which parsers may keep either.
Json parse_header(Bytes header) {
  std::vector<std::set<std::string>> keys;
  const auto check_keys = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key &&
        !keys.back().insert(parsed.get<std::string>()).second) {
      throw Error("its header repeats the key '" + parsed.get<std::string>() + "'");
    }
    return true;
  };
  Json json = Json::parse(header.begin(), header.end(), check_keys);
  if (!json.is_object()) throw Error("its safetensors header is not a JSON object");
  return json;
}

/// Reads an array of nonnegative integers; nlohmann's own conversion would accept fractions too.
template <class Integer>
std::vector<Integer> read_integers(const Json& entry, const char* key) {
  const Json& array = entry.at(key);
  const auto is_valid = [](const Json& item) { return item.is_number_unsigned(); };
  if (!array.is_array() || !std::ranges::all_of(array, is_valid)) {
    throw Error(fmt::format("its {} is not an array of nonnegative integers", key));
  }
  return array.get<std::vector<Integer>>();
}

using Range = std::pair<std::uint64_t, std::uint64_t>;  // begin and end, in bytes of the data

Range read_range(const Json& entry, std::uint64_t size) {
  const auto offsets = read_integers<std::uint64_t>(entry, "data_offsets");
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > size) {
    throw Error(fmt::format("its data_offsets are not a range within the {} bytes of data", size));
  }
  return {offsets[0], offsets[1]};
}

NamedTensor read_tensor(const std::string& name, const Json& entry, Bytes bytes) {
  const FloatType type =
      float_type(entry.at("dtype").get<std::string>(), {"F32", "F64", "F16", "BF16"});
  const auto shape = read_integers<std::int64_t>(entry, "shape");
  const auto stored = static_cast<std::int64_t>(bytes.size() / float_size(type));
  const std::int64_t count = checked_element_count(shape, stored);
  if (static_cast<std::uint64_t>(count) * float_size(type) != bytes.size()) {
    throw Error(
        fmt::format("its shape {} does not fill its {} bytes", shape_text(shape), bytes.size()));
  }
  // Contiguous data decode as a vector; the strides of `shape` could overflow when it is empty.
  constexpr std::array<std::int64_t, 1> kContiguous{1};
  return {name, shape, decode_floats(bytes, type, 0, std::array{count}, kContiguous)};
}

/// The format requires that the tensors cover the data exactly.
void check_coverage(std::vector<Range> ranges, std::uint64_t size) {
  std::ranges::sort(ranges);
  std::uint64_t covered = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin != covered) {
      throw Error(fmt::format("its tensors overlap or leave a gap at byte {} of the data",
                              std::min(covered, begin)));
    }
    covered = end;
  }
  if (covered != size) {
    throw Error(fmt::format("has {} bytes after its last tensor", size - covered));
  }
}

StoredTensors read_tensors(const Json& header, Bytes data) {
  StoredTensors stored;
  std::vector<Range> ranges;
  for (const auto& item : header.items()) {
    if (item.key() == kMetadata) {
      stored.info = item.value().value(kInfo, "");
      continue;
    }
    with_source("tensor '" + item.key() + "'", [&] {
      const auto [begin, end] = ranges.emplace_back(read_range(item.value(), data.size()));
      const Bytes bytes = data.subspan(begin, end - begin);
      stored.tensors.push_back(read_tensor(item.key(), item.value(), bytes));
    });
  }
  check_coverage(std::move(ranges), data.size());
  return stored;
}

}  // namespace

StoredTensors read_safetensors(Bytes file) {
  ByteReader reader(file);
  const auto header_size = reader.take_little_endian<std::uint64_t>();
  if (header_size > reader.remaining()) {
    throw Error(fmt::format(
        "is not a safetensors file: its header would have {} bytes, but the file has {}",
        header_size, file.size()));
  }
  if (header_size > kMaxHeader) {
    throw Error(fmt::format("its safetensors header has {} bytes; at most {} are allowed",
                            header_size, kMaxHeader));
  }
  const Bytes header = reader.take(header_size);
  try {
    return read_tensors(parse_header(header), reader.take(reader.remaining()));
  } catch (const Json::exception& error) {
    throw Error(std::string("its safetensors header is invalid: ") + error.what());
  }
}

std::vector<std::uint8_t> safetensors_bytes(const StateDict& tensors, const std::string& info) {
  Json header;
  header[kMetadata] = {{"format", "pt"}, {kInfo, info}};
  std::size_t offset = 0;
  for (const NamedTensor& tensor : tensors) {
    const std::size_t end = offset + bytes_of(tensor.values).size();
    header[tensor.name] = {
        {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.append((kHeaderAlignment - text.size() % kHeaderAlignment) % kHeaderAlignment, ' ');

  std::vector<std::uint8_t> file(sizeof(std::uint64_t) + text.size() + offset);
  auto end = file.begin();
  const auto append = [&](Bytes bytes) { end = std::copy(bytes.begin(), bytes.end(), end); };
  append(bytes_of(std::array{std::uint64_t{text.size()}}));
  append(bytes_of(text));
  for (const NamedTensor& tensor : tensors) append(bytes_of(tensor.values));
  return file;
}

}  // namespace mnist
