// What an evaluation has counted as tables: classes by how well they are told, what is taken for what, and the mistakes
// that the network was surest of. A thousand classes make a matrix that nobody reads, so of many classes those with the
// most mistakes are shown, and all others are one column.

#include "sepal/report/evaluation.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sepal/base/text.h"
#include "sepal/formats/image.h"
#include "sepal/report/numbers.h"

namespace sepal::report {
namespace {

constexpr std::size_t kPairs = 12;              // rows of what is taken for what
constexpr std::size_t kPictures = 24;           // of mistakes
constexpr std::size_t kPictureBytes = 400'000;  // of all of them, so that plots have room on the page
constexpr std::int64_t kPictureSide = 96;       // pixels; larger ones are made smaller

/// The confusion matrix with names and sums.
class Confusion {
 public:
  Confusion(const Evaluation& evaluation, const std::vector<std::string>& names)
      : counts_(evaluation.confusion),
        size_(static_cast<std::size_t>(std::llround(std::sqrt(static_cast<double>(counts_.size()))))),
        names_(names) {
    expect(size_ * size_ == counts_.size(), "a confusion matrix is square");
    for (std::size_t i = names_.size(); i < size_; ++i) names_.push_back(format("{}", i));
  }

  std::size_t size() const { return size_; }
  std::uint64_t at(std::size_t is, std::size_t told) const {
    return static_cast<std::uint64_t>(counts_[is * size_ + told]);
  }
  std::string name(std::int64_t label) const {
    const auto at = static_cast<std::size_t>(label);
    return label >= 0 && at < names_.size() ? names_[at] : format("{}", label);
  }
  const std::string& name(std::size_t label) const { return names_[label]; }

  /// Images of the class.
  std::uint64_t images(std::size_t is) const {
    std::uint64_t sum = 0;
    for (std::size_t told = 0; told < size_; ++told) sum += at(is, told);
    return sum;
  }
  /// Images that were told to be of it.
  std::uint64_t told(std::size_t label) const {
    std::uint64_t sum = 0;
    for (std::size_t is = 0; is < size_; ++is) sum += at(is, label);
    return sum;
  }
  std::uint64_t wrong(std::size_t is) const { return images(is) - at(is, is); }

