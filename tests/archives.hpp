// Builds zip archives and .pt files, valid or hostile, for tests and fuzz targets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <zlib.h>

namespace mnist {

/// One record of a zip archive; the defaults make a valid one.
struct ZipRecord {
  std::string name;
  std::string content;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::int64_t header_offset = -1;  ///< in the directory; -1 is the correct one
  std::uint32_t extra_size = 0;     ///< added to the stored size in the directory
};

/// Appends little-endian numbers.
class ByteWriter {
 public:
  void number(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) {
      bytes.push_back(i < 8 ? static_cast<std::uint8_t>(value >> (8 * i)) : std::uint8_t{0});
    }
  }
  void text(const std::string& value) { bytes.insert(bytes.end(), value.begin(), value.end()); }
  std::vector<std::uint8_t> bytes;
};

/// The end of a zip64 archive: its end record and the locator of that.
inline void append_zip64_end(ByteWriter& file, std::uint64_t count, std::uint64_t size,
                             std::uint64_t offset) {
  const std::size_t end = file.bytes.size();
  file.number(0x06064b50, 4);
  file.number(44, 8);  // bytes that follow
  file.number(0, 12);
  file.number(count, 8);
  file.number(count, 8);
  file.number(size, 8);
  file.number(offset, 8);
  file.number(0x07064b50, 4);
  file.number(0, 4);
  file.number(end, 8);
  file.number(1, 4);
}

/// An archive of stored records. With `zip64`, its directory is described by a zip64 end record.
inline std::vector<std::uint8_t> zip(const std::vector<ZipRecord>& records, bool zip64 = false) {
  ByteWriter file;
  ByteWriter directory;
  for (const ZipRecord& record : records) {
    const std::size_t offset = file.bytes.size();
    const auto checksum =
        crc32_z(0, reinterpret_cast<const Bytef*>(record.content.data()), record.content.size());
    file.number(0x04034b50, 4);
    file.number(0, 22);
    file.number(record.name.size(), 2);
    file.number(0, 2);
    file.text(record.name);
    file.text(record.content);
    directory.number(0x02014b50, 4);
    directory.number(0, 4);
    directory.number(record.flags, 2);
    directory.number(record.method, 2);
    directory.number(0, 4);
    directory.number(checksum, 4);
    directory.number(record.content.size() + record.extra_size, 4);
    directory.number(record.content.size() + record.extra_size, 4);
    directory.number(record.name.size(), 2);
    directory.number(0, 12);
    directory.number(
        record.header_offset < 0 ? offset : static_cast<std::uint64_t>(record.header_offset), 4);
    directory.text(record.name);
  }
  const std::size_t start = file.bytes.size();
  file.bytes.insert(file.bytes.end(), directory.bytes.begin(), directory.bytes.end());
  if (zip64) append_zip64_end(file, records.size(), directory.bytes.size(), start);
  file.number(0x06054b50, 4);
  file.number(0, 4);
  file.number(zip64 ? 0xFFFF : records.size(), 2);
  file.number(zip64 ? 0xFFFF : records.size(), 2);
  file.number(zip64 ? 0xFFFFFFFF : directory.bytes.size(), 4);
  file.number(zip64 ? 0xFFFFFFFF : start, 4);
  file.number(0, 2);
  return file.bytes;
}

/// A tensor as the pickle of a state dict describes it; nothing here is checked.
struct PickledTensor {
  std::string name;
  std::string key = "0";  ///< of its storage: the record data/KEY
  std::int64_t elements = 0;
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
  std::string storage_type = "FloatStorage";
};

/// BINUNICODE and LONG1 of pickletools.
inline void append_pickled(ByteWriter& pickle, const std::string& text) {
  pickle.text("X");
  pickle.number(text.size(), 4);
  pickle.text(text);
}
inline void append_pickled(ByteWriter& pickle, std::int64_t number) {
  pickle.text("\x8a\x08");
  pickle.number(static_cast<std::uint64_t>(number), 8);
}
inline void append_pickled(ByteWriter& pickle, const std::vector<std::int64_t>& tuple) {
  pickle.text("(");
  for (const std::int64_t number : tuple) append_pickled(pickle, number);
  pickle.text("t");
}

/// The pickle that torch.save writes for a dict of these tensors.
inline std::string pickled(const std::vector<PickledTensor>& tensors) {
  ByteWriter pickle;
  pickle.text("\x80\x02}");
  for (const PickledTensor& tensor : tensors) {
    append_pickled(pickle, tensor.name);
    pickle.text("ctorch._utils\n_rebuild_tensor_v2\n((");
    append_pickled(pickle, std::string("storage"));
    pickle.text("ctorch\n" + tensor.storage_type + "\n");
    append_pickled(pickle, tensor.key);
    append_pickled(pickle, std::string("cpu"));
    append_pickled(pickle, tensor.elements);
    pickle.text("tQ");
    append_pickled(pickle, tensor.offset);
    append_pickled(pickle, tensor.shape);
    append_pickled(pickle, tensor.strides);
    pickle.text(
        "\x89"
        "ccollections\nOrderedDict\n)RtRs");
  }
  pickle.text(".");
  return {pickle.bytes.begin(), pickle.bytes.end()};
}

/// The bytes of `numbers`, as a record holds them.
template <class Number>
std::string record_of(const std::vector<Number>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

}  // namespace mnist
