// Aligned vectors: for SIMD, and for threads that must not share cache lines.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <vector>

namespace mnist {

/// In bytes: two cache lines, because CPUs prefetch them in pairs.
inline constexpr std::size_t kAlignment = 128;

/// The quotient, rounded up; neither may be negative.
template <class Integer>
constexpr Integer divide_up(Integer dividend, std::type_identity_t<Integer> divisor) {
  return (dividend + divisor - 1) / divisor;
}

/// The smallest multiple of `multiple` that is at least `value`; neither may be negative.
template <class Integer>
constexpr Integer round_up(Integer value, std::type_identity_t<Integer> multiple) {
  return divide_up(value, multiple) * multiple;
}

/// Aligns the start of each allocation, and pads its end, to a multiple of kAlignment.
template <class T>
struct AlignedAllocator {
  using value_type = T;

  AlignedAllocator() = default;
  template <class Other>
  AlignedAllocator(const AlignedAllocator<Other>&) {}  // NOLINT(google-explicit-constructor)

  T* allocate(std::size_t count) {
    const std::size_t bytes = round_up(count * sizeof(T), kAlignment);
    return static_cast<T*>(::operator new(bytes, std::align_val_t{kAlignment}));
  }
  void deallocate(T* memory, std::size_t) {
    ::operator delete(memory, std::align_val_t{kAlignment});
  }

  bool operator==(const AlignedAllocator&) const { return true; }
};

template <class T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

}  // namespace mnist