 private:
  const std::vector<std::int64_t>& counts_;
  std::size_t size_;
  std::vector<std::string> names_;
};

Cell share(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return {};
  return static_cast<double>(part) / static_cast<double>(whole);
}

Table class_table(const Confusion& confusion) {
  Table table{.id = "classes",
              .title = "Classes",
              .columns = {{"class"},
                          {"images", Unit::kCount},
                          {"told right", Unit::kShare, true},
                          {"right when told", Unit::kShare},
                          {"most often taken for"},
                          {"of its images", Unit::kShare}}};
  for (std::size_t is = 0; is < confusion.size(); ++is) {
    std::size_t rival = is;
    for (std::size_t told = 0; told < confusion.size(); ++told) {
      if (told != is && confusion.at(is, told) > (rival == is ? 0 : confusion.at(is, rival))) rival = told;
    }
    const std::uint64_t images = confusion.images(is);
    table.rows.push_back({confusion.name(is), images, share(confusion.at(is, is), images),
                          share(confusion.at(is, is), confusion.told(is)),
                          rival == is ? Cell() : Cell(confusion.name(rival)),
                          rival == is ? Cell() : share(confusion.at(is, rival), images)});
  }
  table.note =
      "told right: of the images of the class (recall). right when told: of the images that were told to be of it "
      "(precision).";
  return table;
}

/// All classes, or the `count` with the most mistakes, in the order of their numbers.
std::vector<std::size_t> most_confused(const Confusion& confusion, std::size_t count) {
  std::vector<std::size_t> order(confusion.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (order.size() <= count) return order;
  std::vector<std::uint64_t> wrong(order.size());
  for (const std::size_t is : order) wrong[is] = confusion.wrong(is);
  std::ranges::stable_sort(order, std::greater(), [&](std::size_t is) { return wrong[is]; });
  order.resize(count);
  std::ranges::sort(order);
  return order;
}

Table matrix_table(const Confusion& confusion) {
  const std::vector<std::size_t> shown = most_confused(confusion, kMostConfused);
  const bool whole = shown.size() == confusion.size();
  Table table{.id = "confusion", .title = "What is taken for what", .columns = {{"is, told as"}}, .shaded = true};
  for (const std::size_t told : shown) table.columns.push_back({confusion.name(told), Unit::kCount});
  if (!whole) table.columns.push_back({"all others", Unit::kCount});
  for (const std::size_t is : shown) {
    std::vector<Cell> row = {confusion.name(is)};
    std::uint64_t others = confusion.images(is);
    for (const std::size_t told : shown) {
      row.emplace_back(confusion.at(is, told));
      others -= confusion.at(is, told);
    }
    if (!whole) row.emplace_back(others);
    table.rows.push_back(std::move(row));
  }
  table.note =
      "A row is what the images are, a column what they were told to be; the darker, the larger a part of the row.";
  if (!whole) {
    table.note += format(" Of {} classes, the {} with the most mistakes.", grouped_count(confusion.size()),
                         grouped_count(shown.size()));
  }
  return table;
}

Table pair_table(const Confusion& confusion) {
  struct Pair {
    std::size_t is;
    std::size_t told;
    std::uint64_t count;
  };
  std::vector<Pair> pairs;
  for (std::size_t is = 0; is < confusion.size(); ++is) {
    for (std::size_t told = 0; told < confusion.size(); ++told) {
      if (is != told && confusion.at(is, told) > 0) pairs.push_back({is, told, confusion.at(is, told)});
    }
  }
  std::ranges::stable_sort(pairs, std::greater(), &Pair::count);
  if (pairs.size() > kPairs) pairs.resize(kPairs);
  Table table{.id = "pairs",
              .title = "The most frequent mistakes",
              .columns = {{"is"}, {"told as"}, {"images", Unit::kCount, true}, {"of its class", Unit::kShare}}};
  for (const Pair& pair : pairs) {
    table.rows.push_back(
        {confusion.name(pair.is), confusion.name(pair.told), pair.count, share(pair.count, confusion.images(pair.is))});
  }
  return table;
}

/// The picture as a PNG that is large enough to be seen, or nothing where it is no picture.
std::vector<std::byte> png_of(const Mistake& mistake) {
  const bool shown = mistake.c == 1 || mistake.c == 3;
  if (!shown || mistake.h < 1 || mistake.w < 1) return {};
  Tensor pixels(DataType::kU8, {mistake.h, mistake.w, mistake.c});
  expect(pixels.bytes() == mistake.pixels.size(), "a mistake has the pixels of its size");
  std::ranges::copy(mistake.pixels, pixels.values<std::uint8_t>().begin());
  const std::int64_t side = std::max(mistake.h, mistake.w);
  if (side <= kPictureSide) return to_png(pixels);
  const auto smaller = [&](std::int64_t length) { return std::max<std::int64_t>(length * kPictureSide / side, 1); };
  return to_png(resize_bilinear(pixels, {smaller(mistake.h), smaller(mistake.w)}));
}

std::vector<Picture> mistake_pictures(const Evaluation& evaluation, const Confusion& confusion) {
  std::vector<Picture> pictures;
  std::size_t bytes = 0;
  for (const Mistake& mistake : evaluation.mistakes) {
    if (pictures.size() == kPictures) break;
    std::vector<std::byte> png = png_of(mistake);
    bytes += png.size();
    if (bytes > kPictureBytes) break;
    if (png.empty()) continue;
    const std::string is = confusion.name(mistake.label);
    std::string told =
        format("told as {}, {}", confusion.name(mistake.guess), to_readable(mistake.confidence, Unit::kShare));
    told.replace(told.rfind(' '), 1, "\u00a0");  // a number keeps its sign
    pictures.push_back({.png = std::move(png),
                        .title = is,
                        .caption = told,
                        .alternative = format("image {}: {}, {}", mistake.index, is, told)});
  }
  return pictures;
}

}  // namespace

std::vector<Section> evaluation_sections(const Evaluation& evaluation, const std::vector<std::string>& classes,
                                         bool plots) {
  std::vector<Section> sections;
  const Confusion confusion(evaluation, classes);
  if (confusion.size() > 0) {
    Section section{.title = "By class", .tables = {class_table(confusion), matrix_table(confusion)}};
    if (Table pairs = pair_table(confusion); !pairs.rows.empty()) section.tables.push_back(std::move(pairs));
    sections.push_back(std::move(section));
  }
  if (!plots) return sections;
  if (std::vector<Picture> pictures = mistake_pictures(evaluation, confusion); !pictures.empty()) {
    sections.push_back(
        {.title = "Mistakes",
         .paragraphs = {"The images that were told wrong with the most confidence: what they are, and what the network "
                        "took them for."},
         .pictures = std::move(pictures)});
  }
  return sections;
}

std::string accuracy_sentence(const Evaluation& evaluation) {
  return format("{} of {} are told right", to_readable(evaluation.accuracy, Unit::kShare),
                with_noun(static_cast<std::uint64_t>(evaluation.images), "image"));
}

Document to_document(const Evaluation& evaluation, const std::string& what, const std::vector<std::string>& classes,
                     bool plots) {
  Document document{.title = what, .lead = {}, .sections = evaluation_sections(evaluation, classes, plots)};
  document.lead = format("{}; the loss is {}. It took {} images a second.", accuracy_sentence(evaluation),
                         to_readable(evaluation.loss, Unit::kRatio),
                         to_readable(std::round(evaluation.images_per_second), Unit::kCount));
  return document;
}

}  // namespace sepal::report
