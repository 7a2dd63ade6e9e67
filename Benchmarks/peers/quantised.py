"""Times networks with quantised weights and prints the tables of docs/BENCHMARKS.md on them.

quantised.py NNFMT [--rounds N] [--seconds S] [--models LIST] [--batches LIST] [--threads N] [--folder DIR]

The first table has the file that ONNX Runtime's `quantize_dynamic` makes, run by nnfmt and by ONNX Runtime, beside nnfmt's
float32; the second has nnfmt on weights of 8 bits by column and of 4 bits in blocks of 32. In each round everything runs for
some time, one after the other. `scripts/benchmark-peers --quantised` runs it.
"""

import logging
import pathlib
import platform
import statistics
import sys
import tempfile
import time

import command
import engines
import models
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def dynamic(path):
    """The network with int8 weights, one scale a matrix, and activations that are quantised as it runs."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    target = path.replace(".onnx", ".dynamic.onnx")
    logging.disable(logging.WARNING)
    if not pathlib.Path(target).exists():
        quantize_dynamic(path, target, weight_type=QuantType.QInt8)
    return target


def weights_only(path, bits, block=32):
    """The network with DequantizeLinear in front of each matrix: int8 by column, int4 in blocks."""
    target = path.replace(".onnx", f".int{bits}.onnx")
    if pathlib.Path(target).exists():
        return target
    model = onnx.load(path)
    graph = model.graph
    model.opset_import[0].version, model.ir_version = 21, 10
    matrices = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for node in list(graph.node):
        if node.op_type == "Gemm":
            name = node.input[1]
            matrix = numpy_helper.to_array(matrices[name])
            depth, columns = matrix.shape
            graph.initializer.remove(matrices[name])
            if bits == 8:
                scales = (np.abs(matrix).max(0) / 127).astype(np.float32)
                codes = numpy_helper.from_array(np.round(matrix / scales).astype(np.int8), name + "_codes")
                attributes = {"axis": 1}
            else:
                blocks = -(-depth // block)
                padded = np.zeros((blocks * block, columns), np.float32)
                padded[:depth] = matrix
                scales = (np.abs(padded.reshape(blocks, block, columns)).max(1) / 7).astype(np.float32)
                numbers = np.round(padded / np.repeat(scales, block, 0))[:depth].astype(np.int8)
                halves = np.append(numbers.reshape(-1), np.zeros(numbers.size % 2, np.int8)).view(np.uint8) & 15
                codes = helper.make_tensor(
                    name + "_codes", TensorProto.INT4, [depth, columns], (halves[::2] | halves[1::2] << 4).tobytes(),
                    raw=True)
                attributes = {"axis": 0, "block_size": block}
            graph.initializer.extend([codes, numpy_helper.from_array(scales, name + "_scales")])
            nodes.append(
                helper.make_node(
                    "DequantizeLinear", [name + "_codes", name + "_scales"], [name + "_wide"], **attributes))
            node.input[1] = name + "_wide"
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, target)
    return target


def timed(runners, options):
    """The median of each runner in each round."""
    seconds = [[] for _ in runners]
    for _ in range(options.rounds):
        for index, runner in enumerate(runners):
            # Threads of the engine before spin for a while.
            time.sleep(0.2)
            seconds[index].append(runner.seconds(options.seconds))
    return seconds


def check(own, expected, name, batch, most):
    difference = np.abs(own - expected).max() / np.abs(expected).max()
    if not difference < most:
        sys.exit(f"the outputs differ by {difference} on {name} at batch {batch}")


def dynamic_line(name, batch, path, options):
    x = models.rows(name, batch)
    quantised = dynamic(path)
    own = engines.Nnfmt(quantised, name, x, options.threads)
    peer = engines.OnnxRuntime(quantised, name, x, options.threads)
    # Without VNNI ONNX Runtime's products saturate.
    check(own.run(), peer.run(), name, batch, 0.05)
    seconds = timed([own, peer, engines.Nnfmt(path, name, x, options.threads)], options)
    medians = [statistics.median(values) for values in seconds]
    rounds = [other / value for value, other in zip(seconds[0], seconds[1])]
    rate = 2 * models.multiplies(name) * batch / medians[0] / 1e9
    return (f"| {name} | {batch} | {' | '.join(f'{value * 1e6:,.1f}' for value in medians)} "
            f"| {medians[1] / medians[0]:.2f} | {min(rounds):.2f}–{max(rounds):.2f} | {medians[2] / medians[0]:.2f} "
            f"| {rate:,.0f} |")


def weights_line(name, batch, path, options):
    x = models.rows(name, batch)
    paths = [path, weights_only(path, 8), weights_only(path, 4)]
    runners = [engines.Nnfmt(each, name, x, options.threads) for each in paths]
    for runner, each in zip(runners[1:], paths[1:]):
        # With all its optimisations ONNX Runtime rounds the activations, too.
        check(runner.run(), engines.OnnxRuntime(each, name, x, options.threads, is_basic=True).run(), name, batch, 1e-4)
    medians = [statistics.median(values) for values in timed(runners, options)]
    return (f"| {name} | {batch} | {' | '.join(f'{value * 1e6:,.1f}' for value in medians)} "
            f"| {medians[0] / medians[1]:.2f} | {medians[0] / medians[2]:.2f} |")


def main():
    parser = command.parser()
    parser.add_argument("--tables", default="dynamic,weights")
    options = parser.parse_args()
    engines.Nnfmt.program = options.nnfmt
    batches = [int(text) for text in options.batches.split(",")]
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(options.folder or scratch)
        folder.mkdir(exist_ok=True)
        print(f"{platform.machine()}, {options.threads} threads, medians in microseconds of {options.rounds} interleaved "
              "rounds")
        if "dynamic" in options.tables:
            print("\n| network | batch | nnfmt | ONNX Runtime | nnfmt float32 | ratio | in the rounds | to float32 | GOP/s |")
            print("|---|--:|--:|--:|--:|--:|--:|--:|--:|")
            for name in options.models.split(","):
                for batch in batches:
                    print(dynamic_line(name, batch, models.write(name, folder), options), flush=True)
        if "weights" in options.tables:
            print("\n| network | batch | float32 | int8 | int4 | int8 faster | int4 faster |")
            print("|---|--:|--:|--:|--:|--:|--:|")
            for name in options.models.split(","):
                for batch in batches:
                    print(weights_line(name, batch, models.write(name, folder), options), flush=True)


main()
