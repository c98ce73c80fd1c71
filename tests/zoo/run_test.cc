// Every network, seeded, runs: signals neither die out nor explode on the way, and a file of it is the same network.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "sepal/base/text.h"
#include "sepal/formats/onnx_read.h"
#include "sepal/formats/onnx_write.h"
#include "sepal/model/model.h"
#include "sepal/optimize/optimize.h"
#include "sepal/zoo/weights.h"
#include "sepal/zoo/zoo.h"
#include "tests/interpret.h"

namespace sepal {
namespace {

/// Small enough to run by the reference kernels.
std::string small(const ZooEntry& entry) {
  if (entry.name.starts_with("ds_cnn")) return std::string(entry.name);
  return format("{}:size=40,classes=20{}", entry.name, entry.name == "vgg16" ? ",width=0.25" : "");
}

Tensor image_for(const Graph& graph) {
  return WeightSource(5).normal(graph.shape(graph.inputs()[0].value), 2);  // variance 1
}

TEST(ZooRun, SignalsKeepTheirSize) {
  for (const ZooEntry& entry : zoo()) {
    SCOPED_TRACE(entry.name);
    const Graph graph = build(parse_zoo_spec(small(entry)));
    const Model model = Model::from_bytes(onnx::write(graph));
    const Tensor logits = model.run(image_for(graph));
    double sum = 0;
    double squares = 0;
    for (const float value : logits.values<float>()) {
      ASSERT_TRUE(std::isfinite(value));
      sum += value;
      squares += static_cast<double>(value) * value;
    }
    const auto count = static_cast<double>(logits.elements());
    const double deviation = std::sqrt(squares / count - sum * sum / count / count);
    EXPECT_GT(deviation, 0.02);
    EXPECT_LT(deviation, 20);
  }
}

TEST(ZooRun, AFileOfItIsTheSameNetwork) {
  for (const ZooEntry& entry : zoo()) {
    SCOPED_TRACE(entry.name);
    const Graph graph = build(parse_zoo_spec(small(entry)));
    const Graph read = onnx::read(onnx::write(graph));
    EXPECT_TRUE(optimize(read) == optimize(graph));
  }
}

}  // namespace
}  // namespace sepal
