// A CUDA device's memory and kernels behind an interface that needs no CUDA headers, so that tests
// can emulate the device.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/cuda/plan.hpp"
#include "mnist/support/error.hpp"

namespace mnist {

/// One CUDA device. Every function throws Error with the device's name, what it was doing and
/// CUDA's own message when the device fails, or says what is missing.
class CudaDevice {
 public:
  CudaDevice() = default;
  virtual ~CudaDevice() = default;
  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;

  virtual std::string name() const = 0;
  virtual CudaLimits limits() const = 0;
  /// Throws when the kernel cannot be launched with `plan`.
  virtual void check_fits(const CudaPlan& plan) = 0;
  /// Device memory, freed with the last copy of the pointer.
  virtual std::shared_ptr<void> allocate(std::size_t bytes) = 0;
  /// To or from the device; waits for everything that was launched before.
  virtual void copy(void* to, const void* from, std::size_t bytes) = 0;
  /// Launches the kernels that augment images, if `args` ask for that, and train; does not wait for
  /// them. `plan` must have been made for limits().
  virtual void train(const CudaPlan& plan, const CudaArgs& args) = 0;
};

/// An array in device memory. The device must outlive it.
template <class Value>
class CudaArray {
 public:
  explicit CudaArray(CudaDevice& device) : device_(device) {}

  /// Ensures space for at least `count` values; the old values are lost when the array grows.
  Value* reserve(std::size_t count) {
    if (count > capacity_) {
      memory_.reset();  // first, so that the device never holds both
      capacity_ = 0;
      memory_ = device_.allocate(count * sizeof(Value));
      capacity_ = count;
    }
    return data();
  }
  Value* upload(std::span<const Value> values) {
    device_.copy(reserve(values.size()), values.data(), values.size_bytes());
    return data();
  }
  std::vector<Value> download(std::size_t count) const {
    std::vector<Value> values(count);
    device_.copy(values.data(), memory_.get(), count * sizeof(Value));
    return values;
  }

 private:
  Value* data() const { return static_cast<Value*>(memory_.get()); }

  CudaDevice& device_;
  std::shared_ptr<void> memory_;
  std::size_t capacity_ = 0;
};

struct CudaPresence {
  int devices = 0;
  std::string reason;  ///< why there are none
};

/// Counts devices without opening them.
CudaPresence find_cuda_devices();

/// Opens device `number`, below find_cuda_devices().devices. Throws Error when it is too old, the
/// program has no code for it, or it cannot be opened.
std::unique_ptr<CudaDevice> open_cuda_device(int number);

}  // namespace mnist
