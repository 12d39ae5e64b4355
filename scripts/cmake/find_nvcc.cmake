# Enables CUDA where nvcc is found and works, and sets MNIST_CUDA_ARCHITECTURES to what the kernel is
# compiled for; to nothing where there is no nvcc.
#
# The program needs a driver only when it is asked for a GPU: CUDA's runtime is linked in and looks
# for the driver itself.

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
    # CMake knows nvcc's C++20 only from 3.26 on.
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    # CMake's own way of linking CUDA's runtime wants more of the toolkit than is needed here.
    set(CMAKE_CUDA_RUNTIME_LIBRARY None)
    find_library(MNIST_CUDA_RUNTIME cudart_static HINTS "${CMAKE_CUDA_COMPILER_TOOLKIT_ROOT}"
      PATHS /usr/local/cuda PATH_SUFFIXES lib64 lib targets/${CMAKE_SYSTEM_PROCESSOR}-linux/lib)
    # A100; H100 and H200; RTX 50. The last one's code also serves what comes after it.
    if(NOT MNIST_CUDA_RUNTIME)
      message(STATUS "nvcc has no libcudart_static.a beside it")
    elseif(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 12.8)
      set(MNIST_CUDA_ARCHITECTURES 80-real 90-real 120)
    elseif(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 12.0)
      set(MNIST_CUDA_ARCHITECTURES 80-real 90)
    else()
      message(STATUS "nvcc ${CMAKE_CUDA_COMPILER_VERSION} is older than 12.0")
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
  message(STATUS "CUDA kernel: left out")
endif()
