#include "sepal/kernels/cascade.h"

#include <deque>

#include "sepal/kernels/packed.h"
#include "tests/kernels/conv_case.h"

// A cascade gives the bits of its stages one after another, each with a whole map of its own, for any number of rows at
// once and in any division, and writes nothing but its rings and its output.

namespace sepal {
namespace {

/// A random convolution over a map of this shape.
ConvCase random_stage(const Shape& input, bool first, Random& random) {
  ConvCase test = {"", input, random.whole(1, 40), 1, {}, random_activation(random), random.coin()};
  const auto kind = random.whole(first ? 0 : 1, 2);
  if (kind == 1) return test;  // pointwise
  Window& window = test.window;
  const std::int64_t side = random.coin() ? 3 : random.whole(1, 5);
  const std::int64_t stride = random.whole(1, random.coin() ? 3 : 2);
  window = {.kernel = {side, random.coin() ? side : random.whole(1, 5)}, .stride = {stride, random.whole(1, 2)}};
  if (random.whole(0, 3) == 0) window.dilation = {random.whole(1, 2), random.whole(1, 2)};
  window.padding = {random.whole(0, 3), random.whole(0, 3), random.whole(0, 3), random.whole(0, 3)};
  window.stride.w = random.coin() ? stride : window.stride.w;
  const Extent span = span_of(window);
  if (span.h > input.h() + window.padding.top + window.padding.bottom ||
      span.w > input.w() + window.padding.left + window.padding.right) {
    window = {};
  }
  if (kind == 2) test.co = test.groups = input.c();  // depthwise
  if (kind == 2 && random.whole(0, 3) == 0) test.co *= 2;
  return test;
}

/// What a chain of random convolutions reads, packed.
struct Chain {
  std::vector<float> input;
  std::deque<std::vector<float>> packed;
  std::vector<CascadeStage> stages;
  std::string text;

  Chain(std::size_t length, Random& random) {
    Shape shape = {random.whole(1, 2), random.whole(5, 20), random.whole(5, 20), random.whole(1, 20)};
    input = random.values<float>(shape.elements());
    for (std::size_t i = 0; i < length; ++i) {
      const ConvCase test = random_stage(shape, i == 0, random);
      text += describe(test) + "\n";
      add(test, ConvData(test, random));
      shape = test.output();
    }
    stages.front().ring = 0;
  }

  void add(const ConvCase& test, const ConvData& data) {
    CascadeStage stage{.args = {}, .output = test.output()};
    const Shape& in = test.input;
    const std::int64_t taps = test.window.kernel.h * test.window.kernel.w;
    std::vector<float>& memory = packed.emplace_back();
    if (test.groups == in.c() && (in.c() > 1 || stages.size() > 0) && test.window != Window{}) {
      memory.resize(data.filter.size() + static_cast<std::size_t>(test.co));
      pack_depthwise(data.filter.data(), test.co, taps, memory.data());
      std::copy(data.bias.begin(), data.bias.end(), memory.begin() + static_cast<std::ptrdiff_t>(data.filter.size()));
      stage.args = DepthwiseArgs{.input = {input.data(), in},
                                 .filter = memory.data(),
                                 .bias = memory.data() + data.filter.size(),
                                 .window = test.window,
                                 .activation = test.activation,
                                 .output = {nullptr, test.output()}};
    } else if (test.window == Window{} && test.groups == 1) {
      memory.resize(static_cast<std::size_t>(packed_floats(test.co, in.c())));
      pack_panels({data.filter.data(), test.co, in.c(), in.c(), 1}, data.bias_or_null(), memory.data());
      stage.args = PointwiseArgs{.input = input.data(),
                                 .input_pitch = in.c(),
                                 .ci = in.c(),
                                 .co = test.co,
                                 .packed = memory.data(),
                                 .activation = test.activation,
                                 .output_pitch = test.co};
    } else {
      const std::int64_t size = packed_direct_floats(test.groups, test.co, test.terms());
      memory.resize(static_cast<std::size_t>(size + in.c()));
      pack_direct(data.filter.data(), data.bias_or_null(), test.groups, test.co, test.terms(), memory.data());
      stage.args = DirectArgs{.input = {input.data(), in},
                              .packed = memory.data(),
                              .zeros = memory.data() + size,
                              .window = test.window,
                              .groups = test.groups,
                              .activation = test.activation,
                              .output = {nullptr, test.output()}};
    }
    stages.push_back(stage);
  }

