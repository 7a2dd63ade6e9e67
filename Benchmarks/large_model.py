"""Writes a Keras HDF5 model of any size, one layer at a time: large_model.py OUT.h5 [UNITS LAYERS]. Needs: h5py, numpy.

The default, 12 layers of 8192 units, takes 3.2 GB. Keras opens the file as a model that was saved with model.save("x.h5").
"""
import json
import sys

import h5py
import numpy as np


def layer(class_name, **configuration):
    return {"module": "keras.layers", "class_name": class_name, "config": configuration, "registered_name": None}


def main(path, units=8192, count=12):
    names = [f"dense_{index}" for index in range(count)]
    layers = [layer("InputLayer", batch_shape=[None, units], dtype="float32", sparse=False, name="input")]
    layers += [
        layer("Dense", name=name, trainable=True, dtype="float32", units=units, activation="relu", use_bias=True)
        for name in names
    ]
    model = {"module": "keras", "class_name": "Sequential", "registered_name": None,
             "config": {"name": "large", "trainable": True, "dtype": "float32", "layers": layers}}
    numbers = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file.attrs["backend"], file.attrs["keras_version"] = "tensorflow", "3.15.1"
        file.attrs["model_config"] = json.dumps(model)
        weights = file.create_group("model_weights")
        weights.attrs["backend"], weights.attrs["keras_version"] = "tensorflow", "3.15.1"
        weights.attrs["layer_names"] = [name.encode() for name in names]
        for name in names:
            group = weights.create_group(name)
            stored = [f"large/{name}/kernel", f"large/{name}/bias"]
            group.attrs["weight_names"] = [name.encode() for name in stored]
            kernel = numbers.standard_normal((units, units), dtype=np.float32) / np.float32(units) ** 0.5
            group.create_dataset(stored[0], data=kernel)
            group.create_dataset(stored[1], data=np.zeros(units, np.float32))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
