// Every recipe of the source tree is a valid configuration.
#include <filesystem>

#include "options/toml.hpp"
#include "test_support.hpp"

namespace mnist {
namespace {

TEST(Recipes, AreValidConfigurations) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(MNIST_SOURCE_DIR "/recipes")) {
    const std::string path = entry.path().string();
    SCOPED_TRACE(path);
    EXPECT_EQ(entry.path().extension(), ".toml");
    TrainOptions options;
    EXPECT_NO_THROW(read_toml(read_text(path), path, options));
    EXPECT_NO_THROW(validate(options));
    ++count;
  }
  EXPECT_GT(count, 5);
}

}  // namespace
}  // namespace mnist
