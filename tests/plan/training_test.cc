// The steps of training, one operator at a time: what a plan computes against the reference, over many shapes.

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "sepal/base/text.h"
#include "sepal/plan/plan.h"
#include "tests/interpret.h"
#include "tests/kernels/reference_random.h"

namespace sepal {
namespace {

/// A graph of one node whose inputs are all given.
struct Single {
  Graph graph;
  std::vector<Tensor> inputs;

  Single(const Op& op, const std::vector<Tensor*>& tensors) {
    std::vector<ValueId> values;
    for (Tensor* tensor : tensors) {
      values.push_back(graph.add_input(std::to_string(values.size()), {tensor->type(), tensor->shape()}));
      inputs.push_back(std::move(*tensor));
    }
    const auto outputs = graph.add_node(op, values);
    for (std::size_t i = 0; i < outputs.size(); ++i) graph.add_output("out" + std::to_string(i), outputs[i]);
  }

  std::vector<Tensor> run(int threads) const {
    const Plan plan(graph, {.threads = threads});
    EXPECT_NE(plan.steps()[0].kernel, "reference");
    const Workspace workspace(plan.workspace_bytes());
    std::vector<ConstBuffer> from;
    for (const Tensor& tensor : inputs) from.push_back(tensor.buffer());
    std::vector<Tensor> outputs;
    std::vector<Buffer> to;
    for (const Port& port : graph.outputs()) outputs.emplace_back(graph.type(port.value).type, graph.shape(port.value));
    for (Tensor& tensor : outputs) to.push_back(tensor.buffer());
    plan.run(workspace, from, to);
    return outputs;
  }

  /// Compares with the reference to `tolerance` of the largest value, and one thread with three bit by bit.
  void check(double tolerance) const {
    std::vector<const Tensor*> pointers;
    for (const Tensor& tensor : inputs) pointers.push_back(&tensor);
    const std::vector<Tensor> wanted = interpret(graph, pointers);
    const std::vector<Tensor> got = run(1);
    const std::vector<Tensor> shared = run(3);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_TRUE(identical(got[i], shared[i])) << "output " << i << " depends on the number of threads";
      double most = 1e-3;
      for (const float value : wanted[i].values<float>()) most = std::max(most, std::abs(double{value}));
      for (std::size_t k = 0; k < wanted[i].values<float>().size(); ++k) {
        const float a = got[i].values<float>()[k];
        const float b = wanted[i].values<float>()[k];
        ASSERT_NEAR(a, b, tolerance * most) << "output " << i << ", value " << k;
      }
    }
  }
};

class Values {
 public:
  explicit Values(std::uint32_t seed) : random_(seed) {}
  Random& random() { return random_; }

  Tensor any(const Shape& shape, double scale = 1, double centre = 0) {
    Tensor tensor(DataType::kF32, shape);
    for (float& value : tensor.values<float>()) value = static_cast<float>(centre + scale * random_.real());
    return tensor;
  }
  Tensor positive(const Shape& shape) { return any(shape, 0.4, 0.6); }

