#pragma once

// What `sepal bench --tune` found by measuring, kept in the user's cache folder: which convolutions of a network one
// step computes, for one processor, instruction set and number of threads. Never needed: without it the ranking
// decides.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sepal/graph/graph.h"
#include "sepal/plan/plan.h"

namespace sepal {

/// A number for the graph's operators, shapes and connections; weights and names do not count.
std::uint64_t fingerprint(const Graph& graph);

/// Where the steps of this graph are kept: in cache_folder(), by processor, instruction set in use, threads and
/// fingerprint; nothing where there is no such folder.
std::optional<std::filesystem::path> tuned_file(const Graph& graph, int threads);

/// As text: "sepal-tuned 1", then a line "step NODE NODE ... rows N" each.
std::string to_text(const std::vector<Fused>& fused);
/// Throws Error(kInvalid) that names the line.
std::vector<Fused> parse_tuned(std::string_view text);

/// What is kept for this graph; nothing where nothing is, or it is damaged, or does not suit the graph.
std::optional<std::vector<Fused>> kept_fused(const Graph& graph, int threads);
/// `options` with what is kept, unless they say what to fuse, or not to.
PlanOptions with_kept(PlanOptions options, const Graph& graph);
/// Writes it, whole or not at all; false where that cannot be.
bool keep_fused(const std::vector<Fused>& fused, const std::filesystem::path& path);

}  // namespace sepal
