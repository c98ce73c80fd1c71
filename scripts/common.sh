# Sourced by the scripts beside it: goes to the top of the checkout and holds what they share.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

# ccache, where it is installed, makes the second build of the same sources short.
if [ -z "${CMAKE_CXX_COMPILER_LAUNCHER:-}" ] && command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi

cores() { nproc 2>/dev/null || echo 2; }

# configure PRESET [cmake arguments]: quietly, unless it goes wrong.
configure() {
  local preset=$1 log
  shift
  log=$(mktemp)
  if ! cmake --preset "$preset" "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# 754 -> 12:34
clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# run_tests PRESET [ctest arguments]: as many tests at once as there are cores.
run_tests() {
  local preset=$1
  shift
  ctest --test-dir "build/$preset" --output-on-failure -j "$(cores)" "$@"
}
