"""Faces for PyTorch. A module of its own, so that torch is loaded by whoever asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, Optional

import numpy
import torch
import torch.utils.data

if TYPE_CHECKING:
    from ._shards import ShardDataset


class FaceDataset(torch.utils.data.Dataset):  # type: ignore[misc]
    """See :meth:`auforge.ShardDataset.to_torch`."""

    def __init__(self, faces: "ShardDataset", transform: Optional[Callable[[Any], Any]] = None):
        self.faces = faces
        self.transform = transform

    def __len__(self) -> int:
        return len(self.faces)

    def __getitem__(self, index: int) -> Dict[str, Any]:
        face = self.faces[index]
        if self.transform is not None:
            image = self.transform(face.crop)
        else:
            image = torch.from_numpy(face.crop.transpose(2, 0, 1).astype(numpy.float32) / 255)
        return {
            "image": image,
            "au_intensity": torch.from_numpy(face.au_intensity.copy()),
            "au_present": torch.from_numpy(face.au_present.astype(numpy.float32)),
        }
