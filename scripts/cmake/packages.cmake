# CPack: a .deb and a relocatable .tar.gz of the programs; docs/packages.md says what is in them.
#
# With MNIST_PACKAGE, the installed programs load their libraries from lib/mnist-trainer next to their
# directory, and two more components can be installed: libtorch, which both packages contain, and
# system_libraries, which only the .tar.gz contains, because the .deb depends on Debian's packages instead.

set(mnist_private_libraries lib/mnist-trainer)

# mnist_package_program(program): makes `program` look for its libraries there.
function(mnist_package_program program)
  set_target_properties(${program} PROPERTIES INSTALL_RPATH "$ORIGIN/../${mnist_private_libraries}")
  # RPATH, unlike RUNPATH, also finds the libraries of libraries, and LD_LIBRARY_PATH does not override it.
  target_link_options(${program} PRIVATE LINKER:--disable-new-dtags)
endfunction()

# mnist_install_libraries(): for the components above, the libraries that the programs of the
# RUNTIME_DEPENDENCY_SET mnist_libraries load.
function(mnist_install_libraries)
  if(MNIST_LIBTORCH_CUDA)
    message(FATAL_ERROR
      "Packages are made with a LibTorch without CUDA, but ${MNIST_LIBTORCH_DIR} has it. Set "
      "TORCH_INDEX_URL to PyTorch's index of CPU builds and run scripts/setup.sh without .venv.")
  endif()
  set(libtorch_folder "^${MNIST_LIBTORCH_DIR}/lib/")
  set(glibc "^(ld-linux.*|lib(c|m|dl|rt|pthread|mvec|util|resolv|anl))\\.so")
  install(RUNTIME_DEPENDENCY_SET mnist_libraries
    PRE_EXCLUDE_REGEXES "${glibc}" POST_INCLUDE_REGEXES "${libtorch_folder}" POST_EXCLUDE_REGEXES "."
    LIBRARY DESTINATION ${mnist_private_libraries} COMPONENT libtorch)
  install(RUNTIME_DEPENDENCY_SET mnist_libraries
    PRE_EXCLUDE_REGEXES "${glibc}" POST_EXCLUDE_REGEXES "${libtorch_folder}"
    LIBRARY DESTINATION ${mnist_private_libraries} COMPONENT system_libraries)
  foreach(package libfmt libgcc-s libhwy libpng16 libspdlog libstdc++ libtomlplusplus libturbojpeg zlib1g)
    file(GLOB license "/usr/share/doc/${package}[0-9.-]*/copyright" "/usr/share/doc/${package}/copyright")
    if(license)
      list(GET license 0 license)
      install(FILES "${license}" DESTINATION share/doc/mnist-trainer/licenses
        RENAME ${package} COMPONENT system_libraries)
    endif()
  endforeach()
endfunction()

# mnist_configure_packages(): CPack's configuration; the last command, because it includes CPack.
function(mnist_configure_packages)
  install(FILES LICENSE DESTINATION share/doc/mnist-trainer RENAME copyright COMPONENT libtorch)
  file(GLOB libtorch_licenses LIST_DIRECTORIES TRUE
    "${MNIST_LIBTORCH_DIR}/../torch-*.dist-info/licenses")
  if(NOT libtorch_licenses)
    message(FATAL_ERROR
      "The licenses of ${MNIST_LIBTORCH_DIR} were not found, and packages must contain them. Use the "
      "LibTorch that scripts/setup.sh installs.")
  endif()
  install(DIRECTORY "${libtorch_licenses}/"
    DESTINATION share/doc/mnist-trainer/libtorch COMPONENT libtorch)

  set(CPACK_PACKAGE_NAME mnist-trainer)
  set(CPACK_PACKAGE_CONTACT "the mnist-trainer developers")
  set(CPACK_PACKAGE_FILE_NAME "mnist-trainer-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR}")
  set(CPACK_STRIP_FILES ON)
  set(CPACK_VERBATIM_VARIABLES ON)
  set(CPACK_THREADS 0)
  # Chooses the components of each generator.
  set(CPACK_PROJECT_CONFIG_FILE "${PROJECT_SOURCE_DIR}/scripts/cmake/package_components.cmake")

  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_SECTION science)
  set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
  set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "ca-certificates, curl | wget | python3")  # for mnist-fetch
  set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
  include(CPack)
endfunction()
