// Operators that only move elements: every type, half precision included.

#include <cstring>

#include "sepal/evaluate/compute.h"
#include "sepal/kernels/reference/move.h"

namespace sepal::reference {

bool computes(const Reshape&, Types) { return true; }

void compute(const Reshape&, Inputs inputs, Outputs outputs) noexcept {
  if (inputs[0].bytes() > 0) std::memcpy(outputs[0].data, inputs[0].data, inputs[0].bytes());
}

bool computes(const Transpose&, Types) { return true; }

void compute(const Transpose& op, Inputs inputs, Outputs outputs) noexcept {
  visit_type(inputs[0].type, [&]<typename T>() {
    transpose(TransposeArgs<T>{.input = inputs[0].as<T>(), .axes = op.permutation.axes, .output = outputs[0].as<T>()});
  });
}

bool computes(const Concat&, Types) { return true; }

void compute(const Concat& op, Inputs inputs, Outputs outputs) noexcept {
  visit_type(outputs[0].type, [&]<typename T>() {
    std::int64_t start = 0;
    for (const ConstBuffer& input : inputs) {
      concat(ConcatArgs<T>{.input = input.as<T>(), .axis = op.axis, .start = start, .output = outputs[0].as<T>()});
      start += input.shape[op.axis];
    }
  });
}

bool computes(const Slice&, Types) { return true; }

void compute(const Slice& op, Inputs inputs, Outputs outputs) noexcept {
  visit_type(inputs[0].type, [&]<typename T>() {
    slice(SliceArgs<T>{.input = inputs[0].as<T>(), .start = op.start, .step = op.step, .output = outputs[0].as<T>()});
  });
}

bool computes(const Pad&, Types) { return true; }

void compute(const Pad& op, Inputs inputs, Outputs outputs) noexcept {
  visit_type(inputs[0].type, [&]<typename T>() {
    pad(PadArgs<T>{.input = inputs[0].as<T>(),
                   .mode = op.mode,
                   .before = op.before,
                   .after = op.after,
                   .value = convert<T>(op.value),
                   .output = outputs[0].as<T>()});
  });
}

bool computes(const Gather&, Types) { return true; }

void compute(const Gather& op, Inputs inputs, Outputs outputs) noexcept {
  visit_type(inputs[0].type, [&]<typename T>() {
    const auto run = [&]<typename Index>() {
      gather(GatherArgs<T, Index>{
          .data = inputs[0].as<T>(), .indices = inputs[1].as<Index>(), .axis = op.axis, .output = outputs[0].as<T>()});
    };
    if (inputs[1].type == DataType::kI32) return run.template operator()<std::int32_t>();
    run.template operator()<std::int64_t>();
  });
}

bool computes(const Expand&, Types) { return true; }

void compute(const Expand&, Inputs inputs, Outputs outputs) noexcept {
  visit_type(inputs[0].type,
             [&]<typename T>() { expand(ExpandArgs<T>{.input = inputs[0].as<T>(), .output = outputs[0].as<T>()}); });
}

bool computes(const Tile&, Types) { return true; }

void compute(const Tile&, Inputs inputs, Outputs outputs) noexcept {
  visit_type(inputs[0].type,
             [&]<typename T>() { tile(TileArgs<T>{.input = inputs[0].as<T>(), .output = outputs[0].as<T>()}); });
}

}  // namespace sepal::reference
