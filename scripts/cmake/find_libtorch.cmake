# Finds LibTorch and defines the target LibTorch::LibTorch, for this project and for those that use
# the installed library.
#
# Searches CMAKE_PREFIX_PATH, then the torch package of MNIST_LIBTORCH_PYTHON (if set), then that of
# python3. Sets MNIST_LIBTORCH_DIR, MNIST_LIBTORCH_VERSION and, for a CUDA build of LibTorch,
# MNIST_LIBTORCH_CUDA.
#
# LibTorch's own TorchConfig.cmake is not used: that of a CUDA build fails unless the whole CUDA toolkit
# is installed, although programs that call no CUDA function themselves do not need it.

set(MNIST_LIBTORCH_MINIMUM 2.4)
if(NOT DEFINED MNIST_LIBTORCH_HINT)
  set(MNIST_LIBTORCH_HINT "Run scripts/setup.sh, which installs one into .venv.")
endif()

# Sets `result` to the directory of the torch package that `python` imports; empty if there is none.
function(mnist_torch_of_python python result)
  set(${result} "" PARENT_SCOPE)
  execute_process(
    COMMAND ${python} -c
      "import importlib.util as u; s = u.find_spec('torch'); print(list(s.submodule_search_locations)[0] if s else '')"
    OUTPUT_VARIABLE directory OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(directory)
    set(${result} "${directory}" PARENT_SCOPE)
  endif()
endfunction()

# Sets `result` to the directory that contains include/torch and lib/libtorch.so.
function(mnist_find_torch_directory result)
  set(candidates)
  set(prefixes ${CMAKE_PREFIX_PATH})
  if(DEFINED ENV{CMAKE_PREFIX_PATH})
    string(REPLACE ":" ";" from_environment "$ENV{CMAKE_PREFIX_PATH}")
    list(APPEND prefixes ${from_environment})
  endif()
  foreach(prefix IN LISTS prefixes)
    # torch.utils.cmake_prefix_path is <torch>/share/cmake; an unpacked LibTorch is a prefix itself.
    list(APPEND candidates "${prefix}" "${prefix}/../..")
  endforeach()
  foreach(python ${MNIST_LIBTORCH_PYTHON} python3)
    mnist_torch_of_python("${python}" directory)
    if(directory)
      list(APPEND candidates "${directory}")
    endif()
  endforeach()
  foreach(candidate IN LISTS candidates)
    if(EXISTS "${candidate}/lib/libtorch.so" AND EXISTS "${candidate}/include/torch/script.h")
      get_filename_component(directory "${candidate}" REALPATH)
      set(${result} "${directory}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  set(${result} "" PARENT_SCOPE)
endfunction()

mnist_find_torch_directory(MNIST_LIBTORCH_DIR)
if(NOT MNIST_LIBTORCH_DIR)
  string(JOIN " or " pythons ${MNIST_LIBTORCH_PYTHON} python3)
  message(FATAL_ERROR
    "LibTorch was not found in CMAKE_PREFIX_PATH, and ${pythons} has no torch package. "
    "${MNIST_LIBTORCH_HINT}")
endif()

set(version_header "${MNIST_LIBTORCH_DIR}/include/torch/headeronly/version.h")
if(NOT EXISTS "${version_header}")  # before LibTorch 2.10
  set(version_header "${MNIST_LIBTORCH_DIR}/include/torch/csrc/api/include/torch/version.h")
endif()
file(STRINGS "${version_header}" version_line REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
string(REGEX REPLACE "[^0-9;]" "" version_numbers "${version_line}")
string(REPLACE ";" "." MNIST_LIBTORCH_VERSION "${version_numbers}")
if(MNIST_LIBTORCH_VERSION VERSION_LESS MNIST_LIBTORCH_MINIMUM)
  message(FATAL_ERROR
    "LibTorch ${MNIST_LIBTORCH_VERSION} in ${MNIST_LIBTORCH_DIR} is too old: at least "
    "${MNIST_LIBTORCH_MINIMUM} is needed. ${MNIST_LIBTORCH_HINT} Remove this one from "
    "CMAKE_PREFIX_PATH.")
endif()

add_library(LibTorch::LibTorch INTERFACE IMPORTED)
target_include_directories(LibTorch::LibTorch SYSTEM INTERFACE
  "${MNIST_LIBTORCH_DIR}/include" "${MNIST_LIBTORCH_DIR}/include/torch/csrc/api/include")
set(libtorch_libraries torch torch_cpu c10)
# LibTorch's libraries need others (libgomp, CUDA's) that only the dynamic loader finds.
set(libtorch_link_options "LINKER:--allow-shlib-undefined")
if(EXISTS "${MNIST_LIBTORCH_DIR}/lib/libtorch_cuda.so")
  set(MNIST_LIBTORCH_CUDA TRUE)
  list(APPEND libtorch_libraries torch_cuda c10_cuda)
  # CUDA graphs: LibTorch's headers for them include CUDA's, which come with the package or nvcc. With
  # CUDA 13, pip has those in crt/ in a package of their own, on which torch does not depend.
  find_path(MNIST_CUDA_HEADERS crt/host_config.h
    HINTS ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES} "${MNIST_LIBTORCH_DIR}/../nvidia/cu13/include"
      "${MNIST_LIBTORCH_DIR}/../nvidia/cuda_runtime/include"
    PATHS /usr/local/cuda/include)
  if(NOT MNIST_CUDA_HEADERS)
    message(STATUS "CUDA graphs: not built; they need the CUDA toolkit or the Python package nvidia-cuda-crt")
  endif()
  # No program refers to a symbol of libtorch_cuda, but loading it is what registers CUDA.
  list(APPEND libtorch_link_options "LINKER:--no-as-needed")
endif()
# Before LibTorch: some of its builds (2.11 for CUDA) export std::filesystem functions of another libstdc++,
# which crash in programs that find them first.
target_link_libraries(LibTorch::LibTorch INTERFACE stdc++)
foreach(library IN LISTS libtorch_libraries)
  target_link_libraries(LibTorch::LibTorch INTERFACE
    "${MNIST_LIBTORCH_DIR}/lib/lib${library}.so")
endforeach()
target_link_options(LibTorch::LibTorch INTERFACE ${libtorch_link_options})

# Many builds before 2.6 use the old C++ ABI, which does not link with the system's libraries.
set(torch_config "${MNIST_LIBTORCH_DIR}/share/cmake/Torch/TorchConfig.cmake")
if(EXISTS "${torch_config}")
  file(STRINGS "${torch_config}" old_abi REGEX "_GLIBCXX_USE_CXX11_ABI=0")
  if(old_abi)
    message(FATAL_ERROR
      "LibTorch in ${MNIST_LIBTORCH_DIR} was built with the old C++ ABI; a cxx11 ABI build is "
      "needed. ${MNIST_LIBTORCH_HINT}")
  endif()
endif()
message(STATUS "LibTorch ${MNIST_LIBTORCH_VERSION}: ${MNIST_LIBTORCH_DIR}")
