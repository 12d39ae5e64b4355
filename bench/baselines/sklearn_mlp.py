"""scikit-learn's MLPClassifier, one epoch per fit() with a warm start."""

import warnings

from common import EpochTimer, parse_arguments, training_set
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits


def main():
    arguments = parse_arguments()
    warnings.simplefilter("ignore", ConvergenceWarning)
    images, labels = training_set(arguments.data)
    images = (images / 255).astype("float32")
    model = MLPClassifier(tuple(arguments.widths[1:-1]), batch_size=arguments.batch, alpha=0,
                          learning_rate_init=0.001, max_iter=1, warm_start=True)
    with threadpool_limits(arguments.threads):
        for _ in range(arguments.epochs):
            with EpochTimer() as timer:
                model.fit(images, labels)
                timer.loss = model.loss_


if __name__ == "__main__":
    main()
