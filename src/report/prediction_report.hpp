// The output of mnist-predict.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mnist {

struct ClassProbability {
  std::string label;
  double probability = 0;  ///< 0 to 1
};

/// All classes, the most probable first; ties keep their order.
std::vector<ClassProbability> ranked(std::span<const float> probabilities,
                                     const std::vector<std::string>& class_names);

/// "three.png: 3 (98.2 %), then 8 (1.1 %), 5 (0.4 %)": the top three.
std::string prediction_text(const std::string& image, const std::vector<ClassProbability>& ranking);

/// A JSON object on one line: image, class, probability, and classes (label, probability), sorted.
std::string prediction_json(const std::string& image, const std::vector<ClassProbability>& ranking);

/// ASCII art of an image, u8 [side, side]: two characters per pixel, denser for brighter ones.
std::string drawing(std::span<const std::uint8_t> image, std::int64_t side);

}  // namespace mnist
