#pragma once

#include <string>
#include <vector>

#include "sepal/report/assets.h"
#include "sepal/report/document.h"

namespace sepal::report {

/// What a page is made of before it is one: HTML that is safe already.
struct Page {
  std::string title;                        ///< plain text, from anywhere
  std::string header;                       ///< HTML below the title
  std::string contents;                     ///< HTML of the list of sections; empty for none
  std::string main;                         ///< HTML
  std::vector<const Figure*> figures = {};  ///< whose plots the page draws
  std::vector<const Asset*> styles = {};    ///< besides the common one
  std::vector<const Asset*> scripts = {};   ///< besides the plotting library and the common one, run in this order
};
std::string to_html(const Page& page);

/// A figure's place in a page: heading, the still picture (which the script replaces), its text alternative.
std::string figure_block(const Figure& figure, const std::string& still);

/// The pictures of to_inline_svg(), those at the end empty where all together would be larger than `bytes`. Without the
/// plotting library none is left out.
std::vector<std::string> stills_within(const std::vector<const Figure*>& figures, std::size_t bytes);

constexpr std::size_t kPageBytes = 2'000'000;

}  // namespace sepal::report
