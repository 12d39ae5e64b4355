// Images reach the processes that want them; here each process is a thread.
#include "data/image_exchange.hpp"

#include "mnist/support/error.hpp"
#include "mnist_subset.hpp"
#include "thread_communicator.hpp"

namespace mnist {
namespace {

TEST(ImageExchange, BringsImagesToTheProcessesThatWantThem) {
  const Dataset whole = mnist_subset(Split::kTrain);
  const std::vector<std::vector<std::int64_t>> wanted{{1999, 0, 700}, {}, {5, 1000, 1001, 6}, {0}};
  run_processes(4, [&](Communicator& processes) {
    const Dataset part = part_of(whole, processes);
    ImageExchange exchange(part, processes);
    for (const bool again : {false, true}) {
      auto wants = wanted;
      if (again) std::reverse(wants.begin(), wants.end());
      exchange.fetch(wants);
      for (const std::int64_t example : wants[static_cast<std::size_t>(processes.rank())]) {
        EXPECT_EQ(std::memcmp(exchange.image(example), whole.images.data() + example * 784, 784), 0)
            << example;
      }
    }
  });
}

TEST(ImageExchange, WorksWhereSomeProcessesHaveNoImages) {
  Dataset whole = mnist_subset(Split::kTrain);
  limit_examples(whole, 2);
  run_processes(5, [&](Communicator& processes) {
    const Dataset part = part_of(whole, processes);
    ImageExchange exchange(part, processes);
    exchange.fetch(std::vector<std::vector<std::int64_t>>(5, {1, 0}));
    EXPECT_EQ(std::memcmp(exchange.image(0), whole.images.data(), 784), 0);
    EXPECT_EQ(std::memcmp(exchange.image(1), whole.images.data() + 784, 784), 0);
  });
}

TEST(ImageExchange, FindsTheFingerprintOfAllParts) {
  const Dataset whole = mnist_subset(Split::kTrain);
  run_processes(3, [&](Communicator& processes) {
    EXPECT_EQ(fingerprint(part_of(whole, processes), processes), whole.fingerprint());
  });
  SingleProcess alone;
  EXPECT_EQ(fingerprint(whole, alone), whole.fingerprint());
}

TEST(ImageExchange, NoticesOtherDataInOneProcess) {
  const Dataset whole = mnist_subset(Split::kTrain);
  for (const bool count : {false, true}) {
    run_processes(3, [&](Communicator& processes) {
      Dataset own = part_of(whole, processes);
      check_same_data(own, processes);
      if (processes.rank() == 1 && count) limit_examples(own, 1999);
      if (processes.rank() == 1 && !count) own.labels[7] ^= 1;
      if (processes.rank() == 1) {
        EXPECT_THROW(check_same_data(own, processes), Error);
      } else {
        check_same_data(own, processes);
      }
    });
  }
}

TEST(ImageExchange, SelectsExamplesForTheFirstProcess) {
  const Dataset whole = mnist_subset(Split::kTrain);
  const std::vector<std::int64_t> indices{3, 900, 1998};
  const Dataset expected = select_examples(whole, indices);
  run_processes(3, [&](Communicator& processes) {
    const Dataset found = select_examples(part_of(whole, processes), indices, processes);
    EXPECT_EQ(found.count, 3);
    EXPECT_EQ(found.labels, expected.labels);
    EXPECT_TRUE(processes.rank() == 0 ? found.images == expected.images : found.images.empty());
  });
}

}  // namespace
}  // namespace mnist
