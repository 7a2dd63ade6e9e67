"""Times the way to a first prediction and prints the table of docs/BENCHMARKS.md.

start.py NNFMT [--rounds N] [--models LIST] [--folder DIR]

nnfmt: from the start of the process to its end, one row predicted from a file. ONNX Runtime: making the session and its
first run, in a process of its own that has imported everything before. The two take turns; both use all cores.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import models
import numpy as np

PEER = """
import sys, time
import numpy, onnxruntime
x = numpy.load(sys.argv[2])
start = time.perf_counter()
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
made = time.perf_counter()
session.run(None, {"x": x})
print(made - start, time.perf_counter() - made)
"""


def peer(path, row):
    output = subprocess.run([sys.executable, "-c", PEER, path, row], check=True, capture_output=True, text=True).stdout
    return [float(text) for text in output.split()]


def own(program, path, row):
    start = time.perf_counter()
    subprocess.run([program, "predict", path, "--input", row, "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def line(name, program, folder, rounds):
    path, row = models.write(name, folder), str(folder / f"{name}.npy")
    np.save(row, models.rows(name, 1))
    ours, sessions, firsts = [], [], []
    for _ in range(rounds):
        ours.append(own(program, path, row))
        session, first = peer(path, row)
        sessions.append(session)
        firsts.append(first)
    totals = [session + first for session, first in zip(sessions, firsts)]
    ratios = [total / our for total, our in zip(totals, ours)]
    medians = [statistics.median(values) * 1e3 for values in (ours, sessions, firsts)]
    return (f"| {name} | {' | '.join(f'{value:,.1f}' for value in medians)} "
            f"| {statistics.median(totals) / statistics.median(ours):.1f} | {min(ratios):.1f}–{max(ratios):.1f} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("nnfmt")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--models", default=",".join(models.SIZES))
    parser.add_argument("--folder", default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(options.folder or scratch)
        folder.mkdir(exist_ok=True)
        print(f"medians in milliseconds of {options.rounds} interleaved rounds\n")
        print("| network | nnfmt, whole process | ONNX Runtime, session | first run | ratio | in the rounds |")
        print("|---|--:|--:|--:|--:|--:|")
        for name in options.models.split(","):
            print(line(name, options.nnfmt, folder, options.rounds), flush=True)


main()
