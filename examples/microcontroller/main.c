// Classifies images on a Cortex-M3, or on any computer with a C compiler.
//
// model.h is written by: mnist-export --model model.pt --to c --precision int8
// Reads images from the file "images", one byte for each of their MNIST_INPUTS pixels, row by row, as in an IDX file
// behind its header of 16 bytes. Prints the most probable class of each. On the emulated board, semihosting passes
// file operations on to the host; on a real one, replace them by what delivers the images.
#include <stdio.h>

#include "model.h"

int main(void) {
  FILE* file = fopen("images", "rb");
  if (file == NULL) {
    fputs("images: cannot be opened\n", stderr);
    return 1;
  }
  unsigned char image[MNIST_INPUTS];
  while (fread(image, 1, MNIST_INPUTS, file) == MNIST_INPUTS) {
    float pixels[MNIST_INPUTS], probabilities[MNIST_CLASSES];
    for (int i = 0; i < MNIST_INPUTS; ++i) pixels[i] = (float)image[i] / 255.0f;
    printf("%d\n", mnist_predict(pixels, probabilities));
  }
  fclose(file);
  return 0;
}
