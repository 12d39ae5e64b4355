// Prints, as JSON, what one core can do at most: multiply-adds of f32 (two operations each) in
// GFLOP/s, and, for arrays of some sizes, the GB/s at which it reads them and at which it updates
// them in place (each byte counts twice).
//
// usage: ceilings BYTES...
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <vector>

namespace {

#if defined(__AVX512F__)
constexpr std::size_t kBytes = 64;
#elif defined(__AVX__)
constexpr std::size_t kBytes = 32;
#else
constexpr std::size_t kBytes = 16;
#endif
using Vector = float __attribute__((vector_size(kBytes)));

constexpr int kRounds = 300;         // of which the fastest counts
constexpr std::size_t kChains = 12;  // independent, to hide the latency of an instruction
volatile float g_factor = 0.999F, g_offset = 0.001F, g_result;

void keep(const std::array<Vector, kChains>& values) {
  Vector sum{};
  for (const Vector value : values) sum += value;
  g_result = sum[0];
}

/// How often `work` can be done in a second.
template <class Work>
double rate(const Work& work) {
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    work();
    asm volatile("" ::: "memory");
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, 1 / seconds.count());
  }
  return best;
}

double peak() {
  constexpr int kTimes = 20'000;
  const float factor = g_factor, offset = g_offset;
  const double done = rate([&] {
    std::array<Vector, kChains> sums;
    for (Vector& sum : sums) sum = Vector{} + g_factor;  // read anew: equal chains would be merged
    for (int time = 0; time < kTimes; ++time) {
      for (Vector& sum : sums) sum = sum * factor + offset;
    }
    keep(sums);
  });
  return done * kTimes * kChains * kBytes / sizeof(float) * 2;
}

double read(const std::vector<Vector>& array) {
  const double done = rate([&] {
    std::array<Vector, kChains> sums{};
    for (std::size_t i = 0; i < array.size(); i += kChains) {
      for (std::size_t chain = 0; chain < kChains; ++chain) sums[chain] += array[i + chain];
    }
    keep(sums);
  });
  return done * static_cast<double>(array.size() * kBytes);
}

double update(std::vector<Vector>& array) {
  const float factor = g_factor, offset = g_offset;
  const double done = rate([&] {
    for (Vector& value : array) value = value * factor + offset;
  });
  return done * static_cast<double>(array.size() * kBytes) * 2;
}

}  // namespace

int main(int argc, char** argv) {
  std::cout << "{\"peak\": " << peak() / 1e9 << ", \"read\": [";
  std::vector<double> updates;
  for (int i = 1; i < argc; ++i) {
    std::vector<Vector> array(std::strtoull(argv[i], nullptr, 10) / kBytes / kChains * kChains,
                              Vector{} + 1);
    std::cout << (i > 1 ? ", " : "") << read(array) / 1e9;
    updates.push_back(update(array) / 1e9);
  }
  std::cout << "], \"update\": [";
  for (std::size_t i = 0; i < updates.size(); ++i) std::cout << (i > 0 ? ", " : "") << updates[i];
  std::cout << "]}\n";
}
