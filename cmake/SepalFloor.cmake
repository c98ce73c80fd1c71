# What every target of ours shares: the language, the warnings, and hidden symbols.
add_library(sepal_options INTERFACE)
target_compile_features(sepal_options INTERFACE cxx_std_20)
target_compile_options(sepal_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
  # No path of the machine that compiles ends up in the library.
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=
  -Woverloaded-virtual -Wcast-qual -Wformat=2 -Wundef $<$<BOOL:${SEPAL_WERROR}>:-Werror>
  # g++ 12 sees overlapping copies in std::string's own insert and operator+ where there are none (GCC bug 105651).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>)
target_include_directories(sepal_options INTERFACE ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)

# sepal_floor(NAME SOURCES a.cc ... [HEADERS public.h ...] [LINK targets ...])
# One folder of the library: an object library of that name, `sepal_NAME`, that ends up inside libsepal.
# HEADERS are the public ones, installed; LINK names other floors and dependencies, all private.
function(sepal_floor name)
  cmake_parse_arguments(PARSE_ARGV 1 floor "" "" "SOURCES;HEADERS;LINK")
  add_library(sepal_${name} OBJECT ${floor_SOURCES})
  set_target_properties(sepal_${name} PROPERTIES
    POSITION_INDEPENDENT_CODE ON CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_link_libraries(sepal_${name} PRIVATE sepal_options ${floor_LINK})
  set_property(GLOBAL APPEND PROPERTY SEPAL_FLOORS sepal_${name})
  set_property(GLOBAL APPEND PROPERTY SEPAL_LINKS ${floor_LINK})
  foreach(header IN LISTS floor_HEADERS)
    set_property(GLOBAL APPEND PROPERTY SEPAL_PUBLIC_HEADERS ${CMAKE_CURRENT_SOURCE_DIR}/${header})
  endforeach()
endfunction()

# sepal_test_program(NAME [SOURCES a_test.cc ...] [LINK ...])
# A GoogleTest program that sees the inside of the library.
function(sepal_test_program name)
  cmake_parse_arguments(PARSE_ARGV 1 test "" "" "SOURCES;LINK")
  add_executable(${name} ${test_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests CXX_EXTENSIONS OFF)
  # What is tested is compiled as users have it; the tests themselves only have to compile quickly.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Release>:-O1>)
  target_compile_definitions(${name} PRIVATE SEPAL_SOURCE_DIR="${PROJECT_SOURCE_DIR}" SEPAL_BINARY_DIR="${PROJECT_BINARY_DIR}")
  target_link_libraries(${name} PRIVATE sepal_options sepal_inside fmt::fmt GTest::gtest_main ${test_LINK})
endfunction()

# sepal_test(NAME SOURCES a_test.cc ... [LINK ...])
# Such a program, and a test of ctest for each of its own.
function(sepal_test name)
  sepal_test_program(${name} ${ARGN})
  # A test asks for more memory than there is and expects to be refused; the address sanitizer would end it there.
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 900 ENVIRONMENT ASAN_OPTIONS=allocator_may_return_null=1)
endfunction()

# sepal_guarded_test(NAME SOURCES a_test.cc ... [LINK ...])
# The same with all memory of the program against pages that nobody may touch (tests/guard), once with each side.
function(sepal_guarded_test name)
  set(guard ${PROJECT_SOURCE_DIR}/tests/guard)
  sepal_test_program(${name} ${ARGN})
  target_sources(${name} PRIVATE ${guard}/guarded_new.cc ${guard}/guard_test.cc)
  target_link_options(${name} PRIVATE LINKER:--wrap=aligned_alloc LINKER:--wrap=free)
  foreach(side end beginning)
    gtest_discover_tests(${name} TEST_PREFIX Guarded.${name}.${side}. DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT 900 LABELS guard ENVIRONMENT SEPAL_GUARD=${side})
  endforeach()
endfunction()
