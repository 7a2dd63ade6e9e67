"""Loads Keras files without custom objects and runs them: keras_peer.py keras|tf_keras JOBS ANSWERS

A job with an "architecture" loads its layers from there and the weights from its "file".
"""

import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import peer

import numpy as np

keras = __import__(sys.argv[1])


def load(job):
    if "architecture" not in job:
        return keras.models.load_model(job["file"], compile=False)
    model = keras.models.load_model(job["architecture"], compile=False)
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    model.load_weights(job["file"])
    return model


def work(job):
    keras.backend.clear_session()
    model = load(job)
    inputs = peer.arrays(job["inputs"])
    if isinstance(getattr(model, "_inputs_struct", None), dict):
        values = dict(zip(model._inputs_struct, peer.bind(inputs, list(model._inputs_struct))))
    else:
        names = [tensor.name.split(":")[0] for tensor in model.inputs] if model.inputs else list(inputs)
        values = peer.bind(inputs, names)
        values = values if len(values) > 1 else values[0]
    outputs = model(values, training=False)
    if isinstance(outputs, dict):
        outputs = [outputs[key] for key in sorted(outputs)]
    elif not isinstance(outputs, (list, tuple)):
        outputs = [outputs]
    outputs = [np.array(output).astype(np.float64) for output in outputs]
    return {"differences": peer.differences(outputs, peer.arrays(job["outputs"]), peer.kept(job))}


peer.main(work)
