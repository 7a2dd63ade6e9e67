"""Each engine as a function that times runs of one network on one input: seconds of each run, and the outputs."""

import json
import os
import subprocess
import tempfile
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["KERAS_BACKEND"] = "tensorflow"

import models
import numpy as np


def timed(run, least):
    """Median seconds of runs for at least `least` seconds, three of them at least; two runs before do not count."""
    run()
    run()
    times, end = [], time.perf_counter() + least
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


class OnnxRuntime:
    title = "ONNX Runtime"

    def __init__(self, path, name, x, threads, is_basic=False):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        if is_basic:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.inputs = {"x": x}

    def run(self):
        return self.session.run(None, self.inputs)[0]

    def seconds(self, least):
        return timed(self.run, least)


class OpenVINO:
    title = "OpenVINO"

    def __init__(self, path, name, x, threads):
        import openvino

        core = openvino.Core()
        model = core.read_model(path)
        model.reshape({"x": list(x.shape)})
        settings = {
            "INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
        self.request = core.compile_model(model, "CPU", settings).create_infer_request()
        self.request.set_input_tensor(openvino.Tensor(x))

    def run(self):
        self.request.infer()
        return self.request.get_output_tensor(0).data

    def seconds(self, least):
        return timed(self.request.infer, least)


class Keras:
    title = "Keras on TensorFlow"

    def __init__(self, path, name, x, threads):
        import tensorflow

        if not tensorflow.config.threading.get_intra_op_parallelism_threads():
            tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
            tensorflow.config.threading.set_inter_op_parallelism_threads(1)
        import keras

        sizes = models.SIZES[name]
        dense = keras.layers.Dense
        model = keras.Sequential(
            [keras.Input((sizes[0],))] + [dense(size, activation="relu") for size in sizes[1:-1]]
            + [dense(sizes[-1], activation=models.last_function(name).lower())])
        model.set_weights([array for layer in models.weights(name) for array in layer])
        self.call = tensorflow.function(lambda values: model(values, training=False))
        self.x = tensorflow.constant(x)

    def run(self):
        return self.call(self.x).numpy()

    def seconds(self, least):
        return timed(self.run, least)


class Nnfmt:
    title = "nnfmt"
    program = None

    def __init__(self, path, name, x, threads):
        self.path, self.x, self.threads = path, x, threads

    def run(self):
        with tempfile.TemporaryDirectory() as folder:
            np.save(f"{folder}/x.npy", self.x)
            subprocess.run(
                [self.program, "predict", self.path, "--input", f"{folder}/x.npy", "--output", f"{folder}/y.npy",
                 "--quiet"], check=True)
            return np.load(f"{folder}/y.npy")

    def seconds(self, least):
        text = subprocess.run(
            [self.program, "bench", self.path, "--batch", str(len(self.x)), "--threads", str(self.threads),
             "--duration", str(least), "--json"], check=True, capture_output=True, text=True).stdout
        return json.loads(text)["results"][0]["median_us"] / 1e6


PEERS = [OnnxRuntime, OpenVINO, Keras]
