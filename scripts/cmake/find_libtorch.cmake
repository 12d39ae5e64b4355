# Finds LibTorch and defines the target LibTorch::LibTorch.
#
# Looked for in CMAKE_PREFIX_PATH, then in the torch package of .venv, then in that of python3.
# LibTorch's own TorchConfig.cmake is not used: with a CUDA build it stops unless the whole CUDA
# toolkit is installed, though programs that call no CUDA function themselves need none of it.

set(MNIST_LIBTORCH_MINIMUM 2.4)

# Sets `result` to the folder of the torch package that `python` can import, or to nothing.
function(mnist_torch_of_python python result)
  set(${result} "" PARENT_SCOPE)
  execute_process(
    COMMAND ${python} -c
      "import importlib.util as u; s = u.find_spec('torch'); print(list(s.submodule_search_locations)[0] if s else '')"
    OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(folder)
    set(${result} "${folder}" PARENT_SCOPE)
  endif()
endfunction()

# The folder that has include/torch and lib/libtorch.so.
function(mnist_find_torch_folder result)
  set(candidates)
  set(prefixes ${CMAKE_PREFIX_PATH})
  if(DEFINED ENV{CMAKE_PREFIX_PATH})
    string(REPLACE ":" ";" from_environment "$ENV{CMAKE_PREFIX_PATH}")
    list(APPEND prefixes ${from_environment})
  endif()
  foreach(prefix IN LISTS prefixes)
    # torch.utils.cmake_prefix_path is <torch>/share/cmake; an unpacked LibTorch is the folder itself.
    list(APPEND candidates "${prefix}" "${prefix}/../..")
  endforeach()
  foreach(python "${PROJECT_SOURCE_DIR}/.venv/bin/python" python3)
    mnist_torch_of_python("${python}" folder)
    if(folder)
      list(APPEND candidates "${folder}")
    endif()
  endforeach()
  foreach(candidate IN LISTS candidates)
    if(EXISTS "${candidate}/lib/libtorch.so" AND EXISTS "${candidate}/include/torch/script.h")
      get_filename_component(folder "${candidate}" REALPATH)
      set(${result} "${folder}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  set(${result} "" PARENT_SCOPE)
endfunction()

mnist_find_torch_folder(MNIST_LIBTORCH_FOLDER)
if(NOT MNIST_LIBTORCH_FOLDER)
  message(FATAL_ERROR
    "LibTorch was not found in CMAKE_PREFIX_PATH, .venv or python3's packages. "
    "Run scripts/setup.sh, which installs it into .venv.")
endif()

set(version_header "${MNIST_LIBTORCH_FOLDER}/include/torch/headeronly/version.h")
if(NOT EXISTS "${version_header}")  # its place before LibTorch 2.10
  set(version_header "${MNIST_LIBTORCH_FOLDER}/include/torch/csrc/api/include/torch/version.h")
endif()
file(STRINGS "${version_header}" version_line REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
string(REGEX REPLACE "[^0-9;]" "" version_numbers "${version_line}")
string(REPLACE ";" "." MNIST_LIBTORCH_VERSION "${version_numbers}")
if(MNIST_LIBTORCH_VERSION VERSION_LESS MNIST_LIBTORCH_MINIMUM)
  message(FATAL_ERROR
    "LibTorch ${MNIST_LIBTORCH_VERSION} in ${MNIST_LIBTORCH_FOLDER} is too old: at least "
    "${MNIST_LIBTORCH_MINIMUM} is needed. Run scripts/setup.sh, which installs a newer one into "
    ".venv, and leave this one out of CMAKE_PREFIX_PATH.")
endif()

add_library(LibTorch::LibTorch INTERFACE IMPORTED)
target_include_directories(LibTorch::LibTorch SYSTEM INTERFACE
  "${MNIST_LIBTORCH_FOLDER}/include" "${MNIST_LIBTORCH_FOLDER}/include/torch/csrc/api/include")
set(libtorch_libraries torch torch_cpu c10)
# LibTorch's libraries name others (libgomp, CUDA's) that lie beside them or come with the driver:
# they are the loader's business, not the linker's.
set(libtorch_link_options "LINKER:--allow-shlib-undefined")
if(EXISTS "${MNIST_LIBTORCH_FOLDER}/lib/libtorch_cuda.so")
  set(MNIST_LIBTORCH_CUDA TRUE)
  list(APPEND libtorch_libraries torch_cuda c10_cuda)
  # CUDA graphs: LibTorch's headers for them include CUDA's, which come with the package or nvcc.
  find_path(MNIST_CUDA_HEADERS cuda_runtime_api.h
    HINTS ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES} "${MNIST_LIBTORCH_FOLDER}/../nvidia/cu13/include"
      "${MNIST_LIBTORCH_FOLDER}/../nvidia/cuda_runtime/include"
    PATHS /usr/local/cuda/include)
  # Nothing of ours names a symbol of libtorch_cuda, yet loading it is what makes CUDA appear.
  list(APPEND libtorch_link_options "LINKER:--no-as-needed")
endif()
foreach(library IN LISTS libtorch_libraries)
  target_link_libraries(LibTorch::LibTorch INTERFACE
    "${MNIST_LIBTORCH_FOLDER}/lib/lib${library}.so")
endforeach()
target_link_options(LibTorch::LibTorch INTERFACE ${libtorch_link_options})

# Many builds before 2.6 have the old layout of std::string, which no system library shares.
set(torch_config "${MNIST_LIBTORCH_FOLDER}/share/cmake/Torch/TorchConfig.cmake")
if(EXISTS "${torch_config}")
  file(STRINGS "${torch_config}" old_abi REGEX "_GLIBCXX_USE_CXX11_ABI=0")
  if(old_abi)
    message(FATAL_ERROR
      "LibTorch in ${MNIST_LIBTORCH_FOLDER} was built with the old C++ ABI. Take a cxx11 ABI build, "
      "or run scripts/setup.sh, which installs one into .venv.")
  endif()
endif()
message(STATUS "LibTorch ${MNIST_LIBTORCH_VERSION}: ${MNIST_LIBTORCH_FOLDER}")
