// A CUDA device's memory and kernels behind an interface that needs no CUDA headers, so that tests
// can emulate the device.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/cuda/plan.hpp"

namespace mnist {

/// One CUDA device. Every function throws Error with the device's name, what it was doing and
/// CUDA's own message when the device fails.
class CudaDevice {
 public:
  CudaDevice() = default;
  virtual ~CudaDevice() = default;
  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;

  virtual std::string name() const = 0;
  virtual CudaLimits limits() const = 0;
  /// Throws CudaUnsupported when the kernel cannot be launched with `plan`.
  virtual void check_fits(const CudaPlan& plan) = 0;
  /// Throws CudaUnsupported when memory is not enough.
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* memory) noexcept = 0;
  virtual void upload(void* to, const void* from, std::size_t bytes) = 0;
  /// Waits for everything that was launched before.
  virtual void download(void* to, const void* from, std::size_t bytes) = 0;
  /// Launches the kernels that draw masks and augment images; does not wait for them.
  virtual void prepare(const CudaPreparationArgs& args) = 0;
  /// Launches the training kernel; does not wait for it. `plan` must have been made for limits().
  virtual void train(const CudaPlan& plan, const CudaTrainArgs& args) = 0;
};

/// An array in device memory. The device must outlive it.
template <class Value>
class CudaArray {
 public:
  explicit CudaArray(CudaDevice& device) : device_(&device) {}
  CudaArray(CudaDevice& device, std::span<const Value> values) : CudaArray(device) {
    upload(values);
  }
  ~CudaArray() { device_->release(data_); }
  CudaArray(CudaArray&& other) noexcept
      : device_(other.device_),
        data_(std::exchange(other.data_, nullptr)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  CudaArray(const CudaArray&) = delete;
  CudaArray& operator=(const CudaArray&) = delete;

  Value* data() const { return data_; }

  /// Grows the capacity to at least `count` values; the values are lost when it grows.
  void reserve(std::size_t count) {
    if (count <= capacity_) return;
    device_->release(std::exchange(data_, nullptr));
    capacity_ = 0;
    data_ = static_cast<Value*>(device_->allocate(count * sizeof(Value)));
    capacity_ = count;
  }
  void upload(std::span<const Value> values) {
    reserve(values.size());
    device_->upload(data_, values.data(), values.size_bytes());
  }
  std::vector<Value> download(std::size_t count) const {
    std::vector<Value> values(count);
    device_->download(values.data(), data_, count * sizeof(Value));
    return values;
  }

 private:
  CudaDevice* device_;
  Value* data_ = nullptr;
  std::size_t capacity_ = 0;
};

struct CudaPresence {
  int devices = 0;
  std::string reason;  ///< why there are none
};

/// Counts devices without opening them.
CudaPresence find_cuda_devices();

/// Opens device `number`, below find_cuda_devices().devices. Throws CudaUnsupported when it is too
/// old, the program has no code for it, or it cannot be opened.
std::unique_ptr<CudaDevice> open_cuda_device(int number);

}  // namespace mnist
