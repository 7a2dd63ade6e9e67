"""Times `nnfmt train` beside Keras's `fit` on TensorFlow and prints the table of docs/BENCHMARKS.md.

training.py NNFMT [--rounds N] [--seconds S] [--models LIST] [--threads N]

In each round both train epochs of the same rows in the same order, one after the other. Both start from the same weights,
and their losses of the first epoch have to agree. The table has the medians of the rounds' rows a second; the first
epoch of each run does not count.
"""

import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["KERAS_BACKEND"] = "tensorflow"

import numpy as np

# Shape of a row, units of the layers, batch, rows of an epoch.
CELLS = {
    "digits": ((64,), (48, 24, 10), 32, 3200),
    "mnist": ((784,), (512, 256, 10), 32, 3200),
    "mnist-128": ((784,), (512, 256, 10), 128, 6400),
    "flowers": ((192, 192, 3), (500, 50, 5), 32, 96),
}


def network(shape, units):
    import keras

    keras.utils.set_random_seed(3)
    layers = [keras.Input(shape, name="x")]
    if len(shape) > 1:
        layers.append(keras.layers.Flatten())
    layers += [keras.layers.Dense(width, activation="relu") for width in units[:-1]]
    model = keras.Sequential([*layers, keras.layers.Dense(units[-1], activation="softmax")])
    model.compile(optimizer=keras.optimizers.Adam(1e-4), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Keras:
    title = "Keras"

    def __init__(self, model, rows, batch):
        self.model, self.rows, self.batch = model, rows, batch

    def epoch(self):
        start = time.perf_counter()
        history = self.model.fit(
            self.rows["x"], self.rows["y"], batch_size=self.batch, epochs=1, shuffle=False, verbose=0)
        return history.history["loss"][0], len(self.rows["y"]) / (time.perf_counter() - start)

    def run(self, least):
        figures, end = [self.epoch()], time.perf_counter() + least
        while len(figures) < 3 or time.perf_counter() < end:
            figures.append(self.epoch())
        return figures


class Nnfmt:
    title = "nnfmt"

    def __init__(self, program, folder, batch, threads):
        self.folder, self.epochs = folder, 3
        self.command = [
            program, "train", f"{folder}/start.keras", "--data", f"{folder}/rows.npz", "--batch", str(batch),
            "--no-shuffle", "--output", f"{folder}/out.keras", "--history", f"{folder}/history.json", "--quiet",
            "--threads", str(threads)]

    def run(self, least):
        subprocess.run([*self.command, "--epochs", str(self.epochs)], check=True)
        rows = json.loads(pathlib.Path(f"{self.folder}/history.json").read_text())["epochs"]
        mean = statistics.mean(row["seconds"] for row in rows)
        self.epochs = min(max(3, int(least / mean) + 1), 2000)
        return [(row["loss"], row["rows_per_s"]) for row in rows]


def cell(name, options, folder):
    """Rows a second of both in each round."""
    shape, units, batch, count = CELLS[name]
    random = np.random.default_rng(5)
    rows = {"x": random.random((count, *shape), dtype=np.float32), "y": random.integers(0, units[-1], count)}
    np.savez(folder / "rows.npz", **rows)
    model = network(shape, units)
    model.save(folder / "start.keras")
    engines = [Nnfmt(options.nnfmt, folder, batch, options.threads), Keras(model, rows, batch)]
    rates = {engine.title: [] for engine in engines}
    for number in range(options.rounds + 1):
        first = []
        for engine in engines:
            figures = engine.run(options.seconds)
            first.append(figures[0][0])
            # The first round sets lengths and warms up.
            if number > 0:
                rates[engine.title].append(statistics.median(rate for _, rate in figures[1:]))
        if number == 0 and not abs(first[0] - first[1]) <= 1e-3 * abs(first[1]):
            sys.exit(f"the losses of the first epoch of {name} differ: {first[0]} and {first[1]}")
    return rates


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("nnfmt")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--models", default=",".join(CELLS))
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(options.threads)
    tf.config.threading.set_inter_op_parallelism_threads(options.threads)
    print(f"{platform.machine()}, {options.threads} threads, float32, Adam, medians of {options.rounds} interleaved rounds\n")
    print("| network | batch | nnfmt, rows/s | Keras, rows/s | ratio | in the rounds |")
    print("|---|--:|--:|--:|--:|--:|")
    for name in options.models.split(","):
        # The trained models are large; memory holds them where there is a file system in it.
        with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as scratch:
            rates = cell(name, options, pathlib.Path(scratch))
        shape, units, batch, _ = CELLS[name]
        ratios = [own / other for own, other in zip(rates["nnfmt"], rates["Keras"])]
        own, other = (statistics.median(rates[title]) for title in ("nnfmt", "Keras"))
        sizes = "-".join(str(width) for width in ("x".join(map(str, shape)), *units))
        print(f"| {sizes} | {batch} | {own:,.0f} | {other:,.0f} | {own / other:.1f} | {min(ratios):.1f}–{max(ratios):.1f} |",
              flush=True)


main()
