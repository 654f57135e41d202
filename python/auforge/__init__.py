"""AuForge: faces labelled with FACS Action Units (AUs).

>>> import auforge
>>> annotator = auforge.Annotator()
>>> face = annotator.annotate("photo.jpg")[0]
>>> face.aus["AU12"], face.emotion
(2.7, 'happy')

Annotator          images to faces with AUs, landmarks, pose, quality, emotion
read_images        the images of folders, tars, lists, as the programs read them
open_shards        the labelled faces of shards: slices, queries, pandas, torch
fit_readout        an AU model taught by labelled photographs
render_face        a made-up face with the AUs asked for
edit               the faces of a photograph with other AUs (where auforge-gan is installed)

``help(auforge.Annotator)`` says more. What fails raises :class:`Error` or one of its kinds, with the text that the command
line prints.
"""

from ._annotator import Annotator, read_images
from ._errors import BadInputError, Error, NotFoundError, UsageError
from ._faces import Face, Result
from ._models import RenderedFace, edit, fit_readout, render_face
from ._shards import FaceBatch, ShardDataset, ShardFace, open_shards

__version__ = "0.1.0"

__all__ = [
    "Annotator",
    "BadInputError",
    "Error",
    "Face",
    "FaceBatch",
    "NotFoundError",
    "RenderedFace",
    "Result",
    "ShardDataset",
    "ShardFace",
    "UsageError",
    "edit",
    "fit_readout",
    "open_shards",
    "read_images",
    "render_face",
]
