"""The options of the programs that time engines on the reference networks."""

import argparse

import models


def parser():
    parser = argparse.ArgumentParser()
    parser.add_argument("nnfmt")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--models", default=",".join(models.SIZES))
    parser.add_argument("--batches", default="1,16,128,1024")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", default=None)
    return parser
