"""What the programs that tests hand batches to share.

A batch is a JSON list of jobs, each with an "id", a "file", and the npz archives "inputs" and "outputs". The answer is a
JSON object with a row for each id: "differences", max |difference| / max |expected| of each output, or "error".
"""

import json
import sys
import warnings

import numpy as np

warnings.filterwarnings("ignore")


def arrays(path):
    """The arrays of an npz archive by name, in the archive's order."""
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def bind(inputs, names):
    """The arrays for inputs of these names: by name when every name is there, else in order."""
    if set(names) <= set(inputs):
        return [inputs[name] for name in names]
    if len(names) != len(inputs):
        raise ValueError(f"takes {len(names)} inputs {names}, and {len(inputs)} are given")
    return list(inputs.values())


def kept(job):
    """The places of the outputs that a conversion kept; None for all."""
    return {int(place) for place in job["kept"].split(",")} if "kept" in job else None


def differences(outputs, expected, kept=None):
    """How far the outputs are from the expected ones, relative to the largest of those."""
    expected = [array for index, array in enumerate(expected.values()) if kept is None or index in kept]
    if len(outputs) != len(expected):
        raise ValueError(f"gives {len(outputs)} outputs, not {len(expected)}")
    rows = []
    for output, reference in zip(outputs, expected):
        output = np.asarray(output)
        if output.shape != reference.shape:
            raise ValueError(f"gives {output.shape}, not {reference.shape}")
        output, reference = output.astype(np.float64), reference.astype(np.float64)
        scale = np.abs(reference).max(initial=0)
        distance = np.abs(output - reference).max(initial=0)
        # JSON has no infinity, and an unknown difference is as bad.
        rows.append(float(distance / scale if scale else distance) if np.isfinite(distance) else None)
    return rows


def main(work):
    """Does every job of the batch that the command line names; one that fails does not end the others."""
    jobs, answers = sys.argv[-2:]
    with open(jobs) as file:
        batch = json.load(file)
    results = {}
    for job in batch:
        try:
            results[job["id"]] = work(job)
        except Exception as error:
            lines = [line.strip() for line in f"{type(error).__name__}: {error}".splitlines() if line.strip()]
            results[job["id"]] = {"error": " ".join(lines)[:600]}
    with open(answers, "w") as file:
        json.dump(results, file)
