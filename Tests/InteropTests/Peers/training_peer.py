"""Trains in real Keras: training_peer.py JOBS ANSWERS

A job with "optimizer" makes a network, and keeps it in the folder "file" as it is at the start, half way and, its weights
alone, at the end of the training. A job without goes on with the network in "file", which somebody else has trained half
way, and answers how far its weights are from those in "outputs" at the end. "inputs" has the rows x and y.
"""

import json
import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import peer

import h5py
import keras
import numpy as np
from keras.src.legacy.saving import legacy_h5_format, saving_utils

EPOCHS = 3
BATCH = 16
OPTIMIZERS = {
    "sgd": lambda kinds: kinds.SGD(0.05),
    "momentum": lambda kinds: kinds.SGD(0.02, momentum=0.9, nesterov=True, weight_decay=0.01),
    "rmsprop": lambda kinds: kinds.RMSprop(0.002, momentum=0.5, centered=True),
    "adam": lambda kinds: kinds.Adam(0.003, clipnorm=0.5),
    "amsgrad": lambda kinds: kinds.Adam(0.003, amsgrad=True),
    "adamw": lambda kinds: kinds.AdamW(0.003, weight_decay=0.05),
    "adamax": lambda kinds: kinds.Adamax(0.003),
    "nadam": lambda kinds: kinds.Nadam(0.003),
    "adagrad": lambda kinds: kinds.Adagrad(0.02),
    "adadelta": lambda kinds: kinds.Adadelta(0.5),
    "lion": lambda kinds: kinds.Lion(0.001),
    "ftrl": lambda kinds: kinds.Ftrl(0.05),
    "scheduled": lambda kinds: kinds.Adam(kinds.schedules.CosineDecay(0.001, 20, warmup_target=0.01, warmup_steps=6)),
}


def fit(model, rows):
    return model.fit(rows["x"], rows["y"], batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0).history["loss"]


def begin(job, rows):
    keras.utils.set_random_seed(11)
    model = keras.Sequential([
        keras.Input((6,), name="x"),
        keras.layers.Dense(8, activation="tanh", kernel_regularizer="l2"),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.Dense(3, activation="softmax"),
    ])
    model.compile(
        optimizer=OPTIMIZERS[job["optimizer"]](keras.optimizers), loss="sparse_categorical_crossentropy",
        metrics=["accuracy"])
    folder = job["file"]
    model.save(f"{folder}/start.keras")
    fit(model, rows)
    model.save(f"{folder}/half.keras")
    model.save(f"{folder}/half.h5")
    fit(model, rows)
    np.savez(f"{folder}/whole.npz", **{str(index): value for index, value in enumerate(model.get_weights())})
    return {"differences": []}


def load(path):
    """The compiled model of a file. Keras 3 builds the optimizer of an .h5 file for no variables, so that it cannot go on even
    with its own files; its variables are set as the loader means to."""
    model = keras.models.load_model(path)
    if not model.optimizer._trainable_variables:
        with h5py.File(path) as file:
            settings = json.loads(file.attrs["training_config"])
            values = [np.array(value) for value in legacy_h5_format.load_optimizer_weights_from_hdf5_group(file)]
        model.compile(**saving_utils.compile_args_from_training_config(settings))
        model.optimizer.build(model.trainable_variables)
        if len(values) != len(model.optimizer.variables):
            raise ValueError(f"the file has {len(values)} optimizer variables, not {len(model.optimizer.variables)}")
        for variable, value in zip(model.optimizer.variables, values):
            variable.assign(value)
    return model


def go_on(job, rows):
    model = load(job["file"])
    steps = EPOCHS * -(-len(rows["y"]) // BATCH)
    if int(model.optimizer.iterations) != steps:
        raise ValueError(f"the optimizer has made {int(model.optimizer.iterations)} steps, not {steps}")
    before = model.evaluate(rows["x"], rows["y"], verbose=0)[0]
    losses = fit(model, rows)
    if not losses[-1] < before * 1.05:
        raise ValueError(f"the loss rose from {before} to {losses[-1]}")
    return {"differences": peer.differences(model.get_weights(), peer.arrays(job["outputs"]))}


def work(job):
    keras.backend.clear_session()
    rows = peer.arrays(job["inputs"])
    return begin(job, rows) if "optimizer" in job else go_on(job, rows)


peer.main(work)
