#include "cli/console.h"
#include "cli/interrupt.h"
#include "cli/outputs.h"
#include "cli/verb.h"
#include "sepal/base/mapped_file.h"
#include "sepal/base/text.h"
#include "sepal/report/document.h"

// sepal learn: the page that teaches the arithmetic.

namespace sepal::cli {
namespace {

struct LearnOptions {
  std::optional<std::string> html;
  bool quiet = false;
};

void learn(const LearnOptions& options) {
  if (!options.html) throw Error(ErrorKind::kUsage, "--html FILE is missing: where the page goes");
  check_output(*options.html);
  Console console("sepal learn", options.quiet);
  const std::string page = report::learn_html();
  {
    const Uninterrupted whole;
    write_file(*options.html, std::as_bytes(std::span(page)));
  }
  if (!report::has_interactive_plots())
    console.remark("its plots are still pictures: this Sepal was built without the plotting library");
  console.finish(format("{}: {}\n", printable(*options.html), human_bytes(static_cast<double>(page.size()))));
}

Action declare_learn(Options& options) {
  const auto chosen = std::make_shared<LearnOptions>();
  options.text({"--html", "FILE", "Write the page there; it opens in any browser, without a network", Complete::kFile},
               chosen->html);
  options.flag({"--quiet", "", "No remarks on stderr"}, chosen->quiet);
  return [chosen] { learn(*chosen); };
}

}  // namespace

const Verb kLearn = {"learn", "Writes a page that teaches what separable convolutions cost and save", R"(Examples:
  sepal learn --html learn.html
)",
                     declare_learn};

}  // namespace sepal::cli
