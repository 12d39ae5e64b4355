/* A network trained with mnist-trainer, as a C99 header: {{shape}}, {{precision}} weights.
 *
 *   float pixels[MNIST_INPUTS];            row-major, 0 (background) to 1
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
#define MNIST_MAX_WIDTH {{max_width}}

static const char* const mnist_class_names[MNIST_CLASSES] = {{class_names}};

{{weights}}
/* outputs = scales * (weights * inputs) + biases. weights: [outputs, inputs], row-major; scales: one
 * per output, or null. */
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

/* Computes the probability of each class; returns the index of the most probable one. */
static inline int mnist_predict(const float pixels[MNIST_INPUTS], float probabilities[MNIST_CLASSES]) {
  float even[MNIST_MAX_WIDTH], odd[MNIST_MAX_WIDTH]; /* activations of alternate layers */
  (void)even;
  (void)odd;
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
