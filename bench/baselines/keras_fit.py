"""Keras with the TensorFlow backend: Model.fit with XLA (jit_compile=True) and a whole epoch of steps per
execution.

Not equal: XLA compiles the step, not the loop around it; tf.data shuffles and gathers the minibatches; and
epsilon is added before the bias of the second moment is corrected."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402
from common import EpochTimer, load, parse_arguments, print_accuracy  # noqa: E402


class PrintEpochs(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.timer = EpochTimer().__enter__()

    def on_epoch_end(self, epoch, logs=None):
        self.timer.loss = float(logs["loss"])
        self.timer.__exit__(None)


def main():
    arguments = parse_arguments()
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tf.config.threading.set_inter_op_parallelism_threads(arguments.threads)
    images, labels = load(arguments.data)
    model = keras.Sequential([keras.Input((784,))])
    for outputs in arguments.widths[1:-1]:
        model.add(keras.layers.Dense(outputs, activation="relu"))
    model.add(keras.layers.Dense(10))
    model.compile(optimizer=keras.optimizers.Adam(0.001, epsilon=1e-8), jit_compile=True,
                  loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                  steps_per_execution=len(labels) // arguments.batch)
    model.fit(images, labels, batch_size=arguments.batch, epochs=arguments.epochs, shuffle=True, verbose=0,
              callbacks=[PrintEpochs()])
    print_accuracy(arguments.data, lambda images: model.predict(images, verbose=0).argmax(1))


if __name__ == "__main__":
    main()
