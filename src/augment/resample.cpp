// SIMD resampling, compiled by Highway once for each instruction set.
#include "augment/resample.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "support/simd_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "augment/resample.cpp"
#include <hwy/foreach_target.h>
// clang-format off: foreach_target.h includes this file again and comes first.
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace mnist {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, 16>;
using Vector = hn::Vec<FloatTag>;

/// Packs each pixel with its right neighbor and the two below into one word of `squares`, so that
/// interpolation needs one gather instead of four. The first row and column precede the image's.
void pack_squares(const std::uint8_t* image, ResampleScratch& scratch) {
  const hn::RebindToUnsigned<FloatTag> du;
  const hn::Rebind<std::uint8_t, FloatTag> bytes;
  const std::size_t lanes = hn::Lanes(du);
  const std::size_t stride = scratch.columns + 2 + lanes;
  for (std::size_t y = 0; y < scratch.rows; ++y) {
    std::memcpy(scratch.padded.data() + (y + 1) * stride + 1, image + y * scratch.columns,
                scratch.columns);
  }
  const std::size_t width = scratch.columns + 1;
  for (std::size_t y = 0; y <= scratch.rows; ++y) {
    const std::uint8_t* const row = scratch.padded.data() + y * stride;
    for (std::size_t x = 0; x < width; x += lanes) {
      const auto load = [&](std::size_t offset) {
        return hn::PromoteTo(du, hn::LoadU(bytes, row + offset + x));
      };
      const auto top = hn::Or(load(0), hn::ShiftLeft<8>(load(1)));
      const auto bottom = hn::Or(load(stride), hn::ShiftLeft<8>(load(stride + 1)));
      // May write past the row: the next row overwrites that, and the last row has padding.
      hn::StoreU(hn::Or(top, hn::ShiftLeft<16>(bottom)), du,
                 scratch.squares.data() + y * width + x);
    }
  }
}

/// Interpolates each row of the grid at every column of the image: [grid_rows, padded columns].
void spread_columns(const SplineField& field, const std::vector<float>& points,
                    AlignedVector<float>& columns) {
  const FloatTag d;
  for (std::size_t i = 0; i < field.grid_rows; ++i) {
    for (std::size_t x = 0; x < field.padded_columns; x += hn::Lanes(d)) {
      Vector sum = hn::Zero(d);
      for (std::size_t j = 0; j < field.grid_columns; ++j) {
        const Vector weights = hn::Load(d, &field.column_weights[j * field.padded_columns + x]);
        sum = hn::MulAdd(hn::Set(d, points[i * field.grid_columns + j]), weights, sum);
      }
      hn::Store(sum, d, &columns[i * field.padded_columns + x]);
    }
  }
}

HWY_INLINE Vector displacement(const SplineField& field, const AlignedVector<float>& columns,
                               std::size_t y, std::size_t x) {
  const FloatTag d;
  Vector sum = hn::Zero(d);
  for (std::size_t i = 0; i < field.grid_rows; ++i) {
    const Vector weight = hn::Set(d, field.row_weights[y * field.grid_rows + i]);
    sum = hn::MulAdd(weight, hn::Load(d, &columns[i * field.padded_columns + x]), sum);
  }
  return sum;
}

/// Byte N of each word, as f32.
template <int N>
HWY_INLINE Vector corner(hn::Vec<hn::RebindToSigned<FloatTag>> square) {
  const FloatTag d;
  const hn::RebindToSigned<FloatTag> di;
  return hn::ConvertTo(d, hn::And(hn::ShiftRight<8 * N>(square), hn::Set(di, 255)));
}

/// Bilinear interpolation at the given source coordinates; f32, 0 to 255.
HWY_INLINE Vector interpolate(const ResampleScratch& scratch, Vector x, Vector y) {
  const FloatTag d;
  const hn::RebindToSigned<FloatTag> di;
  const Vector one = hn::Set(d, 1.0F);
  const auto columns = static_cast<float>(scratch.columns);
  const auto rows = static_cast<float>(scratch.rows);
  // `squares` starts one pixel before the image; at its clamped borders, all pixels are 0.
  x = hn::Clamp(hn::Add(x, one), hn::Zero(d), hn::Set(d, columns + 1));
  y = hn::Clamp(hn::Add(y, one), hn::Zero(d), hn::Set(d, rows + 1));
  const Vector left = hn::Min(hn::Floor(x), hn::Set(d, columns));
  const Vector top = hn::Min(hn::Floor(y), hn::Set(d, rows));
  const Vector right_fraction = hn::Sub(x, left);
  const Vector bottom_fraction = hn::Sub(y, top);
  const auto index = hn::ConvertTo(di, hn::MulAdd(top, hn::Set(d, columns + 1), left));
  const auto square =
      hn::GatherIndex(di, reinterpret_cast<const std::int32_t*>(scratch.squares.data()), index);
  const Vector top_left = corner<0>(square);
  const Vector bottom_left = corner<2>(square);
  const Vector upper = hn::MulAdd(right_fraction, hn::Sub(corner<1>(square), top_left), top_left);
  const Vector lower =
      hn::MulAdd(right_fraction, hn::Sub(corner<3>(square), bottom_left), bottom_left);
  return hn::MulAdd(bottom_fraction, hn::Sub(lower, upper), upper);
}

void resample(const std::uint8_t* image, const AffineMap& map, SplineField* field,
              std::uint8_t* distorted, ResampleScratch& scratch) {
  const FloatTag d;
  const hn::Rebind<std::uint8_t, FloatTag> bytes;
  pack_squares(image, scratch);
  if (field != nullptr) {
    spread_columns(*field, field->x, field->x_columns);
    spread_columns(*field, field->y, field->y_columns);
  }
  for (std::size_t row = 0; row < scratch.rows; ++row) {
    const auto y_target = static_cast<float>(row);
    for (std::size_t column = 0; column < scratch.columns; column += hn::Lanes(d)) {
      const Vector x_target = hn::Iota(d, static_cast<float>(column));
      Vector x = hn::MulAdd(x_target, hn::Set(d, map.xx), hn::Set(d, map.xy * y_target + map.x0));
      Vector y = hn::MulAdd(x_target, hn::Set(d, map.yx), hn::Set(d, map.yy * y_target + map.y0));
      if (field != nullptr) {
        x = hn::Add(x, displacement(*field, field->x_columns, row, column));
        y = hn::Add(y, displacement(*field, field->y_columns, row, column));
      }
      const auto value = hn::NearestInt(interpolate(scratch, x, y));
      hn::StoreU(hn::DemoteTo(bytes, value), bytes, scratch.row.data() + column);
    }
    std::memcpy(distorted + row * scratch.columns, scratch.row.data(), scratch.columns);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace mnist
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mnist {
namespace {

constexpr std::size_t kMaxLanes = 16;

/// The B-spline weights of `points` control points for each of `count` pixels along an axis:
/// [count, points]. The squares of a pixel's weights sum to 1, which preserves the variance.
std::vector<float> spline_weights(std::size_t count, double spacing, std::size_t points) {
  std::vector<float> weights;
  for (std::size_t pixel = 0; pixel < count; ++pixel) {
    std::vector<double> row(points);
    double squares = 0;
    for (std::size_t point = 0; point < points; ++point) {
      const double distance =
          std::abs(static_cast<double>(pixel) / spacing - (static_cast<double>(point) - 1));
      if (distance < 1) {
        row[point] = 2.0 / 3 - distance * distance * (1 - distance / 2);
      } else if (distance < 2) {
        row[point] = std::pow(2 - distance, 3) / 6;
      }
      squares += row[point] * row[point];
    }
    for (const double weight : row) {
      weights.push_back(static_cast<float>(weight / std::sqrt(squares)));
    }
  }
  return weights;
}

}  // namespace

HWY_EXPORT(resample);

SplineField::SplineField(std::size_t rows, std::size_t columns, double smoothness) {
  const double spacing = smoothness * std::sqrt(3.0);
  // A cubic B-spline spans four points: two on either side of a pixel's cell.
  const auto points_along = [&](std::size_t count) {
    return static_cast<std::size_t>(static_cast<double>(count - 1) / spacing) + 4;
  };
  grid_rows = points_along(rows);
  grid_columns = points_along(columns);
  padded_columns = round_up(columns, kMaxLanes);
  row_weights = spline_weights(rows, spacing, grid_rows);
  const std::vector<float> of_columns = spline_weights(columns, spacing, grid_columns);
  column_weights.resize(grid_columns * padded_columns);
  for (std::size_t i = 0; i < of_columns.size(); ++i) {
    column_weights[i % grid_columns * padded_columns + i / grid_columns] = of_columns[i];
  }
  x.resize(grid_rows * grid_columns);
  y.resize(grid_rows * grid_columns);
  x_columns.assign(grid_rows * padded_columns, 0.0F);
  y_columns.assign(grid_rows * padded_columns, 0.0F);
}

ResampleScratch::ResampleScratch(std::size_t image_rows, std::size_t image_columns)
    : rows(image_rows),
      columns(image_columns),
      padded((rows + 2) * (columns + 2 + kMaxLanes) + kMaxLanes),
      squares((rows + 1) * (columns + 1) + kMaxLanes),
      row(columns + kMaxLanes) {}

void resample(const std::uint8_t* image, const AffineMap& map, SplineField* field,
              std::uint8_t* distorted, ResampleScratch& scratch) {
  HWY_DYNAMIC_DISPATCH(resample)(image, map, field, distorted, scratch);
}

}  // namespace mnist
#endif  // HWY_ONCE
