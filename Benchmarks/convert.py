"""Times conversion beside plain copying and beside Keras's own exporter, and prints the table of docs/BENCHMARKS.md.

convert.py NNFMT [--rounds N] [--folder DIR] [--keras] [--large]. `scripts/benchmark-convert` runs it. Each round runs every
program once, so that a busy moment hits them all; the medians are printed.
"""
import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

FLOWERS = """
import keras
layers = keras.layers
keras.utils.set_random_seed(1)
keras.Sequential([layers.Input((192, 192, 3)), layers.Flatten(), layers.Dense(500, activation="relu"),
                  layers.Dense(50, activation="relu"), layers.Dense(5, activation="softmax")]).save("{0}")
"""
EXPORT = """
import keras
model = keras.saving.load_model("{0}")
model(keras.ops.zeros((1, 192, 192, 3)))
model.export("{1}", format="onnx", verbose=False)
"""


def run(command, expected=0):
    """Seconds and the largest resident set in MB of one run."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) != expected:
        sys.exit(f"{command} ended with {os.waitstatus_to_exitcode(status)}")
    return seconds, usage.ru_maxrss / 1024


def rounds(commands, count, clean):
    """The runs of each command, in turn; `clean` files are removed in front of each."""
    runs = {name: [] for name in commands}
    for _ in range(count):
        for name, command in commands.items():
            for path in clean:
                if os.path.exists(path):
                    os.remove(path)
            os.sync()
            runs[name].append(run(command))
    return runs


def table(title, runs, base):
    print(f"\n{title}\n\n| | median s | min s | max s | times `{base}` | resident MB |\n|---|--:|--:|--:|--:|--:|")
    unit = statistics.median(seconds for seconds, _ in runs[base])
    for name, results in runs.items():
        seconds = [result[0] for result in results]
        median = statistics.median(seconds)
        print(f"| {name} | {median:.2f} | {min(seconds):.2f} | {max(seconds):.2f} | {median / unit:.1f} "
              f"| {max(memory for _, memory in results):.0f} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("nnfmt")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", default=None)
    parser.add_argument("--keras", action="store_true", help="run Keras's exporter, too (minutes, 9 GB)")
    parser.add_argument("--large", action="store_true", help="convert a model of 3.2 GB, too (10 GB of disk)")
    options = parser.parse_args()
    folder = options.folder or tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)

    def file(name):
        return os.path.join(folder, name)

    def python(code):
        return ["env", "TF_CPP_MIN_LOG_LEVEL=3", "KERAS_BACKEND=tensorflow", sys.executable, "-c", code]

    nnfmt = options.nnfmt
    flowers, onnx, copy = file("flowers.h5"), file("flowers.onnx"), file("copy.h5")
    if not os.path.exists(flowers):
        run(python(FLOWERS.format(flowers)))
    size = os.path.getsize(flowers) / 1e6
    print(f"{platform.machine()}, {os.cpu_count()} cores, {options.rounds} rounds")
    commands = {
        "cp": ["cp", flowers, copy],
        "cp and sync": ["sh", "-c", f"cp {flowers} {copy} && sync {copy}"],
        "nnfmt convert": [nnfmt, "convert", flowers, onnx],
        "nnfmt convert --external-data": [nnfmt, "convert", flowers, onnx, "--external-data"],
    }
    runs = rounds(commands, options.rounds, [copy, onnx, onnx + ".data"])
    back = file("back.h5")
    runs |= rounds({"nnfmt convert back": [nnfmt, "convert", onnx, back]}, options.rounds, [back])
    run([nnfmt, "diff", flowers, back])
    if options.keras:
        runs["Keras model.export"] = [run(python(EXPORT.format(flowers, file("keras.onnx"))))]
    table(f"`.h5` to `.onnx` and back, {size:.0f} MB", runs, "cp")
    if options.large:
        large, onnx, back, copy = file("large.h5"), file("large.onnx"), file("large_back.h5"), file("large_copy.h5")
        if not os.path.exists(large):
            run([sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "large_model.py"), large])
        runs = {}
        for name, command in [
            ("cp", ["cp", large, copy]), ("cp and sync", ["sh", "-c", f"cp {large} {copy} && sync {copy}"]),
            ("nnfmt convert", [nnfmt, "convert", large, onnx]), ("nnfmt convert back", [nnfmt, "convert", onnx, back]),
            ("nnfmt diff", [nnfmt, "diff", large, back]),
        ]:
            runs |= rounds({name: command}, 1, [copy])
        table(f"`.h5` to `.onnx` with external data and back, {os.path.getsize(large) / 1e6:.0f} MB", runs, "cp")


if __name__ == "__main__":
    main()
