#pragma once

#include <cstdint>
#include <optional>

#include "sepal/data/random.h"
#include "sepal/tensor/tensor.h"
#include "sepal/tensor/window.h"

namespace sepal {

/// Left and right exchanged.
struct Flip {
  double probability = 0.5;
};

/// A black border is put around the image, and the image's size cut out of that anywhere (He et al. 2016, section 4.2).
struct PaddedCrop {
  std::int64_t padding = 4;  ///< pixels a side
};

/// A part of the image, of any proportions and place, is brought to the network's size (Szegedy et al. 2015, "Going
/// deeper with convolutions", section 6).
struct ResizedCrop {
  double least_area = 0.08;  ///< of the image's
  double most_area = 1;
  double ratio = 4.0 / 3;  ///< of the longer side to the shorter, at most
};

/// Each strength s draws a factor from 1 - s to 1 + s; 0 leaves a property as it is. In any order, as each rounds off
/// what leaves the range (Howard 2013, arXiv 1312.5402, section 2.2; the operations are Pillow's ImageEnhance).
struct ColourJitter {
  double brightness = 0.4;  ///< times the factor
  double contrast = 0.4;    ///< away from the mean of the image's grey
  double saturation = 0.4;  ///< away from the pixel's own grey; nothing happens to a grey image
};

/// A rectangle is wiped out (Zhong et al. 2017, arXiv 1708.04896, algorithm 1).
struct Erase {
  double probability = 0.25;
  double least_area = 0.02;  ///< of the image's
  double most_area = 1.0 / 3;
  double ratio = 10.0 / 3;  ///< of the longer side to the shorter, at most
  bool noise = true;        ///< normal, of the spread of normalised pixels; else 0, their mean
};

/// Images of a batch are blended in pairs, and their classes as much: mixup adds the images, lambda : 1 - lambda (Zhang
/// et al. 2018, arXiv 1710.09412), CutMix exchanges a rectangle (Yun et al. 2019, arXiv 1905.04899). lambda is drawn
/// for the batch from Beta(alpha, alpha). Where both are wanted a batch gets one or the other.
struct Mix {
  double mixup_alpha = 0;   ///< 0: no mixup
  double cutmix_alpha = 0;  ///< 0: no CutMix
  double probability = 1;   ///< for a batch
};

/// What is done to the images that are learned from; nothing, unless said.
struct Augmentation {
  std::optional<ResizedCrop> resized_crop{};
  std::optional<ColourJitter> colour{};
  std::optional<Flip> flip{};
  std::optional<PaddedCrop> padded_crop{};
  std::optional<Erase> erase{};
  std::optional<Mix> mix{};
};

/// Throws Error(kInvalid) that names the first number out of its range, for images of `size`.
void check_augmentation(const Augmentation& augmentation, Extent size);

/// Part of `image`, u8 [h, w, c], brought to `size`. After ten tries that do not fit, the largest part in the middle of
/// proportions that are allowed.
Tensor resized_crop(const Tensor& image, Extent size, const ResizedCrop& options, Random& random);

/// On one image in place, f32 [h, w, c], of values from 0 to 1 and 1 or 3 channels.
void colour_jitter(TensorView<float> image, const ColourJitter& options, Random& random);

/// On one image in place, [h, w, c], of any values. `black` is what a value of the border becomes, [c].
void flip(TensorView<float> image, const Flip& options, Random& random);
void padded_crop(TensorView<float> image, const float* black, const PaddedCrop& options, Random& random);

/// On one normalised image in place, [h, w, c].
void erase(TensorView<float> image, const Erase& options, Random& random);

/// On a batch in place: image i with image n - 1 - i (of a batch in random order that is any other; the one in the
/// middle stays). `images` [n, h, w, c]; `targets` [n, classes], each row the image's distribution over the classes.
void mix(TensorView<float> images, TensorView<float> targets, const Mix& options, Random& random);

}  // namespace sepal
