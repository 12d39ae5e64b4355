// Fuzzes the unpickler with sequences of the opcodes that state dicts use, in any order.
#include "archives.hpp"
#include "fuzz/choices.hpp"
#include "fuzz/fuzzer.hpp"
#include "serialize/unpickler.hpp"

namespace mnist {
namespace {

using namespace std::string_literals;

// Opcodes without arguments, and globals.
const std::array<const char*, 24> kPhrases{"N",
                                           "\x88",
                                           "\x89",
                                           "(",
                                           ")",
                                           "\x85",
                                           "\x86",
                                           "\x87",
                                           "t",
                                           "]",
                                           "a",
                                           "e",
                                           "}",
                                           "s",
                                           "u",
                                           "\x94",
                                           "\x93",
                                           "Q",
                                           "R",
                                           "b",
                                           "ccollections\nOrderedDict\n",
                                           "ctorch._utils\n_rebuild_tensor_v2\n",
                                           "ctorch._utils\n_rebuild_parameter\n",
                                           "ctorch\nFloatStorage\n"};

/// A storage, as torch.save refers to it.
void append_storage(ByteWriter& pickle, Choices& choices) {
  pickle.text("(");
  append_pickled(pickle, "storage"s);
  pickle.text("ctorch\nFloatStorage\n");
  append_pickled(pickle, "0"s);
  append_pickled(pickle, "cpu"s);
  append_pickled(pickle, choices.number());
  pickle.text("tQ");
}

std::vector<std::uint8_t> pickle_of(Choices& choices) {
  constexpr std::size_t kMaxPhrases = 64;
  ByteWriter pickle;
  pickle.text("\x80\x02");
  const std::size_t count = choices.below(kMaxPhrases);
  for (std::size_t i = 0; i < count; ++i) {
    switch (choices.below(8)) {
      case 0:
        append_pickled(pickle, choices.number());
        break;
      case 1:
        append_pickled(pickle, choices.parameter_name());
        break;
      case 2:
        append_pickled(pickle, choices.shape());
        break;
      case 3:
        append_storage(pickle, choices);
        break;
      case 4:  // BINPUT, BINGET, LONG_BINPUT, LONG_BINGET
        pickle.text(choices.below(2) == 0 ? "q" : "h");
        pickle.number(choices.below(4), 1);
        break;
      case 5:
        pickle.text(choices.below(2) == 0 ? "r" : "j");
        pickle.number(static_cast<std::uint64_t>(choices.number()), 4);
        break;
      default:
        pickle.text(choices.one_of(kPhrases));
    }
  }
  pickle.text(".");
  return pickle.bytes;
}

}  // namespace
}  // namespace mnist

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return mnist::fuzz(data, size, [](mnist::Bytes bytes) {
    mnist::Choices choices(bytes);
    const std::vector<std::uint8_t> pickle = mnist::pickle_of(choices);
    mnist::unpickle(pickle);
  });
}
