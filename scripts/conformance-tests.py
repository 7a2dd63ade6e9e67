"""Writes the node tests of the installed onnx package as folders: conformance-tests.py FOLDER

Each test becomes FOLDER/NAME/model.onnx with test_data_set_N/input_I.pb, output_I.pb and data.json, which holds the
test's tolerances. FOLDER/tests.json lists the operators of every test's graph, other domains than ONNX's own named.
"""

import json
import pathlib
import sys
import warnings

import onnx
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

FROM_PYTHON = {
    "tensor_type": numpy_helper.from_array,
    "sequence_type": numpy_helper.from_list,
    "map_type": numpy_helper.from_dict,
    "optional_type": numpy_helper.from_optional,
}


def write_values(folder, kind, values, declared):
    for number, value in enumerate(values):
        if not isinstance(value, onnx.TensorProto):
            stated = declared[number]
            value = FROM_PYTHON[stated.type.WhichOneof("value")](value, stated.name)
        (folder / f"{kind}_{number}.pb").write_bytes(value.SerializeToString(deterministic=True))


def write_test(folder, case):
    graph = case.model.graph
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(case.model.SerializeToString(deterministic=True))
    (folder / "data.json").write_text(json.dumps({"rtol": case.rtol, "atol": case.atol}) + "\n")
    for number, (inputs, outputs) in enumerate(case.data_sets):
        data_set = folder / f"test_data_set_{number}"
        data_set.mkdir()
        write_values(data_set, "input", inputs, graph.input)
        write_values(data_set, "output", outputs, graph.output)
    return sorted({".".join(filter(None, (node.domain, node.op_type))) for node in graph.node})


def main():
    warnings.simplefilter("ignore")
    root = pathlib.Path(sys.argv[1])
    tests = {case.name: write_test(root / case.name, case) for case in collect_testcases(None)}
    document = {"onnx": onnx.__version__, "operators": dict(sorted(tests.items()))}
    (root / "tests.json").write_text(json.dumps(document, indent=1) + "\n")
    print(f"conformance: wrote the {len(tests)} node tests of onnx {onnx.__version__}", file=sys.stderr)


if __name__ == "__main__":
    main()
