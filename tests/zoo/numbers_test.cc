// Every network against the exact numbers of its paper's tables.

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "sepal/base/text.h"
#include "sepal/graph/conv_layer.h"
#include "sepal/graph/cost.h"
#include "sepal/zoo/zoo.h"

namespace sepal {
namespace {

NetworkCost cost_of_network(std::string_view spec) { return cost_of(build(parse_zoo_spec(spec), Weights::kNone)); }

/// Channels in front of a batch norm: what biases before it would add, and Keras' mean and variance twice.
std::uint64_t normalized_channels(const Cost& cost) { return cost.parameters.normalization / 2; }

struct Row {
  const char* table;
  const char* spec;
  std::uint64_t macs;
  std::uint64_t parameters;  ///< batch norm as gamma and beta
};

constexpr Row kRows[] = {
    {"MobileNet, table 4, Conv MobileNet (printed 4866M without the classifier)", "mobilenet_v1_standard",
     4'867'293'184, 29'294'088},
    {"MobileNet, table 4, MobileNet", "mobilenet_v1", 568'740'352, 4'231'976},
    {"MobileNet, table 5, 0.75 MobileNet", "mobilenet_v1:width=0.75", 325'400'448, 2'585'560},
    {"MobileNet, table 5, Shallow MobileNet", "mobilenet_v1_shallow", 307'323'392, 2'887'976},
    {"MobileNet, table 6, 0.5", "mobilenet_v1:width=0.5", 149'497'088, 1'331'592},
    {"MobileNet, table 6, 0.25", "mobilenet_v1:width=0.25", 41'030'272, 470'072},
    {"MobileNet, table 7, 192", "mobilenet_v1:size=192", 418'121'728, 4'231'976},
    {"MobileNet, table 7, 160", "mobilenet_v1:size=160", 290'675'200, 4'231'976},
    {"MobileNet, table 7, 128", "mobilenet_v1:size=128", 186'400'768, 4'231'976},
    {"MobileNet, table 9, 0.5 at 160", "mobilenet_v1:width=0.5,size=160", 76'524'800, 1'331'592},
    {"MobileNetV2, table 4, 1.0", "mobilenet_v2", 300'774'272, 3'504'872},
    {"MobileNetV2, table 4, 1.4", "mobilenet_v2:width=1.4", 582'195'824, 6'108'776},
    {"MobileNetV2, 0.75", "mobilenet_v2:width=0.75", 209'069'792, 2'636'424},
    {"MobileNetV2, 0.5", "mobilenet_v2:width=0.5", 97'131'840, 1'968'680},
    {"MobileNetV2, 0.35", "mobilenet_v2:width=0.35", 59'285'808, 1'677'128},
    {"MobileNetV2, at 192", "mobilenet_v2:size=192", 221'316'608, 3'504'872},
    {"MobileNetV2, at 160", "mobilenet_v2:size=160", 154'083'200, 3'504'872},
    {"MobileNetV2, at 128", "mobilenet_v2:size=128", 99'074'048, 3'504'872},
    {"MobileNetV2, at 96", "mobilenet_v2:size=96", 56'289'152, 3'504'872},
    {"MobileNetV3, table 3, Large", "mobilenet_v3_large", 216'589'760, 5'483'032},
    {"MobileNetV3, table 3, Small", "mobilenet_v3_small", 56'510'400, 2'542'856},
    {"Xception, table 3", "xception", 8'357'403'496, 22'855'952},
    {"MnasNet, table 1, A1", "mnasnet_a1", 311'579'072, 3'887'038},
    {"MnasNet, B1", "mnasnet_b1", 314'415'872, 4'383'312},
    {"EfficientNet-Lite0", "efficientnet_lite0", 385'187'552, 4'652'008},
    {"EfficientNet-Lite1", "efficientnet_lite1", 600'185'232, 5'416'680},
    {"EfficientNet-Lite2", "efficientnet_lite2", 859'736'272, 6'092'072},
    {"EfficientNet-Lite3", "efficientnet_lite3", 1'383'321'872, 8'197'096},
    {"EfficientNet-Lite4", "efficientnet_lite4", 2'553'034'336, 13'006'568},
    {"MLPerf Tiny, keyword spotting", "ds_cnn_s", 2'656'768, 23'180},
    {"MLPerf Tiny, visual wake words", "mobilenet_v1_vww", 7'489'664, 213'586},
    {"ResNet, table 1, 18-layer", "resnet18", 1'814'073'344, 11'689'512},
    {"ResNet-18 for CIFAR, stem of 3x3 without pooling: 11.17M", "resnet18:size=32,classes=10,stem=1", 555'422'720,
     11'173'962},
    {"VGG, table 1, D", "vgg16", 15'470'264'320, 138'357'544},
};

TEST(ZooNumbers, EveryRowOfThePapersTables) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(format("{}: {}", row.table, row.spec));
    const Cost total = cost_of_network(row.spec).total;
    EXPECT_EQ(total.macs, row.macs);
    EXPECT_EQ(total.parameters.trained(), row.parameters);
  }
}

TEST(ZooNumbers, EveryNetworkHasARow) {
  for (const ZooEntry& entry : zoo()) {
    const bool by_hand = entry.name == "ds_cnn_m" || entry.name == "ds_cnn_l";  // below
    EXPECT_TRUE(by_hand || std::ranges::find(kRows, entry.name, &Row::spec) != std::end(kRows)) << entry.name;
  }
}

struct Convention {
  const char* spec;
  std::uint64_t without_norm;  ///< no batch norm at all
  std::uint64_t as_keras;      ///< mean and variance too
};

TEST(ZooNumbers, ParametersUnderOtherConventions) {
  constexpr Convention kConventions[] = {
      {"mobilenet_v1", 4'210'088, 4'253'864},
      {"mobilenet_v2", 3'470'760, 3'538'984},
      {"xception", 22'801'424, 22'910'480},
  };
  for (const Convention& row : kConventions) {
    SCOPED_TRACE(row.spec);
    const Parameters parameters = cost_of_network(row.spec).total.parameters;
    EXPECT_EQ(parameters.trained() - parameters.normalization, row.without_norm);
    EXPECT_EQ(parameters.stored(), row.as_keras);
  }
}

TEST(ZooNumbers, MlperfTinyAddsABiasBeforeEachBatchNorm) {
  constexpr Convention kConventions[] = {{"ds_cnn_s", 23'756, 24'908}, {"mobilenet_v1_vww", 216'322, 221'794}};
  for (const Convention& row : kConventions) {
    SCOPED_TRACE(row.spec);
    const Cost total = cost_of_network(row.spec).total;
    EXPECT_EQ(total.parameters.trained() + normalized_channels(total), row.without_norm);
    EXPECT_EQ(total.parameters.stored() + normalized_channels(total), row.as_keras);
  }
}

/// MACs and weights (no biases, no batch norm) by kind.
struct Share {
  std::uint64_t macs = 0;
  std::uint64_t weights = 0;
};
std::map<LayerKind, Share> shares_of(const NetworkCost& cost) {
  std::map<LayerKind, Share> shares;
  for (const LayerCost& layer : cost.layers) {
    shares[layer.kind].macs += layer.cost.macs;
    shares[layer.kind].weights += layer.cost.parameters.weights;
  }
  return shares;
}

/// In per cent, rounded to two places.
double per_cent(std::uint64_t part, std::uint64_t all) {
  return std::round(1e4 * static_cast<double>(part) / static_cast<double>(all)) / 100;
}

// Its column of mult-adds prints 1.19 for the convolution and so sums to 99.29.
TEST(ZooNumbers, MobileNetTable2) {
  std::map<LayerKind, Share> shares = shares_of(cost_of_network("mobilenet_v1"));
  Share all;
  for (const auto& [kind, share] : shares) all = {all.macs + share.macs, all.weights + share.weights};
  struct {
    LayerKind kind;
    double macs;
    double parameters;
  } constexpr kTable2[] = {{LayerKind::kPointwise, 94.86, 74.59},
                           {LayerKind::kDepthwise, 3.06, 1.06},
                           {LayerKind::kConvolution, 1.91, 0.02},
                           {LayerKind::kFullyConnected, 0.18, 24.33}};
  for (const auto& row : kTable2) {
    EXPECT_EQ(per_cent(shares[row.kind].macs, all.macs), row.macs) << name_of(row.kind);
    EXPECT_EQ(per_cent(shares[row.kind].weights, all.weights), row.parameters) << name_of(row.kind);
  }
}

TEST(ZooNumbers, SharesOfMobileNetV2) {
  std::map<LayerKind, Share> shares = shares_of(cost_of_network("mobilenet_v2"));
  EXPECT_EQ(shares[LayerKind::kPointwise].macs, 267'939'840U);
  EXPECT_EQ(shares[LayerKind::kDepthwise].macs, 20'716'416U);
}

TEST(ZooNumbers, MobileNetTable4CountsWithoutTheClassifier) {
  const auto without_classifier = [](std::string_view spec) {
    const NetworkCost cost = cost_of_network(spec);
    return cost.total.macs - shares_of(cost)[LayerKind::kFullyConnected].macs;
  };
  EXPECT_EQ(without_classifier("mobilenet_v1_standard"), 4'866'269'184U);
  EXPECT_EQ(without_classifier("mobilenet_v1"), 567'716'352U);
}

TEST(ZooNumbers, MobileNetTable3IsALayerOfTheNetwork) {
  struct {
    const char* why;
    std::int64_t channels;
    std::int64_t size;
    std::uint64_t macs;
    std::uint64_t weights;
  } constexpr kTable3[] = {{"depthwise separable", 512, 14, 52'283'392, 266'752},
                           {"alpha = 0.75", 384, 14, 29'578'752, 150'912},
                           {"rho = 0.714", 384, 10, 15'091'200, 150'912}};
  for (const auto& row : kTable3) {
    SCOPED_TRACE(row.why);
    const ConvLayer layer{.in = row.channels,
                          .out = row.channels,
                          .size = {row.size, row.size},
                          .window = {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}};
    const Cost separable = compare(layer).separable();
    EXPECT_EQ(separable.macs, row.macs);
    EXPECT_EQ(separable.parameters.trained(), row.weights);
    // The 8th layer of the network is this one.
    const std::string spec =
        format("mobilenet_v1:width={},size={}", static_cast<double>(row.channels) / 512, row.size * 16);
    Share share;
    for (const LayerCost& node : cost_of_network(spec).layers) {
      if (node.name == "block8/depthwise" || node.name == "block8/pointwise")
        share = {share.macs + node.cost.macs, share.weights + node.cost.parameters.weights};
    }
    EXPECT_EQ(share.macs, row.macs);
    EXPECT_EQ(share.weights, row.weights);
  }
  const ConvLayer standard{
      .in = 512, .out = 512, .size = {14, 14}, .window = {.kernel = {3, 3}, .padding = {1, 1, 1, 1}}};
  EXPECT_EQ(compare(standard).standard.macs, 462'422'016U);
  EXPECT_EQ(compare(standard).standard.parameters.trained(), 2'359'296U);
}

// Hello Edge, appendix: a 10x4 stem to 172 or 276 maps, four or five separable layers of 3x3, 12 classes.
TEST(ZooNumbers, MediumAndLargeKeywordSpottersByHand) {
  // Stem, stride (2, 1): 49 x 10 -> 25 x 10. First separable layer, stride (2, 2): -> 13 x 5.
  constexpr std::uint64_t kStemMap = 25 * 10;
  constexpr std::uint64_t kMap = 13 * 5;

  const Cost medium = cost_of_network("ds_cnn_m").total;
  EXPECT_EQ(medium.macs, kStemMap * 172 * 40 + 4 * kMap * (172 * 9 + 172 * 172) + 172 * 12);
  EXPECT_EQ(medium.macs, 1'720'000U + 402'480 + 7'691'840 + 2'064);
  EXPECT_EQ(medium.parameters.trained(), 172U * 40 + 4 * (172 * 9 + 172 * 172) + 9 * 2 * 172 + 172 * 12 + 12);

  const Cost large = cost_of_network("ds_cnn_l").total;
  EXPECT_EQ(large.macs, kStemMap * 276 * 40 + 5 * kMap * (276 * 9 + 276 * 276) + 276 * 12);
  EXPECT_EQ(large.macs, 2'760'000U + 807'300 + 24'757'200 + 3'312);
  EXPECT_EQ(large.parameters.trained(), 276U * 40 + 5 * (276 * 9 + 276 * 276) + 11 * 2 * 276 + 276 * 12 + 12);
}

TEST(ZooNumbers, DoNotDependOnTheWeights) {
  EXPECT_EQ(cost_of(build(parse_zoo_spec("mobilenet_v3_small"))).total, cost_of_network("mobilenet_v3_small").total);
}

}  // namespace
}  // namespace sepal
