// A locale whose numbers have decimal commas, compiled on the fly: few machines have one
// installed.
#pragma once

#include <clocale>
#include <cstdlib>
#include <fstream>
#include <string>

#include "test_support.hpp"

namespace mnist {

/// Numbers use that locale while the object exists; works() is false where localedef is missing.
class CommaLocale {
 public:
  CommaLocale() {
    std::ofstream(folder_ / "source") << "LC_NUMERIC\ndecimal_point \",\"\nthousands_sep \".\"\n"
                                         "grouping 3;3\nEND LC_NUMERIC\n";
    // It warns about the categories that the source leaves out, and then exits with 1.
    std::string command = "cd '";
    command += folder_.path();
    command += "' && localedef -c -i source -f UTF-8 ./comma.UTF-8 >log 2>&1";
    (void)!std::system(command.c_str());
    ::setenv("LOCPATH", folder_.path().c_str(), 1);
    works_ = std::setlocale(LC_NUMERIC, "comma.UTF-8") != nullptr &&
             std::string(std::localeconv()->decimal_point) == ",";
  }
  ~CommaLocale() {
    std::setlocale(LC_NUMERIC, "C");
    ::unsetenv("LOCPATH");
  }
  CommaLocale(const CommaLocale&) = delete;
  CommaLocale& operator=(const CommaLocale&) = delete;

  bool works() const { return works_; }

 private:
  TemporaryDirectory folder_;
  bool works_ = false;
};

}  // namespace mnist
