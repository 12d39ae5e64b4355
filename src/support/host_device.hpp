// MNIST_HOST_DEVICE marks functions that CUDA device code calls as well.
#pragma once

#ifdef __CUDACC__
#define MNIST_HOST_DEVICE __host__ __device__
#else
#define MNIST_HOST_DEVICE
#endif
