"""Faces and images with labels: what Annotator and ShardDataset give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from ._errors import BadInputError
from ._load import core

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]
    Bytes = npt.NDArray[np.uint8]

_HEAD = 16  # box 4, pose 3, crop_from_image 6, quality, detector_score, emotion_score
_LANDMARKS = 136


def _decode_crop(encoded: bytes) -> Any:
    import numpy

    if not encoded:
        raise BadInputError("the shard has no face pictures (annotate --no-crops stored none)")
    return numpy.asarray(core().decode_rgb(encoded))


class _Table:
    """The numbers of some faces: one row each, as auforge._core packs them (python/src/faces.h)."""

    __slots__ = ("values", "present", "codes", "crops", "dense", "au_names", "emotion_names")

    def __init__(self, packed: Mapping[str, Any], au_names: Tuple[str, ...], emotion_names: Tuple[str, ...]):
        import numpy

        self.values = numpy.asarray(packed["values"])
        self.present = numpy.asarray(packed["present"])
        self.codes = numpy.asarray(packed["codes"])
        self.crops: List[bytes] = packed["crops"]
        self.dense: Any = numpy.asarray(packed["dense"]) if packed.get("dense") is not None else None
        self.au_names = au_names
        self.emotion_names = emotion_names

    def au_column(self, which: int) -> Any:
        """Columns of intensity (0), probability (1), visibility (2), the left (3) and the right half (4)."""
        begin = _HEAD + _LANDMARKS + which * len(self.au_names)
        return self.values[:, begin : begin + len(self.au_names)]


class Face:
    """One labelled face.

    Arrays are views of the numbers of the whole image (or batch) that the face came from, float32 where nothing else is
    said. A is the number of Action Units, ``len(face.au_names)``; entry ``j`` of every AU array is of
    ``face.au_names[j]``.
    """

    __slots__ = ("_table", "_row", "_crop")

    def __init__(self, table: _Table, row: int):
        self._table = table
        self._row = row
        self._crop: Any = None

    @property
    def au_names(self) -> Tuple[str, ...]:
        """``("AU1", "AU2", …)``: A names, in the order of the AU arrays."""
        return self._table.au_names

    @property
    def box(self) -> Floats:
        """(4,) left, top, width, height; pixels of the image. May reach outside the image."""
        return self._table.values[self._row, 0:4]

    @property
    def pose(self) -> Floats:
        """(3,) yaw, pitch, roll in degrees; > 0: turned to the image's right, up, leaning to the image's right."""
        return self._table.values[self._row, 4:7]

    @property
    def crop_from_image(self) -> Floats:
        """(2, 3) the similarity that made the crop: ``crop = M @ (x, y, 1)``."""
        return self._table.values[self._row, 7:13].reshape(2, 3)

    @property
    def quality(self) -> float:
        """0..1, the probability that the AUs' mean error is at most 1.5 times the usual one."""
        return float(self._table.values[self._row, 13])

    @property
    def detector_score(self) -> float:
        """The detector's own confidence."""
        return float(self._table.values[self._row, 14])

    @property
    def emotion(self) -> str:
        """The nearest emotion category: "happy", "happily surprised", …, "neutral" or "other"."""
        return self._table.emotion_names[int(self._table.codes[self._row, 0])]

    @property
    def emotion_score(self) -> float:
        """0..1, how probable that category is among all."""
        return float(self._table.values[self._row, 15])

    @property
    def emotion_rule(self) -> str:
        """The category by EmotioNet's exact rule."""
        return self._table.emotion_names[int(self._table.codes[self._row, 1])]

    @property
    def face_index(self) -> int:
        """0, 1, … within its image, best detection first."""
        return int(self._table.codes[self._row, 2])

    @property
    def landmarks(self) -> Floats:
        """(68, 2) x, y in pixels of the image (iBUG 68 order); the first pixel's centre is (0.5, 0.5)."""
        return self._table.values[self._row, _HEAD : _HEAD + _LANDMARKS].reshape(68, 2)

    @property
    def landmarks_dense(self) -> Optional[Floats]:
        """(82, 2) lids, irises and lips by denser points (docs/landmarks.md), likewise; None where they were not asked for
        (``annotate --dense``, ``Annotator(dense=True)``)."""
        import numpy

        dense = None if self._table.dense is None else self._table.dense[self._row]
        return None if dense is None or numpy.isnan(dense[0, 0]) else dense

    @property
    def au_intensity(self) -> Floats:
        """(A,) 0..5; FACS A..E are 1..5."""
        return self._table.au_column(0)[self._row]

    @property
    def au_probability(self) -> Floats:
        """(A,) 0..1, calibrated probability that the AU is present."""
        return self._table.au_column(1)[self._row]

    @property
    def au_present(self) -> Bytes:
        """(A,) uint8, 1 exactly where ``au_intensity >= 1``."""
        return self._table.present[self._row]

    @property
    def au_visible(self) -> Floats:
        """(A,) 0 where the AU's region is covered or turned away (nothing is known of it then), else 1."""
        return self._table.au_column(2)[self._row]

    @property
    def au_left(self) -> Optional[Floats]:
        """(A,) 0..5 of the subject's own left half, NaN for AUs without halves; None where the model tells none."""
        return self._table.au_column(3)[self._row] if self._table.codes[self._row, 3] else None

    @property
    def au_right(self) -> Optional[Floats]:
        """(A,) likewise of the subject's right half."""
        return self._table.au_column(4)[self._row] if self._table.codes[self._row, 3] else None

    @property
    def aus(self) -> Dict[str, float]:
        """``{"AU1": 0.2, …}``: the intensities by name, 0..5."""
        return dict(zip(self.au_names, self.au_intensity.tolist()))

    @property
    def crop_jpeg(self) -> bytes:
        """The aligned crop as it stands in shards: the bytes of a JPEG file; b"" where the shard has no crops."""
        return self._table.crops[self._row]

    @property
    def crop(self) -> Bytes:
        """(H, W, 3) uint8 RGB: the aligned crop, decoded when it is first asked for.

        Raises BadInputError when the bytes are damaged, and when the shard has no crops (``annotate --no-crops``).
        """
        if self._crop is None:
            self._crop = _decode_crop(self.crop_jpeg)
        return self._crop

    def __repr__(self) -> str:
        present = " ".join(
            f"{name}={value:.1f}"
            for name, value, is_there in zip(self.au_names, self.au_intensity.tolist(), self.au_present.tolist())
            if is_there
        )
        return f"<auforge.Face {self.emotion}, quality {self.quality:.2f}{': ' if present else ''}{present}>"

    def __reduce__(self) -> Any:
        return _face_again, _face_state(self)