 private:
  Random random_;
};

struct Case {
  const char* why;
  Shape x;
  std::int64_t co;
  std::int64_t groups;
  Window window;
};

const Case kCases[] = {
    {"pointwise", {2, 5, 7, 16}, 24, 1, {}},
    {"pointwise, more than a block", {3, 17, 19, 37}, 70, 1, {}},
    {"pointwise of few channels", {1, 3, 3, 3}, 5, 1, {}},
    {"pointwise, whole vectors", {2, 14, 14, 64}, 64, 1, {}},
    {"pointwise of stride 2", {2, 8, 7, 16}, 24, 1, {.stride = {2, 2}}},
    {"3x3", {2, 9, 11, 16}, 16, 16, {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}},
    {"3x3, stride 2, as TensorFlow pads",
     {2, 8, 10, 40},
     40,
     40,
     {.kernel = {3, 3}, .stride = {2, 2}, .padding = {0, 0, 1, 1}}},
    {"5x5 depthwise", {2, 9, 12, 24}, 24, 24, {.kernel = {5, 5}, .padding = {2, 2, 2, 2}}},
    {"depthwise, two filters a channel", {1, 7, 7, 9}, 18, 9, {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}},
    {"depthwise with dilation", {1, 9, 9, 5}, 5, 5, {.kernel = {3, 2}, .dilation = {2, 2}, .padding = {2, 1, 2, 1}}},
    {"stem", {2, 12, 10, 3}, 32, 1, {.kernel = {3, 3}, .stride = {2, 2}, .padding = {0, 0, 1, 1}}},
    {"dense 3x3", {2, 9, 8, 20}, 40, 1, {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}},
    {"dense with dilation", {1, 9, 9, 8}, 8, 1, {.kernel = {3, 3}, .dilation = {2, 2}, .padding = {2, 2, 2, 2}}},
    {"dense, rows that no window meets", {2, 8, 8, 8}, 8, 1, {.kernel = {2, 2}, .stride = {3, 3}}},
    {"groups", {2, 7, 7, 12}, 18, 3, {.kernel = {3, 3}, .stride = {2, 1}, .padding = {1, 1, 1, 1}}},
    {"one image of one pixel", {1, 1, 1, 8}, 12, 1, {}},
};

const Unary kReads[] = {{},
                        {UnaryKind::kRelu},
                        {UnaryKind::kClip, 0, 0.5f},
                        {UnaryKind::kHardSwish},
                        {UnaryKind::kSwish, 1},
                        {UnaryKind::kGelu}};

TEST(TrainingSteps, ConvolveAsTheReference) {
  std::uint32_t seed = 0;
  for (const Case& item : kCases) {
    for (const Unary& activation : kReads) {
      for (const bool on : {false, true}) {
        if (!on && activation != Unary{}) continue;
        SCOPED_TRACE(format("{}, read {}{}", item.why, on, name_of(activation.kind)));
        Values values(++seed);
        const std::int64_t ci = item.x.c();
        Tensor x = values.any(item.x);
        Tensor filter = values.any({item.co, item.window.kernel.h, item.window.kernel.w, ci / item.groups});
        Tensor scale = values.any({ci});
        Tensor bias = values.any({ci});
        Tensor mean = values.any({ci}, 0.3);
        Tensor variance = values.positive({ci});
        std::vector<Tensor*> inputs = {&x, &filter};
        if (on) inputs.insert(inputs.end(), {&scale, &bias, &mean, &variance});
        const TrainingConv2d op{
            .window = item.window, .groups = item.groups, .read = {.on = on, .activation = activation}};
        Single(op, inputs).check(1e-5);
      }
    }
  }
}

TEST(TrainingSteps, DifferentiateConvolutionsAsTheReference) {
  std::uint32_t seed = 100;
  for (const Case& item : kCases) {
    for (int kind = 0; kind < 12; ++kind) {
      const bool on = kind % 2 == 1;
      const bool normalized = kind / 2 % 2 == 1;
      const bool input_gradient = kind < 8;
      const Unary activation = on ? kReads[static_cast<std::size_t>(kind / 2)] : Unary{};
      SCOPED_TRACE(format("{}, read {} {}, normalized {}, dx {}", item.why, on, name_of(activation.kind), normalized,
                          input_gradient));
      Values values(++seed);
      const std::int64_t ci = item.x.c();
      Tensor x = values.any(item.x);
      Tensor filter = values.any({item.co, item.window.kernel.h, item.window.kernel.w, ci / item.groups});
      Tensor scale = values.any({ci});
      Tensor bias = values.any({ci});
      Tensor mean = values.any({ci}, 0.3);
      Tensor variance = values.positive({ci});
      std::vector<Tensor*> inputs = {&x, &filter};
      if (on) inputs.insert(inputs.end(), {&scale, &bias, &mean, &variance});
      const Extent out = output_extent({item.x.h(), item.x.w()}, item.window);
      const Shape y{item.x.n(), out.h, out.w, item.co};
      Tensor g = values.any(y);
      Tensor result = values.any(y);
      Tensor y_scale = values.any({item.co});
      Tensor y_mean = values.any({item.co}, 0.3);
      Tensor y_variance = values.positive({item.co});
      Tensor scale_gradient = values.any({item.co});
      Tensor bias_gradient = values.any({item.co});
      inputs.push_back(&g);
      if (normalized) {
        inputs.insert(inputs.end(), {&result, &y_scale, &y_mean, &y_variance, &scale_gradient, &bias_gradient});
      }
      const Conv2dGradient op{.window = item.window,
                              .groups = item.groups,
                              .read = {.on = on, .activation = activation},
                              .normalized = normalized,
                              .input_gradient = input_gradient};
      Single(op, inputs).check(2e-5);
    }
  }
}

TEST(TrainingSteps, NormaliseAsTheReference) {
  std::uint32_t seed = 300;
  for (const Shape& shape : {Shape{2, 5, 7, 19}, Shape{64, 33}, Shape{4, 30, 31, 16}, Shape{3, 1, 1, 1}}) {
    SCOPED_TRACE(to_string(shape));
    const Shape channels{shape[shape.rank() - 1]};
    Values values(++seed);
    {
      Tensor x = values.any(shape, 1, 30);  // far from 0: the variance must not drown
      Single(BatchMoments{}, {&x}).check(1e-5);
    }
    const auto vectors = [&] { return values.positive(channels); };
    {
      Tensor x = values.any(shape);
      Tensor scale = vectors(), bias = vectors(), mean = vectors(), variance = vectors();
      Single(BatchNorm{}, {&x, &scale, &bias, &mean, &variance}).check(1e-5);
    }
    {
      Tensor g = values.any(shape);
      Tensor x = values.any(shape);
      Tensor mean = vectors(), variance = vectors();
      Single(BatchNormSums{}, {&g, &x, &mean, &variance}).check(1e-5);
    }
    {
      Tensor g = values.any(shape);
      Tensor x = values.any(shape);
      Tensor scale = vectors(), mean = vectors(), variance = vectors(), a = vectors(), b = vectors();
      Single(BatchNormInputGradient{}, {&g, &x, &scale, &mean, &variance, &a, &b}).check(1e-5);
    }
  }
}

TEST(TrainingSteps, UpdateAndDifferentiateAsTheReference) {
  std::uint32_t seed = 400;
  for (const UpdateRule rule : {UpdateRule::kSgd, UpdateRule::kRmsProp, UpdateRule::kAdamW}) {
    for (const bool nesterov : {false, true}) {
      for (const std::int64_t count : {1, 31, 1000}) {
        SCOPED_TRACE(format("{} {} {}", name_of(rule), nesterov, count));
        Values values(++seed);
        Tensor w = values.any({count}), g = values.any({count}), m = values.any({count}), s = values.positive({count});
        Tensor rates = Tensor::of<float>({3}, {0.1f, 0.5f, 0.25f});
        Tensor factor = Tensor::of<float>(Shape{}, {0.7f});
        std::vector<Tensor*> inputs = {&w, &g, &rates, &factor, &m};
        if (states_of(rule) > 1) inputs.push_back(&s);
        Single(Update{{.rule = rule, .nesterov = nesterov, .weight_decay = 0.01f}}, inputs).check(1e-5);
      }
    }
  }
  for (const Unary& function : kReads) {
    SCOPED_TRACE(name_of(function.kind));
    Values values(++seed);
    Tensor x = values.any({2, 3, 45}, 4), dy = values.any({2, 3, 45});
    Single(UnaryGradient{function}, {&x, &dy}).check(1e-5);
  }
}

TEST(TrainingSteps, MultiplyAsTheReference) {
  std::uint32_t seed = 500;
  for (const std::int64_t m : {1, 5, 64}) {
    for (int turned = 0; turned < 4; ++turned) {
      SCOPED_TRACE(format("{} rows, {}", m, turned));
      Values values(++seed);
      const bool a = turned % 2 == 1;
      const bool b = turned / 2 == 1;
      Tensor left = values.any(a ? Shape{37, m} : Shape{m, 37});
      Tensor right = values.any(b ? Shape{50, 37} : Shape{37, 50});
      Tensor bias = values.any({50});
      Single(Gemm{.transpose_a = a, .transpose_b = b}, {&left, &right, &bias}).check(1e-5);
    }
  }
  Values values(++seed);
  Tensor left = values.any({6, 33}), right = values.any({33, 7});
  Single(MatMul{}, {&left, &right}).check(1e-5);
}

}  // namespace
}  // namespace sepal
