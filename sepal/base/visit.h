#pragma once

namespace sepal {

/// Lambdas as one visitor: std::visit(Overload{[](const A&) {...}, [](const B&) {...}}, variant). Without
/// a catch-all lambda the compiler lists every alternative that is missing.
template <typename... Visitors>
struct Overload : Visitors... {
  using Visitors::operator()...;
};
template <typename... Visitors>
Overload(Visitors...) -> Overload<Visitors...>;

}  // namespace sepal
