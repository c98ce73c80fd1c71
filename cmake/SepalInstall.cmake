# The installed tree: library, public headers, tool, CMake package, pkg-config file. Users need the headers
# of none of our dependencies, so the package names libraries to link, not packages to find.
include(CMakePackageConfigHelpers)

# sepal_library_names(OUT TARGETS...): what the linker calls these targets.
function(sepal_library_names out)
  set(names)
  foreach(target IN LISTS ARGN)
    if(target STREQUAL Threads::Threads)
      continue()  # find_dependency in the package, -pthread for pkg-config
    elseif(target STREQUAL fmt::fmt)
      list(APPEND names fmt)
    elseif(target STREQUAL hwy::hwy)
      list(APPEND names hwy)
    elseif(target STREQUAL JPEG::JPEG)
      list(APPEND names jpeg)
    elseif(target STREQUAL PkgConfig::spng)
      list(APPEND names spng)
    elseif(target STREQUAL PkgConfig::exif)
      list(APPEND names exif)
    elseif(target STREQUAL ZLIB::ZLIB)
      list(APPEND names z)
    elseif(NOT target STREQUAL nlohmann_json::nlohmann_json)  # headers only
      message(FATAL_ERROR "say in cmake/SepalInstall.cmake what the linker calls ${target}")
    endif()
  endforeach()
  set(${out} ${names} PARENT_SCOPE)
endfunction()

# sepal_install(): installs libsepal and all that belongs to it. Called at the top of the project.
function(sepal_install)
  get_target_property(links sepal SEPAL_LINKS)
  sepal_library_names(names ${links})
  set(package ${CMAKE_INSTALL_LIBDIR}/cmake/sepal)
  set(SEPAL_PC_PRIVATE -pthread)
  if(NOT BUILD_SHARED_LIBS)
    foreach(name Threads::Threads ${names})
      target_link_libraries(sepal INTERFACE $<INSTALL_INTERFACE:$<LINK_ONLY:${name}>>)
    endforeach()
    list(TRANSFORM names PREPEND -l OUTPUT_VARIABLE flags)
    list(APPEND SEPAL_PC_PRIVATE ${flags})
  endif()
  list(JOIN SEPAL_PC_PRIVATE " " SEPAL_PC_PRIVATE)
  file(RELATIVE_PATH SEPAL_PC_TO_PREFIX
       /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
  string(REGEX REPLACE "/$" "" SEPAL_PC_TO_PREFIX "${SEPAL_PC_TO_PREFIX}")

  configure_file(cmake/sepal.pc.in generated/sepal.pc @ONLY)
  configure_package_config_file(cmake/sepal-config.cmake.in generated/sepal-config.cmake INSTALL_DESTINATION ${package})
  # Before 1.0 a minor version may change the interface.
  write_basic_package_version_file(generated/sepal-config-version.cmake COMPATIBILITY SameMinorVersion)

  install(TARGETS sepal EXPORT sepal-targets FILE_SET HEADERS FILE_SET generated)
  install(EXPORT sepal-targets NAMESPACE sepal:: DESTINATION ${package})
  install(FILES ${PROJECT_BINARY_DIR}/generated/sepal-config.cmake ${PROJECT_BINARY_DIR}/generated/sepal-config-version.cmake
          DESTINATION ${package})
  install(FILES ${PROJECT_BINARY_DIR}/generated/sepal.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
  install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/sepal)
  if(TARGET sepal_cli)
    install(TARGETS sepal_cli)
  endif()
endfunction()
