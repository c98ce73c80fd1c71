#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <span>
#include <vector>

#include "cli/arrays.h"
#include "cli/classify.h"
#include "cli/console.h"
#include "cli/interrupt.h"
#include "cli/picture.h"
#include "cli/plan_text.h"
#include "cli/shapes.h"
#include "cli/summary.h"
#include "cli/verb.h"
#include "sepal/base/text.h"
#include "sepal/formats/npy.h"
#include "sepal/graph/graph.h"
#include "sepal/kernels/target.h"
#include "sepal/plan/plan.h"
#include "sepal/report/columns.h"
#include "sepal/report/json.h"

// sepal run: arrays or images in, a table, the best classes or .npy files out. One result for the arrays,
// one for each image. Of a result only what is printed is kept, so that any number of images may follow one
// another; its tensors go to their files at once.

namespace sepal::cli {

using report::Json;
using report::to_text;
namespace {

constexpr int kDefaultTop = 5;

struct RunOptions {
  std::string model;
  std::vector<std::string> inputs;
  std::vector<std::string> images;
  std::optional<std::string> output_dir;
  std::optional<std::string> labels;
  std::optional<int> top;
  PictureOptions picture;
  bool verbose = false;
  CommonOptions common;
};

/// What came of one run.
struct Result {
  std::string image;  ///< its file; empty where arrays alone went in
  std::vector<Summary> outputs;
  std::vector<std::filesystem::path> files;  ///< where the outputs were written
  std::optional<Ranking> ranking;
};

void make_folder(const std::filesystem::path& folder) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem) fail(ErrorKind::kIo, "{}: cannot be created: {}", printable(folder.string()), problem.message());
}

/// Runs ask for no graph.
LoadOptions lean(LoadOptions options) {
  options.keep_graphs = false;
  return options;
}

/// One `sepal run`: the model, what goes into it, and what is said about it.
class Run {
 public:
  explicit Run(const RunOptions& options)
      : options_(options),
        console_("sepal run", options.common.quiet),
        load_(lean(options.common.load_options())),
        model_(Model::load(options.model, load_)) {}

  void operator()() {
    // Names that collide are found before any work.
    if (options_.output_dir) output_files(*options_.output_dir, model_.outputs());
    tensors_ = read_arrays(options_.inputs, model_.inputs());
    if (options_.images.empty()) {
      prepare(std::nullopt);
      run_once("");
    } else {
      run_images();
    }
    if (options_.verbose) remark_on_plan();
    console_.finish(options_.common.json ? to_text(json()) : text());
  }

 private:
  void run_images();
  std::size_t image_input(std::vector<std::string>& files) const;
  void prepare(std::optional<std::size_t> image_input);
  std::optional<std::vector<Shape>> known_outputs() const;
  /// Arrays get the summary; the classes too where labels or their number are asked for.
  bool wants_classes() const { return !options_.images.empty() || options_.labels || options_.top; }
  std::optional<std::int64_t> classes_of(std::span<const Shape> outputs) const;
  void check_folders(std::span<const std::string> images) const;
  void run_once(const std::string& image);
  void classify(Result& result, std::span<const Tensor> outputs);
  const Labels& labels(std::int64_t classes);
  void remark_on_plan();
  void write(Result& result, std::span<const Tensor> outputs) const;
  std::filesystem::path folder_of(const std::string& image) const;
  std::string text();
  std::string ranking_text(const Ranking& ranking) const;
  Json json() const;
  Json result_json(const Result& result) const;

  const RunOptions& options_;
  Console console_;
  LoadOptions load_;
  Model model_;
  std::vector<std::optional<Tensor>> tensors_;  // one an input of the model
  std::vector<Result> results_;
  std::vector<std::string> label_lines_;  // of --labels
  std::optional<Labels> labels_;          // once it is known how many classes there are
};

