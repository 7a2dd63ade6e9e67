"""Checks ONNX files with onnx.checker and runs them in ONNX Runtime: onnx_peer.py JOBS ANSWERS"""

import peer

import onnx
import onnxruntime

onnxruntime.set_default_logger_severity(4)


def work(job):
    onnx.checker.check_model(job["file"], full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # Its optimiser computes quantised networks in other types than the graph states.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(job["file"], options, providers=["CPUExecutionProvider"])
    types = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16"}
    inputs = session.get_inputs()
    values = peer.bind(peer.arrays(job["inputs"]), [value.name for value in inputs])
    feed = {
        value.name: array.astype(types.get(value.type, value.type[len("tensor("):-1]))
        for value, array in zip(inputs, values)
    }
    # A sequence of maps, from class to score, is a row of scores for each map.
    outputs = [
        [list(row.values()) for row in output] if isinstance(output, list) else output
        for output in session.run(None, feed)
    ]
    return {"differences": peer.differences(outputs, peer.arrays(job["outputs"]))}


peer.main(work)
