#!/usr/bin/env python3
"""Weights between auforge's HDF5 files and PyTorch state dicts; the parameter names are the published ones in both.

    auforge gan export-weights run/ -o weights.h5
    tools/gan/gan_weights.py to-pytorch weights.h5 --generator G.pth [--discriminator D.pth]
    tools/gan/gan_weights.py from-pytorch --generator G.pth [--discriminator D.pth] weights.h5
    auforge gan import-weights weights.h5 -o run/

Needs h5py, numpy and torch (Debian: python3-h5py python3-torch).
"""
import argparse
import collections
import sys

import h5py
import numpy
import torch


def tensors(group, half):
    """The group's datasets, whose names may hold dots but no slash, as float32 tensors."""
    state = collections.OrderedDict()
    for name in group:
        values = group[name][...]
        if half:
            values = values.view(numpy.float16)
        state[name] = torch.from_numpy(numpy.ascontiguousarray(values, dtype=numpy.float32))
    return state


def to_pytorch(arguments):
    with h5py.File(arguments.weights, "r") as file:
        if "generator" not in file:
            sys.exit(f"{arguments.weights}: has no /generator; write it with auforge gan export-weights")
        kind = file.attrs.get("generator_type", b"")
        half = (kind.decode() if isinstance(kind, bytes) else str(kind)).rstrip("\0") == "float16"
        torch.save(tensors(file["generator"], half), arguments.generator)
        if arguments.discriminator:
            if "discriminator" not in file:
                sys.exit(f"{arguments.weights}: has no /discriminator; export without --half from a training")
            torch.save(tensors(file["discriminator"], False), arguments.discriminator)


def write(file, group, path):
    state = torch.load(path, map_location="cpu")
    if not isinstance(state, dict):
        sys.exit(f"{path}: is no state dict; save model.state_dict()")
    for name, value in state.items():
        name = name[len("module."):] if name.startswith("module.") else name  # of DataParallel
        if name.split(".")[-1] in ("running_mean", "running_var", "num_batches_tracked"):
            continue  # instance norm does not use them
        file.create_dataset(f"{group}/{name}", data=value.detach().to(torch.float32).contiguous().numpy())


def from_pytorch(arguments):
    with h5py.File(arguments.weights, "w") as file:
        write(file, "generator", arguments.generator)
        if arguments.discriminator:
            write(file, "discriminator", arguments.discriminator)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run, text in (("to-pytorch", to_pytorch, "HDF5 to state dicts"), ("from-pytorch", from_pytorch, "state dicts to HDF5")):
        command = commands.add_parser(name, help=text)
        command.add_argument("weights", help="HDF5 file")
        command.add_argument("--generator", required=True, help="state dict of the generator")
        command.add_argument("--discriminator", help="state dict of the discriminator")
        command.set_defaults(run=run)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
