"""Reads safetensors files and writes them anew: safetensors_peer.py JOBS ANSWERS

A job's "file" is compared with its "npz", array by array, and written again to its "copy" by the safetensors package.
"""

import peer

import numpy as np
import safetensors.numpy


def work(job):
    read = safetensors.numpy.load_file(job["file"])
    expected = peer.arrays(job["npz"])
    if set(read) != set(expected):
        raise ValueError(f"holds other names: {sorted(set(read) ^ set(expected))[:4]}")
    for name, array in expected.items():
        same = read[name].dtype == array.dtype and read[name].shape == array.shape
        if not same or read[name].tobytes() != array.tobytes():
            raise ValueError(f"{name} is {read[name].dtype}{read[name].shape}, not {array.dtype}{array.shape}, or differs")
    safetensors.numpy.save_file(read, job["copy"])
    return {"differences": []}


peer.main(work)
