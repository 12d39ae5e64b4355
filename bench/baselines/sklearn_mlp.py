"""scikit-learn's MLPClassifier, one epoch per partial_fit(): unlike fit() with a warm start, that keeps Adam's
moments from one epoch to the next.

Not equal: epsilon is added before the bias of the second moment is corrected."""

import numpy as np
from common import EpochTimer, load, parse_arguments, print_accuracy
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits


def main():
    arguments = parse_arguments()
    images, labels = load(arguments.data)
    model = MLPClassifier(tuple(arguments.widths[1:-1]), batch_size=arguments.batch, alpha=0,
                          learning_rate_init=0.001)
    with threadpool_limits(arguments.threads):
        for _ in range(arguments.epochs):
            with EpochTimer() as timer:
                model.partial_fit(images, labels, classes=np.arange(10))
                timer.loss = model.loss_
    print_accuracy(arguments.data, model.predict)


if __name__ == "__main__":
    main()
