// Writes the pages that the browser tests open: sample_page FOLDER makes report.html, run.html, learn.html, and each
// plot of the sample as still-ID.svg.

#include <cstdio>
#include <fstream>
#include <string>

#include "sepal/report/document.h"
#include "sepal/report/run.h"
#include "tests/report/sample.h"
#include "tests/report/sample_run.h"

int main(int argc, char** argv) {
  using namespace sepal::report;
  if (argc != 2) {
    std::fputs("usage: sample_page FOLDER\n", stderr);
    return 2;
  }
  const std::string folder = std::string(argv[1]) + "/";
  const Document document = sample_document();
  std::ofstream(folder + "report.html", std::ios::binary) << to_html(document);
  const sepal::Evaluation test = sample_evaluation();
  std::ofstream(folder + "run.html", std::ios::binary) << run_html(sample_history(), &test, sample_cost());
  std::ofstream(folder + "learn.html", std::ios::binary) << learn_html();
  for (const Section& section : document.sections) {
    for (const Figure& figure : section.figures) {
      std::ofstream(folder + "still-" + figure.id + ".svg", std::ios::binary) << to_svg(figure);
    }
  }
  std::fputs(has_interactive_plots() ? "interactive\n" : "still\n", stdout);
}
