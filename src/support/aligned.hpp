// Memory for vector instructions and for threads that must not share cache lines.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>
#include <type_traits>
#include <vector>

namespace mnist {

/// Two cache lines: processors fetch them in pairs.
inline constexpr std::size_t kAlignment = 128;

/// The next multiple of `multiple` from `value` on.
template <class Integer>
constexpr Integer round_up(Integer value, std::type_identity_t<Integer> multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// An allocator of memory that begins, and is filled up, at multiples of kAlignment.
template <class T>
struct AlignedAllocator {
  using value_type = T;

  AlignedAllocator() = default;
  template <class Other>
  AlignedAllocator(const AlignedAllocator<Other>&) {}  // NOLINT(google-explicit-constructor)

  T* allocate(std::size_t count) {
    void* const memory = std::aligned_alloc(kAlignment, round_up(count * sizeof(T), kAlignment));
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t) { std::free(memory); }

  bool operator==(const AlignedAllocator&) const { return true; }
};

template <class T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

}  // namespace mnist
