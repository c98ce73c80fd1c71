#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sepal {

/// What a run has seen at one step, or as the mean over the steps since the last record.
struct StepRecord {
  std::int64_t step = 0;   ///< of the whole run, from 1
  std::int64_t epoch = 0;  ///< from 0
  double loss = 0;
  double accuracy = 0;  ///< share of the batch's images that were told right
  double rate = 0;      ///< learning rate
  double images_per_second = 0;
};

/// The state of the network at the end of an epoch, over the images held back.
struct EpochRecord {
  std::int64_t epoch = 0;
  std::int64_t step = 0;
  double train_loss = 0;  ///< mean over the epoch's steps
  double train_accuracy = 0;
  double loss = 0;  ///< over the validation part
  double accuracy = 0;
  double seconds = 0;  ///< of the epoch
};

/// An image that was told wrong: which, and what was thought.
struct Mistake {
  std::int64_t index = 0;  ///< in its part
  std::int64_t label = 0;
  std::int64_t guess = 0;
  double confidence = 0;             ///< of the guess
  std::vector<std::uint8_t> pixels;  ///< [h, w, c] as stored, for showing
  std::int64_t h = 0;
  std::int64_t w = 0;
  std::int64_t c = 0;
};

/// How a network does on labelled images.
struct Evaluation {
  std::int64_t images = 0;
  double loss = 0;
  double accuracy = 0;
  double images_per_second = 0;
  std::vector<std::int64_t> confusion;  ///< [classes][classes], rows what it is, columns what was told
  std::vector<Mistake> mistakes;        ///< the most confident ones
};

/// A training run, as far as it went: what its log, its report and its checkpoints tell.
struct History {
  std::string network;  ///< "mobilenet_v1:width=0.25,size=32"
  std::string data;     ///< "Fashion-MNIST"
  std::string command;  ///< as it was given, for the report
  std::vector<std::string> classes;
  std::int64_t parameters = 0;
  std::int64_t macs = 0;  ///< of one image's forward pass
  std::vector<StepRecord> steps;
  std::vector<EpochRecord> epochs;
  double seconds = 0;  ///< of all sittings together
  bool whole = true;   ///< false where it was stopped before its end
};

}  // namespace sepal