/// The input that takes the images; `files` gets where they are. One image a run: NAME=, if one is given, is the
/// same for all.
std::size_t Run::image_input(std::vector<std::string>& files) const {
  if (model_.inputs().empty()) invalid("{}: the model has no inputs, so none for an image", printable(model_.name()));
  std::optional<std::size_t> input;
  for (const std::string& text : options_.images) {
    const Given given = parse_given(text, model_.inputs());
    if (given.input && input && *given.input != *input) {
      fail(ErrorKind::kUsage, "--image gives two inputs, \"{}\" and \"{}\"; a run takes one image",
           printable(model_.inputs()[*input].name), printable(model_.inputs()[*given.input].name));
    }
    if (given.file.empty()) fail(ErrorKind::kUsage, "--image {}: the file's name is empty", printable(text));
    if (given.input) input = given.input;
    files.push_back(given.file);
  }
  if (!input && std::ranges::count_if(tensors_, [](const auto& tensor) { return !tensor; }) > 1) {
    fail(ErrorKind::kUsage, "{}: say which input this is, as --image NAME=FILE; the model takes {}",
         printable(files.front()), describe(model_.inputs()));
  }
  for (std::size_t i = 0; i < tensors_.size() && !input; ++i) {
    if (!tensors_[i]) input = i;
  }
  if (!input || tensors_[*input]) {
    fail(ErrorKind::kUsage, "--image and --input give the same input; the model takes {}", describe(model_.inputs()));
  }
  return *input;
}

void Run::run_images() {
  std::vector<std::string> files;
  const std::size_t input = image_input(files);
  const std::string& input_name = model_.inputs()[input].name;
  if (options_.output_dir) check_folders(files);
  const PictureFormat picture = picture_format(model_, input_name, load_.shapes, options_.picture);
  console_.remark(picture.origin);
  prepare(input);
  const GuessedShapes guess = guess_shapes(model_.inputs(), load_.shapes);
  for (const std::string& name : guess.batches) {
    if (name == input_name)
      console_.remark(format("the free first axis of {} taken as 1: one image a run", printable(name)));
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files.size() > 1) console_.progress(format("image {} of {}: {}", i + 1, files.size(), files[i]));
    tensors_[input] = read_image(files[i], picture.format);
    run_once(files[i]);
  }
}

/// What can be found wrong before any run: an input without a tensor, the labels, the folder for the outputs.
void Run::prepare(std::optional<std::size_t> image_input) {
  std::vector<ValueInfo> missing;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    if (!tensors_[i] && i != image_input) missing.push_back(model_.inputs()[i]);
  }
  if (!missing.empty()) {
    fail(ErrorKind::kUsage, "nothing given for {}; see --input and --image", describe(missing));
  }
  if (options_.labels) label_lines_ = read_labels(*options_.labels);
  const std::optional<std::vector<Shape>> outputs = wants_classes() ? known_outputs() : std::nullopt;
  const std::optional<std::int64_t> classes = outputs ? classes_of(*outputs) : std::nullopt;
  if (classes) labels(*classes);
  if (options_.output_dir) make_folder(*options_.output_dir);
}

/// The shapes of the outputs, where no input decides them.
std::optional<std::vector<Shape>> Run::known_outputs() const {
  const GuessedShapes guess = guess_shapes(model_.inputs(), load_.shapes);
  if (!guess.open.empty() || !guess.batches.empty()) return std::nullopt;
  try {
    return model_.prepared().output_shapes;
  } catch (const Error&) {  // the values of an input decide them, or the run will say what is wrong
    return std::nullopt;
  }
}

std::optional<std::int64_t> Run::classes_of(std::span<const Shape> outputs) const {
  const std::optional<std::int64_t> classes = outputs.size() == 1 ? class_count(outputs[0]) : std::nullopt;
  if (!classes && options_.labels) {
    invalid("{}: labels are for a classifier, but the model's outputs are {}", printable(*options_.labels),
            describe(model_.outputs()));
  }
  return classes;
}

