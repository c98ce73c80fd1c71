# Everything that is not ours, from the system. Each stands behind one file or one folder of the library
# (docs/decisions/0002-dependencies.md), and none shows in an installed header.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

find_package(fmt REQUIRED)
find_package(hwy REQUIRED)
find_package(JPEG REQUIRED)
pkg_check_modules(spng REQUIRED IMPORTED_TARGET spng)
pkg_check_modules(exif REQUIRED IMPORTED_TARGET libexif)
find_package(ZLIB REQUIRED)
find_path(PROTOZERO_INCLUDE_DIR protozero/pbf_reader.hpp REQUIRED)
add_library(sepal_protozero INTERFACE)
target_include_directories(sepal_protozero SYSTEM INTERFACE ${PROTOZERO_INCLUDE_DIR})

find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
if(SEPAL_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
if(SEPAL_BENCH)
  find_package(benchmark REQUIRED)
endif()
