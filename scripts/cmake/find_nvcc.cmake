# Finds nvcc and sets MNIST_CUDA_ARCHITECTURES to the architectures that the CUDA kernel is compiled
# for; to nothing where there is no usable nvcc.
#
# The programs need a driver only when they use a GPU: they link the CUDA runtime statically, and it
# loads the driver itself.

set(MNIST_CUDA_ONLY "" CACHE STRING
  "The only architecture to compile the CUDA kernel for, to save time; all if empty")
set(MNIST_CUDA_ARCHITECTURES)
if(MNIST_WITH_CUDA)
  find_program(MNIST_NVCC nvcc PATHS /usr/local/cuda/bin)
  if(MNIST_NVCC AND NOT DEFINED CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
    set(ENV{CUDACXX} "${MNIST_NVCC}")
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    enable_language(CUDA)
    # CMake before 3.26 does not know that nvcc supports C++20.
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    # CMake's own way of linking the CUDA runtime needs more of the toolkit than we do.
    set(CMAKE_CUDA_RUNTIME_LIBRARY None)
    find_library(MNIST_CUDA_RUNTIME cudart_static HINTS "${CMAKE_CUDA_COMPILER_TOOLKIT_ROOT}"
      PATHS /usr/local/cuda PATH_SUFFIXES lib64 lib targets/${CMAKE_SYSTEM_PROCESSOR}-linux/lib)
    if(NOT MNIST_CUDA_RUNTIME)
      message(STATUS "libcudart_static.a was not found next to nvcc")
    elseif(CMAKE_CUDA_COMPILER_VERSION VERSION_LESS 12.0)
      message(STATUS "nvcc ${CMAKE_CUDA_COMPILER_VERSION} is too old; 12.0 or newer is needed")
    else()
      # A100; H100 and H200, whose PTX the driver compiles for every newer GPU not listed here.
      set(MNIST_CUDA_ARCHITECTURES 80-real 90)
      if(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 12.8)
        list(APPEND MNIST_CUDA_ARCHITECTURES 100-real 120-real)  # B200; RTX 50
      endif()
      if(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 12.9)
        list(APPEND MNIST_CUDA_ARCHITECTURES 103-real)  # B300
      endif()
      if(MNIST_CUDA_ONLY)
        set(MNIST_CUDA_ARCHITECTURES ${MNIST_CUDA_ONLY})
      endif()
    endif()
  endif()
endif()
if(MNIST_CUDA_ARCHITECTURES)
  message(STATUS "CUDA kernel: nvcc ${CMAKE_CUDA_COMPILER_VERSION}, architectures "
                 "${MNIST_CUDA_ARCHITECTURES}")
  if(CCACHE)
    set(CMAKE_CUDA_COMPILER_LAUNCHER "${CCACHE}")
  endif()
else()
  message(STATUS "CUDA kernel: not built")
endif()