void Run::run_once(const std::string& image) {
  std::vector<const Tensor*> inputs;
  for (const std::optional<Tensor>& tensor : tensors_) inputs.push_back(&*tensor);
  if (options_.output_dir) make_folder(folder_of(image));
  const auto start = std::chrono::steady_clock::now();
  const std::vector<Tensor> outputs = model_.run(inputs);
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
  if (options_.verbose) {
    console_.remark(format("{}ran in {:.2f} ms on {} threads, instruction set {}",
                           image.empty() ? "" : printable(image) + ": ", time.count(), model_.threads(),
                           target_name()));
  }
  Result result{image, {}, {}, std::nullopt};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    result.outputs.push_back(summarize(model_.outputs()[i].name, outputs[i]));
  }
  classify(result, outputs);
  if (options_.output_dir) write(result, outputs);
  results_.push_back(std::move(result));
}

void Run::classify(Result& result, std::span<const Tensor> outputs) {
  if (!wants_classes()) return;
  std::vector<Shape> shapes;
  for (const Tensor& output : outputs) shapes.push_back(output.shape());
  const std::optional<std::int64_t> classes = classes_of(shapes);
  if (!classes) {
    if (options_.top && results_.empty())
      console_.remark("--top is for a classifier, with one output of one axis; the model has others");
    return;
  }
  labels(*classes);
  const auto count = static_cast<std::size_t>(options_.top.value_or(kDefaultTop));
  result.ranking = rank_classes(to_doubles(outputs[0]), count);
  if (!result.ranking) {
    console_.remark(format("{}the values have no order: NaN or infinity among them",
                           result.image.empty() ? "" : printable(result.image) + ": "));
  } else if (result.ranking->used_softmax && results_.empty()) {
    console_.remark("softmax applied: the output is not probabilities yet");
  }
}

const Labels& Run::labels(std::int64_t classes) {
  if (labels_) return *labels_;
  if (options_.labels) {
    labels_.emplace(label_lines_, classes, printable(*options_.labels));
  } else if (!model_.properties().contains("sepal.labels")) {
    labels_.emplace();
  } else {
    labels_.emplace(model_.labels(), classes, printable(options_.model) + ": sepal.labels");
  }
  const char* source = options_.labels ? "--labels" : "the model's sepal.labels";
  if (!labels_->empty() && !options_.labels) console_.remark(format("labels from {}", source));
  if (labels_->background()) {
    console_.remark(format("{} has one label fewer than there are classes: class 0 taken as background", source));
  }
  return *labels_;
}

void Run::remark_on_plan() {
  // A model with free shapes is planned for those that its arrays had.
  LoadOptions bound = load_;
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    if (model_.inputs()[i].is_free()) bound.shapes.insert_or_assign(model_.inputs()[i].name, tensors_[i]->shape());
  }
  try {
    const bool is_free = bound.shapes.size() != load_.shapes.size();
    const Model::Prepared prepared = (is_free ? Model::load(options_.model, bound) : model_).prepared();
    const Plan& plan = *prepared.plan;
    std::vector<std::string> slow;
    for (const Step& step : plan.steps()) {
      if (is_slow(step)) slow.push_back(describe(step));
    }
    console_.remark(format("{} steps, workspace {}, weights {}", plan.steps().size(),
                           human_bytes(static_cast<double>(plan.workspace_bytes())),
                           human_bytes(static_cast<double>(plan.weight_bytes()))));
    console_.remark(
        slow.empty() ? "no step ran by a reference kernel"
                     : format("{} steps ran by a reference kernel, which is slow: {}", slow.size(), join(slow, ", ")));
  } catch (const Error& error) {
    console_.remark(format("the plan cannot be shown: {}", error.what()));
  }
}

std::filesystem::path Run::folder_of(const std::string& image) const {
  const std::filesystem::path folder = *options_.output_dir;
  return options_.images.size() > 1 ? folder / file_name_of(std::filesystem::path(image).filename().string()) : folder;
}

void Run::check_folders(std::span<const std::string> images) const {
  std::map<std::filesystem::path, std::string> owners;
  for (const std::string& image : images) {
    const auto [owner, is_new] = owners.emplace(folder_of(image), image);
    if (!is_new) {
      invalid("the outputs of {} and {} would both be written to {}", printable(owner->second), printable(image),
              printable(owner->first.string()));
    }
  }
}

void Run::write(Result& result, std::span<const Tensor> outputs) const {
  const std::filesystem::path folder = folder_of(result.image);
  result.files = output_files(folder, model_.outputs());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Uninterrupted whole;
    write_npy(result.files[i], outputs[i].buffer());
  }
}

