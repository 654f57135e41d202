#!/usr/bin/env python3
"""A tour of one shard with h5py, to be read from top to bottom like a notebook.

    python3 examples/shard_tour.py shards/00000.h5 [smile.jpg]
"""
import sys

import h5py
import numpy as np

path = sys.argv[1]

# %% What is in it. Attributes say who made it and from what.
shard = h5py.File(path, "r")
assert shard.attrs["format_version"] == 1, "a shard of another format"
text = lambda value: value.decode() if isinstance(value, bytes) else str(value)
au_names = [text(name) for name in shard.attrs["au_names"]]
print(f"{path}: made by auforge {text(shard.attrs['tool_version'])} from {text(shard.attrs['source'])}")
print(f"{len(shard['faces/quality'])} faces on {len(shard['samples/key'])} images")

# %% What became of the images.
status_names = [text(name) for name in shard["samples/status"].attrs["names"]]
for value, count in zip(*np.unique(shard["samples/status"][:], return_counts=True)):
    print(f"  {status_names[value]}: {count}")

# %% Action Units: one row a face, one column an AU. Never assume the order: ask au_names.
intensity = shard["faces/au_intensity"][:]  # 0..5
present = shard["faces/au_present"][:].astype(bool)
print("AU      present   mean intensity")
for column, name in enumerate(au_names):
    if len(intensity):
        print(f"{name:6} {100 * present[:, column].mean():7.1f} %   {intensity[:, column].mean():.2f}")

# %% Emotions that the AUs make.
emotion_names = [text(name) for name in shard["faces/emotion"].attrs["names"]]
for value, count in zip(*np.unique(shard["faces/emotion"][:], return_counts=True)):
    print(f"  {emotion_names[value]}: {count}")

# %% The strongest smile among the faces that can be trusted: its image, and its crop as it is stored (a JPEG).
if len(intensity):
    smile = intensity[:, au_names.index("AU12")] * shard["faces/quality"][:]
    best = int(smile.argmax())
    key = text(shard["samples/key"][shard["faces/sample"][best]])
    begin, end = (int(offset) for offset in shard["faces/image_offsets"][best:best + 2])
    jpeg = shard["faces/image_bytes"][begin:end].tobytes()
    print(f"strongest smile: face {best} of image {key}, {len(jpeg)} bytes")
    if len(sys.argv) > 2:
        open(sys.argv[2], "wb").write(jpeg)
