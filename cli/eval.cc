#include <filesystem>

#include "cli/console.h"
#include "cli/network.h"
#include "cli/verb.h"
#include "sepal/base/text.h"
#include "sepal/base/thread_pool.h"
#include "sepal/data/find.h"
#include "sepal/model/image_input.h"
#include "sepal/optimize/optimize.h"
#include "sepal/report/columns.h"
#include "sepal/report/json.h"
#include "sepal/train/evaluation.h"
#include "sepal/train/reshape.h"

// sepal eval: a network and labelled images in; how many it tells right, and which it takes for which.

namespace sepal::cli {

using report::Json;
namespace {

struct EvalOptions {
  std::string model;
  std::optional<std::string> data;
  std::optional<std::string> part;
  std::optional<int> batch;
  std::optional<int> threads;
  bool json = false;
  bool quiet = false;
};

/// The labels that the model itself has must be those of the data.
void check_labels_of(const Graph& graph, const DataSet& set) {
  const auto found = graph.about.properties.find("sepal.labels");
  if (found == graph.about.properties.end()) return;
  if (found->second == format("{}", join(set.classes, "\n"))) return;
  invalid("its labels are \"{}\", those of {} are \"{}\"", printable(found->second), printable(set.name),
          printable(format("{}", join(set.classes, "\n"))));
}

/// The image format that the model's metadata tell of; what they do not say is as Sepal's default.
ImageFormat format_of(const Graph& graph) {
  const Shape shape = image_shape(graph);
  const ValueInfo input{.name = graph.inputs()[0].name,
                        .type = DataType::kF32,
                        .dimensions = {1, shape.h(), shape.w(), shape.c()},
                        .text = to_string(shape)};
  return image_input_format(std::span(&input, 1), {}, {}, graph.about.properties);
}

std::string table(const Evaluation& judged, const DataSet& set) {
  constexpr std::size_t kMostRows = 20;
  const std::size_t classes = set.classes.size();
  std::string text = format("{:.2f} % of {} images are told right, loss {:.4f}, {:.0f} images/s\n",
                            100 * judged.accuracy, grouped(judged.images), judged.loss, judged.images_per_second);
  if (classes > kMostRows) return text;
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < classes; ++i) {
    rows.push_back({printable(set.classes[i])});
    for (std::size_t j = 0; j < classes; ++j) rows.back().push_back(format("{}", judged.confusion[i * classes + j]));
  }
  return text + "what it is, and how often it was told to be each:\n" +
         report::to_text(rows, 2, "l" + std::string(classes, 'r'));
}

Json to_json(const Evaluation& judged, const DataSet& set, std::string_view part) {
  const auto classes = static_cast<std::ptrdiff_t>(set.classes.size());
  Json json{{"data", set.name},        {"part", part},
            {"images", judged.images}, {"accuracy", judged.accuracy},
            {"loss", judged.loss},     {"images_per_second", judged.images_per_second},
            {"classes", set.classes}};
  json["confusion"] = Json::array();
  for (auto row = judged.confusion.begin(); row != judged.confusion.end(); row += classes) {
    json["confusion"].push_back(std::vector<std::int64_t>(row, row + classes));
  }
  return json;
}

/// The batch that was asked for, else the usual one where the network can be brought to it, else as it is.
std::int64_t batch_of(const Graph& graph, std::optional<int> asked) {
  constexpr int kUsualBatch = 64;
  if (asked) return *asked;
  try {
    with_batch(graph, kUsualBatch);
    return kUsualBatch;
  } catch (const Error&) {
    return image_shape(graph).n();
  }
}

void eval(const EvalOptions& options) {
  if (!options.data) throw Error(ErrorKind::kUsage, "--data is missing: the images to judge by");
  Console console("sepal eval", options.quiet);
  const std::string part = options.part.value_or("test");
  Network network =
      read_network(options.model, {},
                   {.weights = Weights::kSeeded, .unhandled = onnx::Unhandled::kRefuse, .what = "evaluating"}, console);
  const DataSet set = open_data(*options.data);
  const LabelledImages& images = part == "test" ? set.test : set.train;
  if (images.count() == 0) invalid("{}: has no test images; --part train takes the others", printable(set.name));
  const Evaluation judged = in_place(printable(network.name), [&] {
    const Graph graph = without_turned_ends(network.graph);
    check_labels_of(graph, set);
    const ImageFormat wanted = format_of(graph);
    if (class_count(graph) != std::ssize(set.classes)) {
      invalid("tells {} classes apart, {} has {}", class_count(graph), printable(set.name), set.classes.size());
    }
    const Batches batches(set, part == "test" ? Part::kTest : Part::kTrain, all_of(images.count()),
                          {.batch = batch_of(graph, options.batch),
                           .size = wanted.size,
                           .channels = wanted.channels,
                           .normalisation = wanted.normalisation,
                           .fit = wanted.fit,
                           .shuffle = false,
                           .full_only = false});
    return evaluate_network(graph, batches, images, {.threads = options.threads.value_or(available_cores())});
  });
  console.finish(options.json ? report::to_text(to_json(judged, set, part)) : table(judged, set));
}

Action declare_eval(Options& options) {
  const auto chosen = std::make_shared<EvalOptions>();
  options.argument({"MODEL", "", "An ONNX file, or a network of the zoo", Complete::kFile}, chosen->model);
  options.text({"--data", "D", "fashion-mnist, mnist, cifar10, cifar100, or a folder", Complete::kFolder},
               chosen->data);
  options.text({"--part", "PART", "test (default) or train", Complete::kChoices, {"test", "train"}}, chosen->part);
  options.number({"--batch", "N", "Images at once (default: 64)"}, 1, 4096, chosen->batch);
  options.number({"--threads", "N", "Threads (default: the cores that the process may use)"}, 1, 1024, chosen->threads);
  options.flag({"--json", "", "One JSON document on stdout; nothing there on failure"}, chosen->json);
  options.flag({"--quiet", "", "No remarks on stderr"}, chosen->quiet);
  return [chosen] { eval(*chosen); };
}

}  // namespace

const Verb kEval = {"eval", "Tells how many labelled images a network tells right", R"(Examples:
  sepal eval run/model.onnx --data fashion-mnist
  sepal eval run/model.onnx --data photos --part train --json

Mean, std and resize come from the model's metadata (sepal.mean, sepal.std, sepal.resize).
)",
                    declare_eval};

}  // namespace sepal::cli
