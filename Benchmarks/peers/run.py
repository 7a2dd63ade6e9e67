"""Times nnfmt and its peers on the reference networks and prints the table of docs/BENCHMARKS.md.

run.py NNFMT [--rounds N] [--seconds S] [--models LIST] [--batches LIST] [--threads N] [--folder DIR]

In each round every engine runs for some time, one after the other, so that a busy moment hits them all; the table has the
medians of the rounds' medians. `scripts/benchmark-peers` runs it.
"""

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


def cell(name, batch, path, options):
    """Seconds of each engine in each round."""
    x = models.rows(name, batch)
    runners = [engine(path, name, x, options.threads) for engine in [engines.Nnfmt, *engines.PEERS]]
    expected = runners[1].run()
    for runner in runners:
        difference = np.abs(runner.run() - expected).max() / np.abs(expected).max()
        if not difference < 1e-4:
            sys.exit(f"{runner.title} differs from {runners[1].title} by {difference} on {name} at batch {batch}")
    seconds = {runner.title: [] for runner in runners}
    for _ in range(options.rounds):
        for runner in runners:
            # Threads of the engine before spin for a while.
            time.sleep(0.2)
            seconds[runner.title].append(runner.seconds(options.seconds))
    return seconds


def line(name, batch, seconds):
    medians = {title: statistics.median(values) for title, values in seconds.items()}
    own = medians.pop("nnfmt")
    best = min(medians, key=medians.get)
    rounds = [min(seconds[title][index] for title in medians) / seconds["nnfmt"][index]
              for index in range(len(seconds["nnfmt"]))]
    work = models.multiplies(name)
    rate = f"{2 * work * batch / own / 1e9:,.0f} GFLOP/s" if batch > 1 else f"{4 * work / own / 1e9:,.1f} GB/s"
    figures = " | ".join(f"{value * 1e6:,.1f}" for value in [own, *medians.values()])
    return (f"| {name} | {batch} | {figures} | {best} | {medians[best] / own:.2f} "
            f"| {min(rounds):.2f}–{max(rounds):.2f} | {rate} |")


def main():
    options = command.parser().parse_args()
    engines.Nnfmt.program = options.nnfmt
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(options.folder or scratch)
        folder.mkdir(exist_ok=True)
        titles = ["nnfmt", *(engine.title for engine in engines.PEERS)]
        print(f"{platform.machine()}, {options.threads} threads, float32, medians in microseconds of {options.rounds} "
              "interleaved rounds\n")
        print(f"| network | batch | {' | '.join(titles)} | best peer | ratio | in the rounds | nnfmt's rate |")
        print("|---|--:|" + "--:|" * len(titles) + "---|--:|--:|--:|")
        for name in options.models.split(","):
            path = models.write(name, folder)
            for batch in (int(text) for text in options.batches.split(",")):
                print(line(name, batch, cell(name, batch, path, options)), flush=True)


main()
