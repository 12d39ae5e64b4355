// Help, completions, man pages and docs/reference.md, generated from a program's options.
#pragma once

#include <string>
#include <vector>

#include "mnist/support/enum_names.hpp"
#include "options/shared_options.hpp"

namespace mnist {

/// An option or a positional argument, with what its documents show of its value.
struct DocumentedOption : OptionInfo {
  std::string default_text = {};
  std::vector<std::string> choices = {};  ///< the values of an enumeration
  bool is_positional = false;

  /// One letter, or empty.
  std::string short_name() const { return name == "help" ? "h" : ""; }
};

struct DocumentedProgram {
  std::string name;
  std::string description;
  std::string examples;                   ///< a line break, and indented lines
  std::vector<DocumentedOption> options;  ///< those of a group are next to each other
};

/// See --generate.
enum class DocumentKind { kBash, kFish, kZsh, kMan, kMarkdown };
template <>
inline constexpr Names<5> kEnumNames<DocumentKind>{"bash", "fish", "zsh", "man", "markdown"};

/// The shell completions, the man page, or the section of docs/reference.md of a program.
std::string document_text(const DocumentedProgram& program, DocumentKind kind);

/// The text of --help; if `brief`, of -h, which has only the first and the last group.
std::string help_text(const DocumentedProgram& program, bool brief);

}  // namespace mnist