def _face_state(face: Face) -> Tuple[Any, ...]:
    table = face._table
    row = slice(face._row, face._row + 1)
    packed = {
        "values": table.values[row].copy(),
        "present": table.present[row].copy(),
        "codes": table.codes[row].copy(),
        "crops": [table.crops[face._row]],
        "dense": None if table.dense is None else table.dense[row].copy(),
    }
    return packed, table.au_names, table.emotion_names


def _face_again(packed: Mapping[str, Any], au_names: Tuple[str, ...], emotion_names: Tuple[str, ...]) -> Face:
    return Face(_Table(packed, au_names, emotion_names), 0)


class Result(Sequence[Face]):
    """What became of one image. A sequence of its faces, best detection first: ``len(result)``, ``result[0]``.

    ``au_intensity`` and its like are the faces' arrays on top of each other, F x …, F the number of faces. What goes wrong
    with an image is data: ``status`` says what, ``message`` why, and there are no faces.
    """

    __slots__ = ("_packed", "_table", "_faces")

    def __init__(self, packed: Dict[str, Any], au_names: Tuple[str, ...], emotion_names: Tuple[str, ...]):
        self._packed = packed
        self._table = _Table(packed, au_names, emotion_names)
        self._faces: Optional[List[Face]] = None

    @property
    def au_names(self) -> Tuple[str, ...]:
        """A names, in the order of the AU arrays."""
        return self._table.au_names

    @property
    def faces(self) -> List[Face]:
        """The faces, best detection first."""
        if self._faces is None:
            self._faces = [Face(self._table, row) for row in range(len(self._table.crops))]
        return self._faces

    @property
    def status(self) -> str:
        """"ok" (there are faces), "no_face", "undecodable", "unsupported" (a picture of a format that is not read),
        "too_large", "too_small", "low_quality" (all faces below ``min_quality``), "unreadable"."""
        return self._packed["status"]

    @property
    def message(self) -> str:
        """Why ``status`` is not "ok", for people; "" where it is."""
        return "" if self.status == "ok" else self._packed["message"]

    @property
    def key(self) -> str:
        """The path that was given, the key of an image of :func:`read_images`, "" for bytes and arrays."""
        return self._packed["key"]

    @property
    def url(self) -> str:
        """Where the image came from, as a crawl's metadata say; "" where they do not."""
        return self._packed["url"]

    @property
    def keywords(self) -> str:
        """Its caption, likewise."""
        return self._packed["keywords"]

    @property
    def frame(self) -> int:
        """The number of a video's frame, from 1; 0: no frame of a video."""
        return self._packed["frame"]

    @property
    def timestamp(self) -> float:
        """Of that frame, seconds from the video's beginning."""
        return self._packed["timestamp"]

    @property
    def width(self) -> int:
        """Pixels, after EXIF orientation; 0 when the image was not decoded."""
        return self._packed["width"]

    @property
    def height(self) -> int:
        """Likewise."""
        return self._packed["height"]

    @property
    def sha256(self) -> bytes:
        """Of the encoded image; zeros for arrays and what could not be read."""
        return self._packed["sha256"]

    @property
    def box(self) -> Floats:
        """(F, 4), see :attr:`Face.box`."""
        return self._table.values[:, 0:4]

    @property
    def pose(self) -> Floats:
        """(F, 3), see :attr:`Face.pose`."""
        return self._table.values[:, 4:7]

    @property
    def quality(self) -> Floats:
        """(F,), see :attr:`Face.quality`."""
        return self._table.values[:, 13]

    @property
    def landmarks(self) -> Floats:
        """(F, 68, 2), see :attr:`Face.landmarks`."""
        values = self._table.values[:, _HEAD : _HEAD + _LANDMARKS]
        return values.reshape(len(values), 68, 2)

    @property
    def landmarks_dense(self) -> Optional[Floats]:
        """(F, 82, 2), see :attr:`Face.landmarks_dense`; None where there are none."""
        return self._table.dense

    @property
    def au_intensity(self) -> Floats:
        """(F, A) 0..5."""
        return self._table.au_column(0)

    @property
    def au_probability(self) -> Floats:
        """(F, A) 0..1."""
        return self._table.au_column(1)

    @property
    def au_present(self) -> Bytes:
        """(F, A) uint8, 1 exactly where ``au_intensity >= 1``."""
        return self._table.present

    def __len__(self) -> int:
        return len(self._table.crops)

    def __getitem__(self, index: Any) -> Any:
        return self.faces[index]

    def __iter__(self) -> Iterator[Face]:
        return iter(self.faces)

    def __bool__(self) -> bool:
        """True when there is a face."""
        return len(self) > 0

    def __repr__(self) -> str:
        name = f" {self.key}" if self.key else ""
        return f"<auforge.Result{name}: {self.status}, {len(self)} face{'' if len(self) == 1 else 's'}>"

    def __reduce__(self) -> Any:
        packed = dict(self._packed)
        packed.update(values=self._table.values, present=self._table.present, codes=self._table.codes, dense=self._table.dense)
        return Result, (packed, self._table.au_names, self._table.emotion_names)