  /// Gives every stage but the last its place in a room; the size of the room.
  std::int64_t place(std::int64_t rows_at_once) {
    std::int64_t room = 0;
    std::int64_t rows = rows_at_once;
    for (std::size_t i = stages.size() - 1; i-- > 0;) {
      rows = std::min(ring_rows_for(stages[i + 1], rows), stages[i].output.h());
      stages[i].ring_rows = rows;
      stages[i].ring = room;
      room += ring_floats(stages[i]);
    }
    return room;
  }
};

/// The stages one after another.
std::vector<float> apart(const Chain& chain, const float* addend) {
  std::vector<float> map = chain.input;
  for (std::size_t i = 0; i < chain.stages.size(); ++i) {
    const Shape& shape = chain.stages[i].output;
    std::vector<float> result(static_cast<std::size_t>(shape.elements()));
    const Range rows = {0, shape.n() * shape.h()};
    auto args = chain.stages[i].args;
    if (auto* product = std::get_if<PointwiseArgs>(&args)) {
      product->input = map.data();
      product->output = result.data();
      if (i + 1 == chain.stages.size()) product->addend = addend;
      pointwise(*product, {0, shape.elements(0, 3)});
    } else if (auto* filter = std::get_if<DepthwiseArgs>(&args)) {
      filter->input.data = map.data();
      filter->output.data = result.data();
      depthwise(*filter, rows);
    } else {
      auto& dense = std::get<DirectArgs>(args);
      dense.output.data = result.data();
      direct(dense, rows);
    }
    map = result;
  }
  return map;
}

TEST(Cascade, GivesTheBitsOfItsStages) {
  Random random(1);
  int tried = 0;
  for (int i = 0; i < 200; ++i) {
    Chain chain(static_cast<std::size_t>(random.whole(2, 6)), random);
    // Only a first stage may be direct: a depthwise one that covers a single pixel is one, too.
    const auto is_direct = [](const CascadeStage& stage) { return std::holds_alternative<DirectArgs>(stage.args); };
    if (std::any_of(chain.stages.begin() + 1, chain.stages.end(), is_direct) || is_direct(chain.stages.back()))
      continue;
    ++tried;
    SCOPED_TRACE(chain.text);
    const Shape& shape = chain.stages.back().output;
    const std::vector<float> shortcut = random.values<float>(shape.elements());
    auto* last = std::get_if<PointwiseArgs>(&chain.stages.back().args);
    const float* addend = last != nullptr && random.coin() ? shortcut.data() : nullptr;
    on_every_target([&] {
      const std::vector<float> expected = apart(chain, addend);
      const std::int64_t rows_at_once = random.whole(1, 7);
      const std::int64_t room_floats = chain.place(rows_at_once);
      const auto kernel = [&](float* values, Range rows) {
        Guarded room(room_floats);
        if (last != nullptr) {
          last->output = values;
          last->addend = addend;
        } else {
          std::get<DepthwiseArgs>(chain.stages.back().args).output.data = values;
        }
        cascade({.stages = chain.stages, .rows_at_once = rows_at_once, .room = room.data()}, rows);
        EXPECT_TRUE(room.intact()) << "wrote outside its room";
      };
      const std::vector<float> together =
          run_divided(shape.n() * shape.h(), static_cast<std::int64_t>(expected.size()), random, kernel);
      EXPECT_TRUE(std::memcmp(together.data(), expected.data(), expected.size() * sizeof(float)) == 0);
    });
  }
  EXPECT_GT(tried, 100);
}

}  // namespace
}  // namespace sepal
