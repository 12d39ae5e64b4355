// Communication between the processes of one training run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mnist {

/// The most bytes, or values of sum(), that one operation exchanges.
inline constexpr std::size_t kMaxExchange = (std::size_t{1} << 31) - 1;

/// A buffer with one piece for each process: piece p is bytes offsets[p] to offsets[p + 1] - 1.
struct Pieces {
  std::byte* data = nullptr;
  std::span<const std::size_t> offsets;  ///< [size() + 1]
};

/// Connects the processes that train one network. All operations but rank(), size() and
/// processes_on_these_cores() are collective: all processes must call the same ones in the same
/// order, each from the thread that created its communicator. If a connection fails, all processes
/// are ended. Exchanging more than kMaxExchange throws Error.
class Communicator {
 public:
  Communicator() = default;
  virtual ~Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  /// The number of this process, from 0, and how many there are.
  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// Processes, including this one, that share this one's CPU cores.
  virtual int processes_on_these_cores() const = 0;

  /// The largest `value` of all processes.
  virtual std::int64_t max(std::int64_t value) = 0;

  /// Replaces each value by its sum over all processes, the same bits in each of them. The order of
  /// additions is unspecified.
  virtual void sum(std::span<double> values) = 0;

  /// Replaces `bytes` with those of process 0.
  virtual void broadcast(std::vector<std::uint8_t>& bytes) = 0;

  /// Sends piece p of `sent` to process p, and receives piece p of `received` from it.
  virtual void all_to_all(const Pieces& sent, const Pieces& received) = 0;

  /// Sends the piece of this process to all others, and receives theirs.
  virtual void all_gather(const Pieces& pieces) = 0;
};

/// The communicator of a run in one process.
class SingleProcess : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int processes_on_these_cores() const override { return 1; }
  std::int64_t max(std::int64_t value) override { return value; }
  void sum(std::span<double>) override {}
  void broadcast(std::vector<std::uint8_t>&) override {}
  void all_to_all(const Pieces& sent, const Pieces& received) override {
    std::copy_n(sent.data, sent.offsets[1], received.data);
  }
  void all_gather(const Pieces&) override {}
};

/// A SingleProcess for everybody: it has no state.
inline Communicator& single_process() {
  static SingleProcess alone;
  return alone;
}

}  // namespace mnist
