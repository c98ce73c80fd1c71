// Writes the pages that the browser tests open: sample_page FOLDER makes report.html, learn.html, and each plot of the
// sample as still-ID.svg.

#include <cstdio>
#include <fstream>
#include <string>

#include "sepal/report/document.h"
#include "tests/report/sample.h"

int main(int argc, char** argv) {
  using namespace sepal::report;
  if (argc != 2) {
    std::fputs("usage: sample_page FOLDER\n", stderr);
    return 2;
  }
  const std::string folder = std::string(argv[1]) + "/";
  const Document document = sample_document();
  std::ofstream(folder + "report.html", std::ios::binary) << to_html(document);
  std::ofstream(folder + "learn.html", std::ios::binary) << learn_html();
  for (const Section& section : document.sections) {
    for (const Figure& figure : section.figures) {
      std::ofstream(folder + "still-" + figure.id + ".svg", std::ios::binary) << to_svg(figure);
    }
  }
  std::fputs(has_interactive_plots() ? "interactive\n" : "still\n", stdout);
}
