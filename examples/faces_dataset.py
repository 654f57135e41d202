#!/usr/bin/env python3
"""A PyTorch Dataset over a folder of shards.

    from faces_dataset import FacesDataset
    loader = torch.utils.data.DataLoader(FacesDataset("shards/", min_quality=0.5), batch_size=25, shuffle=True)

Run as a program it trains a tiny regressor of AUs for one batch, to show that everything fits:

    python3 examples/faces_dataset.py shards/
"""
import bisect
import glob
import io
import json
import os
import sys

import h5py
import numpy as np
import torch
from PIL import Image


class FacesDataset(torch.utils.data.Dataset):
    """Crops as float tensors [3, S, S] in -1..1 (RGB), AU intensities as [A] in 0..5.

    Only the small columns are held in memory; a crop is read when it is asked for. Files are opened in the process that
    reads them, so that a DataLoader may use workers.
    """

    def __init__(self, folder, size=128, min_quality=0.0):
        # A shard with its stats file is finished; others are still being written.
        self.paths = [path for path in sorted(glob.glob(os.path.join(folder, "[0-9]*.h5")))
                      if os.path.exists(path[:-3] + "_stats.json")]
        if not self.paths:
            raise FileNotFoundError(f"{folder}: no finished shard in it")
        self.size = size
        self.au_names = None
        self.rows, self.intensity, self.ends = [], [], []
        for path in self.paths:
            with h5py.File(path, "r") as shard:
                names = [n.decode() if isinstance(n, bytes) else n for n in shard.attrs["au_names"]]
                if self.au_names not in (None, names):
                    raise ValueError(f"{path}: measures other AUs than {self.paths[0]}")
                self.au_names = names
                rows = np.flatnonzero(shard["faces/quality"][:] >= min_quality)
                self.rows.append(rows)
                self.intensity.append(shard["faces/au_intensity"][:][rows])
            self.ends.append((self.ends[-1] if self.ends else 0) + len(rows))
        self.open_files, self.process = {}, None

    def __len__(self):
        return self.ends[-1]

    def __getitem__(self, index):
        if not 0 <= index < len(self):
            raise IndexError(index)
        number = bisect.bisect_right(self.ends, index)
        at = index - (self.ends[number - 1] if number else 0)
        shard = self._file(number)
        row = int(self.rows[number][at])
        begin, end = (int(offset) for offset in shard["faces/image_offsets"][row:row + 2])
        picture = Image.open(io.BytesIO(shard["faces/image_bytes"][begin:end].tobytes())).convert("RGB")
        if picture.size != (self.size, self.size):
            picture = picture.resize((self.size, self.size), Image.BILINEAR)
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 127.5 - 1
        return pixels, torch.from_numpy(self.intensity[number][at])

    def _file(self, number):
        if self.process != os.getpid():  # HDF5 handles must not be shared by forked workers
            self.open_files, self.process = {}, os.getpid()
        if number not in self.open_files:
            self.open_files[number] = h5py.File(self.paths[number], "r")
        return self.open_files[number]


def main():
    torch.manual_seed(1)
    faces = FacesDataset(sys.argv[1])
    loader = torch.utils.data.DataLoader(faces, batch_size=25, shuffle=True)
    pictures, aus = next(iter(loader))
    model = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(16), torch.nn.Flatten(),
                                torch.nn.Linear(3 * 16 * 16, len(faces.au_names)))
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(20):
        loss = torch.nn.functional.mse_loss(model(pictures), aus)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    print(json.dumps({"faces": len(faces), "aus": faces.au_names, "batch": list(pictures.shape),
                      "loss": [losses[0], losses[-1]]}))


if __name__ == "__main__":
    main()
