// What mnist-predict prints.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mnist {

/// A class and how probable it is, 0 to 1.
struct ClassProbability {
  std::string label;
  double probability = 0;
};

/// All classes, the most probable first; of equal ones the first.
std::vector<ClassProbability> ranked(std::span<const float> probabilities,
                                     const std::vector<std::string>& class_names);

/// "three.png: 3 (98.2 %), then 8 (1.1 %), 5 (0.4 %)": the best three.
std::string prediction_text(const std::string& image, const std::vector<ClassProbability>& ranking);

/// One object in one line: image, class, probability, and classes (label, probability), best first.
std::string prediction_json(const std::string& image, const std::vector<ClassProbability>& ranking);

/// An image, u8 [side, side], as lines of characters: two for each pixel, the denser the brighter.
std::string drawing(std::span<const std::uint8_t> image, std::int64_t side);

}  // namespace mnist
