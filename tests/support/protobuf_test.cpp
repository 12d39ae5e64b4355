// The wire format, with the examples of its specification.
#include "support/protobuf.hpp"

#include <gtest/gtest.h>

namespace mnist {
namespace {

using namespace std::string_literals;

TEST(ProtobufMessage, EncodesTheExamplesOfTheSpecification) {
  EXPECT_EQ(ProtobufMessage().add_integer(1, 150).bytes(), "\x08\x96\x01"s);
  EXPECT_EQ(ProtobufMessage().add_bytes(2, "testing").bytes(), "\x12\x07testing"s);
  const auto inner = ProtobufMessage().add_integer(1, 150);
  EXPECT_EQ(ProtobufMessage().add_message(3, inner).bytes(), "\x1a\x03\x08\x96\x01"s);
}

TEST(ProtobufMessage, NegativeIntegersTakeTenBytes) {
  EXPECT_EQ(ProtobufMessage().add_integer(1, -2).bytes(),
            "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
}

TEST(ProtobufMessage, SevenBitsFitIntoAByte) {
  EXPECT_EQ(ProtobufMessage().add_integer(1, 127).bytes(), "\x08\x7f"s);
  EXPECT_EQ(ProtobufMessage().add_integer(1, 128).bytes(), "\x08\x80\x01"s);
}

TEST(ProtobufMessage, NumbersAreLittleEndian) {
  EXPECT_EQ(ProtobufMessage().add_float(2, 1.0F).bytes(), "\x15\x00\x00\x80\x3f"s);
  EXPECT_EQ(ProtobufMessage().add_double(1, 1.0).bytes(), "\x09\x00\x00\x00\x00\x00\x00\xf0\x3f"s);
}

TEST(ProtobufMessage, TagsOfHighFieldsTakeTwoBytes) {
  EXPECT_EQ(ProtobufMessage().add_integer(20, 2).bytes(), "\xa0\x01\x02"s);
}

}  // namespace
}  // namespace mnist