std::string Run::ranking_text(const Ranking& ranking) const {
  std::vector<std::vector<std::string>> rows;
  for (const Class& best : ranking.best) {
    rows.push_back({format("{:.4f}", best.probability), format("{}", best.index), printable((*labels_)[best.index])});
  }
  return to_text(rows, results_.size() > 1 ? 2 : 0, "rr");
}

std::string Run::text() {
  std::string out;
  for (const Result& result : results_) {
    if (results_.size() > 1) out += printable(result.image, 1000) + "\n";
    // An array's outputs are always shown; an image's where it is not classified.
    if (!result.ranking || options_.images.empty()) out += outputs_text(result.outputs);
    if (result.ranking) out += ranking_text(*result.ranking);
  }
  return out;
}

Json Run::result_json(const Result& result) const {
  Json json{{"model", model_.name()}};
  if (!result.image.empty()) json["image"] = result.image;
  json["outputs"] = outputs_json(result.outputs);
  for (std::size_t i = 0; i < result.files.size(); ++i) json["outputs"][i]["file"] = result.files[i].string();
  if (result.ranking) {
    Json classes = Json::array();
    for (const Class& best : result.ranking->best) {
      Json one{{"index", best.index}, {"probability", best.probability}};
      if (!labels_->empty()) one["label"] = (*labels_)[best.index];
      classes.push_back(std::move(one));
    }
    json["softmax"] = result.ranking->used_softmax;
    json["classes"] = std::move(classes);
  }
  return json;
}

Json Run::json() const {
  if (results_.size() == 1) return result_json(results_.front());
  Json all = Json::array();
  for (const Result& result : results_) all.push_back(result_json(result));
  return all;
}

/// What is wrong with the options by themselves, before any file is opened.
void check(const RunOptions& options) {
  options.picture.check();
  if (options.images.empty() && options.picture.any()) {
    throw Error(ErrorKind::kUsage, "--preset, --mean, --std and --resize are for --image, which is missing");
  }
}

Action declare_run(Options& options) {
  const auto chosen = std::make_shared<RunOptions>();
  options.argument({"MODEL", "FILE", "An ONNX file", Complete::kFile}, chosen->model);
  options.list({"--input", "[NAME=]FILE.npy", "An array for the input NAME", Complete::kFile}, chosen->inputs);
  options.list({"--image", "[NAME=]FILE", "JPEG or PNG files, one run each", Complete::kFile}, chosen->images);
  options.text({"--output-dir", "DIR", "Write each output to DIR/NAME.npy", Complete::kFolder}, chosen->output_dir);
  options.text(
      {"--labels", "FILE", "Names of the classes, one a line (default: the model's sepal.labels)", Complete::kFile},
      chosen->labels);
  options.number({"--top", "K", "How many classes to show (default: 5)"}, 1, 1'000'000, chosen->top);
  declare(options, chosen->picture);
  options.flag(no_fuse_option(), chosen->common.no_fuse);
  declare(options, chosen->common);
  options.flag({"--verbose", "", "Time, memory, and the steps that ran by a slow kernel, on stderr"}, chosen->verbose);
  return [chosen] {
    check(*chosen);
    if (chosen->common.target) pin_target(*chosen->common.target);
    Run run(*chosen);
    run();
  };
}

}  // namespace

const Verb kRun = {"run", "Runs a model on arrays or images", R"(Examples:
  sepal run mobilenet.onnx --image cat.jpg --labels labels.txt --top 3
  sepal run mobilenet.onnx --image photos/*.jpg --preset imagenet-tf --json
  sepal run model.onnx --input x.npy --output-dir out
  sepal run two_inputs.onnx --input left=l.npy --input right=r.npy
  sepal run detector.onnx --image street.png --shape images=1x3x320x320

Arrays have the model's own layout; another numeric type is converted by value where every value survives.
Mean, std and resize come from their flags, else from the model's metadata (sepal.mean, sepal.std,
sepal.resize), else from --preset; what was used is said on stderr.
)",
                   declare_run};

}  // namespace sepal::cli
