// Several processes of a run as threads of one.
#pragma once

#include <algorithm>
#include <barrier>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "data/image_exchange.hpp"
#include "mnist/data/dataset.hpp"
#include "mnist/distributed/communicator.hpp"

namespace mnist {

/// What `size` communicators in one process share.
struct Meeting {
  explicit Meeting(int count)
      : size(count), barrier(count), values(static_cast<std::size_t>(count)), sent(values.size()) {}
  const int size;
  std::barrier<> barrier;
  std::vector<std::vector<double>> values;
  std::vector<Pieces> sent;
  std::vector<std::uint8_t> bytes;
};

class ThreadCommunicator : public Communicator {
 public:
  ThreadCommunicator(Meeting& meeting, int rank) : meeting_(meeting), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return meeting_.size; }
  int processes_on_these_cores() const override { return 1; }

  std::int64_t max(std::int64_t value) override {
    meeting_.values[self()] = {static_cast<double>(value)};
    meeting_.barrier.arrive_and_wait();
    for (const auto& theirs : meeting_.values) {
      value = std::max(value, static_cast<std::int64_t>(theirs.at(0)));
    }
    meeting_.barrier.arrive_and_wait();
    return value;
  }

  void broadcast(std::vector<std::uint8_t>& bytes) override {
    if (rank_ == 0) meeting_.bytes = bytes;
    meeting_.barrier.arrive_and_wait();
    bytes = meeting_.bytes;
    meeting_.barrier.arrive_and_wait();
  }

  void sum(std::span<double> values) override {
    meeting_.values[self()].assign(values.begin(), values.end());
    meeting_.barrier.arrive_and_wait();
    std::fill(values.begin(), values.end(), 0);
    for (const auto& theirs : meeting_.values) {
      EXPECT_EQ(theirs.size(), values.size());
      for (std::size_t i = 0; i < std::min(theirs.size(), values.size()); ++i) {
        values[i] += theirs[i];
      }
    }
    meeting_.barrier.arrive_and_wait();
  }

  void all_to_all(const Pieces& sent, const Pieces& received) override {
    meeting_.sent[self()] = sent;
    meeting_.barrier.arrive_and_wait();
    for (std::size_t p = 0; p < meeting_.sent.size(); ++p) {
      copy_piece(meeting_.sent[p], self(), received, p);
    }
    meeting_.barrier.arrive_and_wait();
  }

  void all_gather(const Pieces& pieces) override {
    meeting_.sent[self()] = pieces;
    meeting_.barrier.arrive_and_wait();
    for (std::size_t p = 0; p < meeting_.sent.size(); ++p) {
      if (p != self()) copy_piece(meeting_.sent[p], p, pieces, p);
    }
    meeting_.barrier.arrive_and_wait();
  }

 private:
  std::size_t self() const { return static_cast<std::size_t>(rank_); }

  static void copy_piece(const Pieces& from, std::size_t piece, const Pieces& to,
                         std::size_t place) {
    const std::size_t length = from.offsets[piece + 1] - from.offsets[piece];
    const std::size_t expected = to.offsets[place + 1] - to.offsets[place];
    EXPECT_EQ(length, expected);
    if (std::min(length, expected) == 0) return;
    std::memcpy(to.data + to.offsets[place], from.data + from.offsets[piece],
                std::min(length, expected));
  }

  Meeting& meeting_;
  const int rank_;
};

/// Runs work(communicator) as each of `size` processes.
inline void run_processes(int size, const std::function<void(Communicator&)>& work) {
  Meeting meeting(size);
  std::vector<std::jthread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadCommunicator communicator(meeting, rank);
      work(communicator);
    });
  }
}

/// What a process of several loads of a dataset.
inline Dataset part_of(Dataset dataset, const Communicator& processes) {
  const Part part = part_of(processes);
  const auto count = static_cast<std::uint64_t>(dataset.count);
  dataset.first_image = static_cast<std::int64_t>(part.begin(count));
  const auto place = [&](std::uint64_t image) {
    return dataset.images.begin() + static_cast<std::int64_t>(image) * dataset.pixels();
  };
  dataset.images = {place(part.begin(count)), place(part.end(count))};
  return dataset;
}

}  // namespace mnist
