"""Compares a run of the node tests with the committed list of passes: conformance-report.py TESTS RESULTS [--update]

TESTS is what conformance-tests.py lists, RESULTS the JSON of `nnfmt check --test-data`. With --update the list
and docs/CONFORMANCE.md are written. Exit status 1 when a listed test does not pass.
"""

import collections
import json
import pathlib
import re
import sys

LIST = pathlib.Path("Tests/Conformance/expected-passes.txt")
EXCEPTIONS = pathlib.Path("Tests/Conformance/exceptions.txt")
OPERATORS = pathlib.Path("Tests/Conformance/operators.txt")
DOCUMENT = pathlib.Path("docs/CONFORMANCE.md")

INTRODUCTION = """# Conformance with ONNX's operator tests

The `onnx` package {version} brings {total:,} tests of single operators. `scripts/conformance` writes them as folders, runs each through the
engine with `nnfmt check --test-data`, and compares as the package itself does: element types and shapes have to be the same,
floating-point elements agree to 1e-3 relative plus 1e-7 absolute (bfloat16: 1/64 relative), all others are equal.
`scripts/conformance --update` writes this page; `scripts/check` fails when a test of `Tests/Conformance/expected-passes.txt` no longer passes.

| tests | passed | failed | unsupported | all |
|---|---:|---:|---:|---:|
| of graphs that have only the {listed} operators for dense networks (`Tests/Conformance/operators.txt`) | {counts[0]} |
| all | {counts[1]} |

*Unsupported* is what the engine refuses by name before it runs; *failed* is everything else that is not passed.

## By operator

A test counts in the row of every operator that its graph has. Operators for dense networks are **bold**.

| operator | passed | failed | unsupported |
|---|---:|---:|---:|
{rows}

## What does not pass, and why

{reasons}
"""


def outcome(test):
    return {"passed": "passed", "skipped": "unsupported"}.get(test["result"], "failed")


def reason(test):
    """The reason without the place of the files, on one line."""
    text = test["reason"] or ""
    text = text.replace(test["path"] + "/", "").replace(test["path"], test["name"])
    text = re.sub(r"\s+", " ", text).strip()
    return text if len(text) <= 240 else text[:237] + "..."


def counts(tests):
    found = collections.Counter(outcome(test) for test in tests)
    return " | ".join(f"{number:,}" for number in (*(found[kind] for kind in ("passed", "failed", "unsupported")), len(tests)))


def document(listing, results, listed):
    by_operator = collections.defaultdict(collections.Counter)
    for name, operators in listing["operators"].items():
        for operator in operators:
            by_operator[operator][outcome(results[name])] += 1
    rows = []
    for operator in sorted(set(by_operator) | listed, key=lambda name: ("." in name, name)):
        found = by_operator[operator]
        title = f"**{operator}**" if operator in listed else operator
        rows.append(f"| {title} | {found['passed']} | {found['failed']} | {found['unsupported']} |")
    remaining = [test for name, test in sorted(results.items()) if outcome(test) != "passed"]
    exceptions = dict(line.split(": ", 1) for line in EXCEPTIONS.read_text().splitlines())
    reasons = []
    for test in remaining:
        reasons.append(f"- {test['name']} ({outcome(test)}): {reason(test)}")
        if test["name"] in exceptions:
            reasons[-1] += f" *{exceptions[test['name']]}*"
    ours = [results[name] for name, operators in listing["operators"].items() if set(operators) <= listed]
    return INTRODUCTION.format(
        version=listing["onnx"], total=len(results), listed=len(listed),
        counts=(counts(ours), counts(results.values())),
        rows="\n".join(rows), reasons="\n".join(reasons) or "Every test passes.",
    )


def main():
    listing = json.loads(pathlib.Path(sys.argv[1]).read_text())
    results = {test["name"]: test for test in json.loads(pathlib.Path(sys.argv[2]).read_text())["tests"]}
    if set(results) != set(listing["operators"]):
        sys.exit(f"conformance: {len(listing['operators'])} tests were written, {len(results)} were run")
    listed = set(OPERATORS.read_text().split())
    ours = [results[name] for name, operators in listing["operators"].items() if set(operators) <= listed]
    for title, tests in ((f"the {len(listed)} operators", ours), ("all", list(results.values()))):
        passed = sum(outcome(test) == "passed" for test in tests)
        print(f"conformance: {passed:,} of {len(tests):,} tests of {title} pass" if tests is ours
              else f"conformance: {passed:,} of {len(tests):,} tests pass in all")
    expected = set(LIST.read_text().split()) if LIST.exists() else set()
    passes = {name for name, test in results.items() if outcome(test) == "passed"}
    for name in sorted(expected - passes):
        print(f"conformance: no longer passes: {name}: {reason(results[name]) if name in results else 'there is no such test'}")
    if "--update" in sys.argv[3:]:
        LIST.write_text("".join(f"{name}\n" for name in sorted(passes)))
        DOCUMENT.write_text(document(listing, results, listed))
        return
    if passes - expected:
        print(f"conformance: {len(passes - expected)} tests pass that are not listed; scripts/conformance --update lists them")
    if expected - passes:
        sys.exit(1)


if __name__ == "__main__":
    main()
