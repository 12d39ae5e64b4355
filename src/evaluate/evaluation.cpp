// What an evaluation found: counts, and the figures that follow from them.
#include "mnist/evaluate/evaluation.hpp"

#include <cmath>
#include <numeric>

namespace mnist {
namespace {

double ratio(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Interval wilson_interval(std::int64_t correct, std::int64_t examples) {
  if (examples == 0) return {0, 1};
  constexpr double kZ = 1.959963984540054;  // 97.5 % quantile of the normal distribution
  const auto n = static_cast<double>(examples);
  const double p = ratio(correct, examples);
  const double centre = p + kZ * kZ / (2 * n);
  const double half = kZ * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n));
  const double scale = 1 + kZ * kZ / n;
  return {(centre - half) / scale, (centre + half) / scale};
}

std::int64_t Evaluation::examples() const {
  return std::accumulate(confusion.begin(), confusion.end(), std::int64_t{0});
}

std::int64_t Evaluation::correct() const {
  std::int64_t sum = 0;
  for (std::size_t k = 0; k < class_names.size(); ++k) sum += count(k, k);
  return sum;
}

double Evaluation::accuracy() const {
  return ratio(correct(), examples());
}

std::vector<ClassFigures> Evaluation::classes() const {
  std::vector<ClassFigures> figures;
  for (std::size_t k = 0; k < class_names.size(); ++k) {
    std::int64_t guessed = 0;
    std::int64_t support = 0;
    for (std::size_t other = 0; other < class_names.size(); ++other) {
      guessed += count(other, k);
      support += count(k, other);
    }
    const std::int64_t right = count(k, k);
    figures.push_back({class_names[k], ratio(right, guessed), ratio(right, support),
                       ratio(2 * right, guessed + support), support});
  }
  return figures;
}

}  // namespace mnist
