// A CUDA device as the engine sees it: memory, and a kernel that trains. Nothing of CUDA's own is
// needed to include this.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/cuda/plan.hpp"
#include "engine/cuda/preparation.hpp"

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
  /// Waits for everything that was begun before.
  virtual void download(void* to, const void* from, std::size_t bytes) = 0;
  /// Begins to draw masks and to distort images.
  virtual void prepare(const CudaPreparation& preparation) = 0;
  /// Begins to train; `plan` must have been made for limits().
  virtual void train(const CudaPlan& plan, const CudaSteps& steps) = 0;
};

/// An array in the memory of a device, which must outlive it.
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
        room_(std::exchange(other.room_, 0)) {}
  CudaArray(const CudaArray&) = delete;
  CudaArray& operator=(const CudaArray&) = delete;

  Value* data() const { return data_; }

  /// Makes room for `count` values; what was there is lost when there was less room.
  void reserve(std::size_t count) {
    if (count <= room_) return;
    device_->release(std::exchange(data_, nullptr));
    room_ = 0;
    data_ = static_cast<Value*>(device_->allocate(count * sizeof(Value)));
    room_ = count;
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
  std::size_t room_ = 0;
};

/// What this program can do with CUDA on this machine.
struct CudaPresence {
  int devices = 0;
  std::string reason;  ///< why there are none
};

/// Looks for devices, without touching them.
CudaPresence find_cuda_devices();

/// Opens device `number`, below find_cuda_devices().devices. Throws CudaUnsupported when it is too
/// old, the program has no code for it, or it cannot be opened.
std::unique_ptr<CudaDevice> open_cuda_device(int number);

}  // namespace mnist
