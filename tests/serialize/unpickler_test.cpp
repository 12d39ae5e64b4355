// The restricted unpickler on hand-written pickles; tests/interop reads Python's own.
#include "serialize/unpickler.hpp"

#include "mnist/support/error.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

using namespace std::string_literals;
using Kind = PickleValue::Kind;

void expect_refused(const std::string& pickle, std::string_view words) {
  const auto bytes = to_bytes(pickle);
  expect_throws<Error>([&] { unpickle(bytes); }, words);
}

/// A short string opcode.
std::string text(const std::string& value) {
  return "X"s + static_cast<char>(value.size()) + "\0\0\0"s + value;
}

const std::string kStorageId =
    "("s + text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu") + "K\6tQ";

TEST(Unpickler, ReadsPlainValues) {
  const auto bytes =
      to_bytes("\x80\2}q\0("s + text("i") + "J\xff\xff\xff\xff"s + text("t") + "\x88\x89\x86"s +
               text("f") + "G\x3f\xf0\0\0\0\0\0\0"s + text("l") + "]q\1(K\1M\0\1e"s + text("n") +
               "N" + text("big") + "\x8a\2\0\x80"s + "u.");
  const Pickle pickle = unpickle(bytes);
  const PickleValue& dict = *pickle.root;
  ASSERT_EQ(dict.kind, Kind::kDict);
  EXPECT_EQ(dict.find("i")->integer, -1);
  EXPECT_EQ(dict.find("t")->items.at(0)->kind, Kind::kOther);
  EXPECT_EQ(dict.find("f")->kind, Kind::kOther);
  EXPECT_EQ(dict.find("l")->items.at(1)->integer, 256);
  EXPECT_EQ(dict.find("n")->kind, Kind::kOther);
  EXPECT_EQ(dict.find("big")->integer, -32768);
  EXPECT_EQ(dict.find("none"), nullptr);
}

TEST(Unpickler, TheLastValueOfARepeatedKeyCounts) {
  const auto bytes = to_bytes("}("s + text("a") + "K\1"s + text("a") + "K\2u.");
  const Pickle pickle = unpickle(bytes);
  EXPECT_EQ(pickle.root->find("a")->integer, 2);
}

TEST(Unpickler, ReadsLongMemoIndices) {
  const auto bytes = to_bytes("]r\0\0\0\0j\0\0\0\0\x86."s);
  const Pickle pickle = unpickle(bytes);
  ASSERT_EQ(pickle.root->items.size(), 2U);
  EXPECT_EQ(pickle.root->items[0], pickle.root->items[1]);
}

TEST(Unpickler, RebuildsTensors) {
  const auto bytes = to_bytes("\x80\2ctorch._utils\n_rebuild_tensor_v2\n("s + kStorageId +
                              "K\0K\2K\3\x86K\3K\1\x86\x89"s + "ccollections\nOrderedDict\n)RtR.");
  const Pickle pickle = unpickle(bytes);
  const PickleValue& tensor = *pickle.root;
  ASSERT_EQ(tensor.kind, Kind::kTensor);
  EXPECT_EQ(tensor.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(tensor.strides, (std::vector<std::int64_t>{3, 1}));
  EXPECT_EQ(tensor.items[0]->storage_type, "torch.FloatStorage");
  EXPECT_EQ(tensor.items[0]->integer, 6);
}

TEST(Unpickler, RefusesEveryOtherGlobalByName) {
  expect_refused("\x80\2cos\nsystem\n("s + text("true") + "tR.", "references 'os.system'");
  expect_refused("\x80\2cbuiltins\neval\n.", "references 'builtins.eval'");
  expect_refused("\x80\2cbuiltins\ngetattr\n.", "references 'builtins.getattr'");
  expect_refused("\x80\2ctorch\nload\n.", "references 'torch.load'");
  expect_refused("\x80\4"s + text("os") + text("system") + "\x93.", "references 'os.system'");
  expect_refused("\x80\2ctorch._utils._rebuild_tensor_v2\n\n.", "references");
}

TEST(Unpickler, RefusesOpcodesThatNoStateDictNeeds) {
  // INST, OBJ, NEWOBJ, BUILD on anything but a dict, EXT1, BYTEARRAY8, PERSID, DUP, POP.
  expect_refused("(ios\nsystem\n.", "has opcode 105");
  for (const char opcode : {'o', '\x81', '\x82', '\x96', 'P', '2', '0', 'I', 'F', 'S'}) {
    expect_refused("\x80\2N"s + opcode, "which no state dict needs");
  }
  expect_refused("NNb.", "adds items to the wrong type");
  expect_refused("\x80\1.", "has protocol 1");
  expect_refused("\x80\6.", "has protocol 6");
}

TEST(Unpickler, RefusesBrokenStacks) {
  expect_refused(".", "pops from an empty stack");
  expect_refused("s.", "pops from an empty stack");
  expect_refused("(s.", "pops from an empty stack");
  expect_refused("}NN(s.", "pops from an empty stack");  // the mark hides what is below it
  expect_refused("t.", "pops to a mark");
  expect_refused("N(u.", "adds items to the wrong type");
  expect_refused("}(Nu.", "a key without a value");
  expect_refused("h\0."s, "reads unset memo entry 0");
  expect_refused("q\0."s, "memoizes from an empty stack");
  expect_refused("}K\1K\2a.", "adds items to the wrong type");
  expect_refused("", "ends at byte 0");
  expect_refused("X\xff\xff\xff\xff", "more bytes were expected");
}

TEST(Unpickler, RefusesBombs) {
  expect_refused("Nr\xff\xff\xff\x7f.", "skips memo entries");        // a memo of 2^31 entries
  expect_refused("\x8a\x10"s + std::string(16, 'x'), "of 16 bytes");  // LONG1
  expect_refused(std::string((4 << 20) + 1, 'N'), "more than the supported 4194304");
  expect_refused("\x8b\xff\xff\xff\x7f", "which no state dict needs");  // LONG4
}

TEST(Unpickler, RefusesInvalidCallsAndStorages) {
  expect_refused("N)R.", "calls something other than a function");
  expect_refused("ccollections\nOrderedDict\nNR.", "calls something other than a function");
  expect_refused("ccollections\nOrderedDict\n]\x85R.", "with arguments that no state dict has");
  expect_refused("ctorch\nFloatStorage\n)R.", "with arguments");
  expect_refused("ctorch._utils\n_rebuild_tensor_v2\n)R.", "from something other than a storage");
  expect_refused("ctorch._utils\n_rebuild_parameter\n)R.", "with arguments");
  expect_refused("NQ.", "does not name a storage");
  expect_refused("("s + text("module") + "NNNNtQ.", "does not name a storage");
  expect_refused("ctorch._utils\n_rebuild_tensor_v2\n("s + kStorageId + "K\0NNtR."s,
                 "not a tuple of at most 64 integers");
}

TEST(Unpickler, ReadsCycles) {
  const auto bytes = to_bytes("}q\0"s + text("self") + "h\0s."s);
  const Pickle pickle = unpickle(bytes);
  const PickleValue& dict = *pickle.root;
  EXPECT_EQ(dict.find("self"), &dict);
}

}  // namespace
}  // namespace mnist
