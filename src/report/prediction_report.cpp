// Ranking, text, JSON and ASCII art.
#include "report/prediction_report.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>
#include <spdlog/fmt/fmt.h>

#include "support/text.hpp"

namespace mnist {

std::vector<ClassProbability> ranked(std::span<const float> probabilities,
                                     const std::vector<std::string>& class_names) {
  std::vector<ClassProbability> ranking;
  for (std::size_t k = 0; k < class_names.size(); ++k) {
    ranking.push_back({class_names[k], static_cast<double>(probabilities[k])});
  }
  std::stable_sort(ranking.begin(), ranking.end(),
                   [](const auto& a, const auto& b) { return a.probability > b.probability; });
  return ranking;
}

std::string prediction_text(const std::string& image,
                            const std::vector<ClassProbability>& ranking) {
  constexpr std::size_t kMaxShown = 3;
  std::string text = image + ":";
  for (std::size_t k = 0; k < std::min(kMaxShown, ranking.size()); ++k) {
    const char* const separator = k == 0 ? " " : (k == 1 ? ", then " : ", ");
    text +=
        fmt::format("{}{} ({:.1f} %)", separator, ranking[k].label, 100 * ranking[k].probability);
  }
  return text + "\n";
}

std::string prediction_json(const std::string& image,
                            const std::vector<ClassProbability>& ranking) {
  nlohmann::ordered_json json;
  json["image"] = image;
  json["class"] = ranking.front().label;
  json["probability"] = ranking.front().probability;
  json["classes"] = nlohmann::ordered_json::array();
  for (const ClassProbability& entry : ranking) {
    json["classes"].push_back({{"label", entry.label}, {"probability", entry.probability}});
  }
  return json_text(json) + "\n";
}

std::string drawing(std::span<const std::uint8_t> image, std::int64_t side) {
  constexpr std::string_view kShades = " .:-=+*#%@";
  std::string text;
  for (std::size_t i = 0; i < image.size(); ++i) {
    const char shade = kShades[image[i] * kShades.size() / 256];
    text.append(2, shade);
    if ((i + 1) % static_cast<std::size_t>(side) == 0) {
      text.erase(text.find_last_not_of(' ') + 1);
      text += '\n';
    }
  }
  return text;
}

}  // namespace mnist
