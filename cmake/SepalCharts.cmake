# The files of the pages, built into the library as text: sepal/report/web/*, and the plotting library that
# scripts/setup fetches by the lock file there (docs/decisions/0006-plots.md). Nothing is fetched while building.
#
# Included by the project it offers the option and sepal_embed(); run as a script (cmake -P) it writes one source.
if(NOT CMAKE_SCRIPT_MODE_FILE)
  set(SEPAL_INTERACTIVE_PLOTS AUTO CACHE STRING
      "Build the plotting library into HTML reports: AUTO if it is there, ON or OFF")
  set_property(CACHE SEPAL_INTERACTIVE_PLOTS PROPERTY STRINGS AUTO ON OFF)
  set(sepal_charts_script ${CMAKE_CURRENT_LIST_FILE})

  # sepal_find_charts(OUT FOLDER): the files of the plotting library below FOLDER, none without it.
  function(sepal_find_charts out folder)
    set(package ${folder}/node_modules/plotly.js-basic-dist-min)
    # Looked for again at every build, so a library that setup fetches later is taken.
    file(GLOB files CONFIGURE_DEPENDS ${package}/plotly-basic.min.js)
    set(${out} "" PARENT_SCOPE)
    string(TOUPPER "${SEPAL_INTERACTIVE_PLOTS}" wanted)
    if(wanted STREQUAL AUTO OR wanted)
      if(files)
        message(STATUS "Plots in HTML reports: interactive")
        # The licence asks that it goes where the library goes.
        set(${out} ${package}/LICENSE ${files} PARENT_SCOPE)
      elseif(wanted STREQUAL AUTO)
        message(STATUS "Plots in HTML reports: still pictures; scripts/setup fetches the plotting library, given Node")
      else()
        message(FATAL_ERROR "SEPAL_INTERACTIVE_PLOTS is ON, but there is no ${package}; run scripts/setup")
      endif()
    else()
      message(STATUS "Plots in HTML reports: still pictures, by SEPAL_INTERACTIVE_PLOTS")
    endif()
  endfunction()

  # sepal_embed(OUT NAME FILES...): a source, appended to OUT, that defines report::NAME with the files' text.
  function(sepal_embed out name)
    set(source ${CMAKE_CURRENT_BINARY_DIR}/${name}.cc)
    add_custom_command(OUTPUT ${source}
      COMMAND ${CMAKE_COMMAND} -D NAME=${name} -D SOURCE=${source} -D "FILES=${ARGN}" -P ${sepal_charts_script}
      DEPENDS ${ARGN} ${sepal_charts_script} VERBATIM COMMENT "Embedding ${name}")
    list(APPEND ${out} ${source})
    set(${out} ${${out}} PARENT_SCOPE)
  endfunction()
  return()
endif()

# sepal_base64(OUT HEX): the bytes of a hexadecimal text in base64. CMake hashes in hexadecimal only.
function(sepal_base64 out hex)
  set(digits ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/)
  set(text "")
  string(LENGTH "${hex}" length)
  foreach(at RANGE 0 ${length} 6)
    string(SUBSTRING "${hex}" ${at} 6 three)
    string(LENGTH "${three}" present)
    if(present EQUAL 0)
      break()
    endif()
    string(SUBSTRING "${three}000000" 0 6 padded)
    foreach(shift 18 12 6 0)
      math(EXPR digit "(0x${padded} >> ${shift}) & 63")
      string(SUBSTRING ${digits} ${digit} 1 character)
      # Two digits of hexadecimal give two of base64, four give three.
      if((present EQUAL 2 AND shift LESS 12) OR (present EQUAL 4 AND shift LESS 6))
        set(character "=")
      endif()
      string(APPEND text "${character}")
    endforeach()
  endforeach()
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

set(text "")
foreach(file IN LISTS FILES)
  file(READ "${file}" one)
  if(file MATCHES "LICENSE$")
    set(one "/*\n${one}*/\n")
  endif()
  string(APPEND text "${one}")
endforeach()
# What would end the element or the literal that the text stands in, or be changed on the way into a page.
string(ASCII 13 carriage_return)
foreach(forbidden "</script" "</style" "<!--" ")sepal\"" "${carriage_return}")
  string(FIND "${text}" "${forbidden}" found)
  if(NOT found EQUAL -1 AND NOT NAME MATCHES "Body$")
    message(FATAL_ERROR "${FILES}: \"${forbidden}\" at byte ${found} cannot stand in a page")
  endif()
endforeach()
string(SHA256 hash "${text}")
sepal_base64(hash ${hash})
file(WRITE ${SOURCE}.new "// Made by cmake/SepalCharts.cmake.
#include \"sepal/report/assets.h\"

#pragma GCC diagnostic ignored \"-Woverlength-strings\"
namespace sepal::report {
const Asset ${NAME} = {R\"sepal(${text})sepal\", \"${hash}\"};
}  // namespace sepal::report
")
file(RENAME ${SOURCE}.new ${SOURCE})
