"""The reference networks: layers of Dense with ReLU between them and a softmax at the end, as ONNX files."""

import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZES = {
    "tiny": (13, 64, 32, 1),
    "digits": (784, 512, 256, 10),
    "wide": (1024, 4096, 4096, 1000),
    "flowers": (110592, 500, 50, 5),
}


def multiplies(name):
    """Multiplications and additions of one row; as many weights pass the processor."""
    sizes = SIZES[name]
    return sum(depth * columns for depth, columns in zip(sizes, sizes[1:]))


def weights(name):
    """A matrix and a bias for each layer, the same at every call."""
    random = np.random.default_rng(sum(SIZES[name]))
    return [
        (
            (random.standard_normal((depth, columns)) / np.sqrt(depth)).astype(np.float32),
            (random.standard_normal(columns) / 10).astype(np.float32),
        )
        for depth, columns in zip(SIZES[name], SIZES[name][1:])
    ]


def rows(name, batch):
    """Inputs, the same at every call."""
    return np.random.default_rng(batch).standard_normal((batch, SIZES[name][0])).astype(np.float32)


def last_function(name):
    """A softmax of one class would be 1 whatever came in."""
    return "Softmax" if SIZES[name][-1] > 1 else "Sigmoid"


def write(name, folder):
    """Writes the network once and returns the path."""
    path = pathlib.Path(folder) / f"{name}.onnx"
    if path.exists():
        return str(path)
    nodes, constants, value = [], [], "x"
    layers = weights(name)
    for index, (matrix, bias) in enumerate(layers):
        constants += [numpy_helper.from_array(matrix, f"w{index}"), numpy_helper.from_array(bias, f"b{index}")]
        function = "Relu" if index + 1 < len(layers) else last_function(name)
        nodes.append(helper.make_node("Gemm", [value, f"w{index}", f"b{index}"], [f"z{index}"], name=f"dense_{index}"))
        value = f"a{index}" if index + 1 < len(layers) else "y"
        nodes.append(helper.make_node(function, [f"z{index}"], [value], name=f"activation_{index}"))
    sizes = SIZES[name]
    graph = helper.make_graph(
        nodes, name, [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", sizes[0]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", sizes[-1]])], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return str(path)
