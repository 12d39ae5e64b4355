/* A trained network of mnist-trainer as one C99 header: {{shape}}, weights in {{precision}}.
 *
 *   float pixels[MNIST_INPUTS];            row by row, 0 (background) to 1
 *   float probabilities[MNIST_CLASSES];
 *   int best = mnist_predict(pixels, probabilities);
 *   puts(mnist_class_names[best]);
 *
 * Link with -lm. {{accuracy}}
 */
#ifndef MNIST_MODEL_H
#define MNIST_MODEL_H

#include <math.h>

#define MNIST_INPUTS {{inputs}}
#define MNIST_CLASSES {{classes}}
#define MNIST_WIDEST {{widest}}

static const char* const mnist_class_names[MNIST_CLASSES] = {{class_names}};

{{weights}}
/* outputs[unit] = scales[unit] * sum over k of weights[unit][k] * inputs[k], plus biases[unit] */
static inline void mnist_linear(const {{type}}* weights, const float* scales, const float* biases, int outputs_count,
                                int inputs_count, const float* inputs, float* outputs) {
  for (int unit = 0; unit < outputs_count; ++unit) {
    float sum = 0.0f;
    for (int k = 0; k < inputs_count; ++k) sum += (float)weights[unit * inputs_count + k] * inputs[k];
    outputs[unit] = (scales ? scales[unit] * sum : sum) + biases[unit];
  }
}

static inline void mnist_activate(float* values, int count) {
  for (int i = 0; i < count; ++i) values[i] = {{activation}};
}

/* Writes the probability of each class and returns the most probable one. */
static inline int mnist_predict(const float pixels[MNIST_INPUTS], float probabilities[MNIST_CLASSES]) {
  float odd[MNIST_WIDEST], even[MNIST_WIDEST];
  (void)odd;
  (void)even;
{{layers}}
  int best = 0;
  for (int k = 1; k < MNIST_CLASSES; ++k) {
    if (probabilities[k] > probabilities[best]) best = k;
  }
  float largest = probabilities[best], sum = 0.0f;
  for (int k = 0; k < MNIST_CLASSES; ++k) sum += probabilities[k] = expf(probabilities[k] - largest);
  for (int k = 0; k < MNIST_CLASSES; ++k) probabilities[k] /= sum;
  return best;
}

#endif
