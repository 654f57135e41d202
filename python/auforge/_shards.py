"""open_shards: the labelled faces that runs have written."""

from __future__ import annotations

import os
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Union

from ._errors import BadInputError, UsageError
from ._faces import Face, _decode_crop, _Table
from ._load import core, hdf5_lock

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas

    from ._annotator import PathLike
    from ._torch import FaceDataset

_OPEN_SHARDS = 4  # kept open; each costs its columns, about 1.3 KB a face


class ShardFace(Face):
    """A face of a shard: a :class:`Face` that knows where it comes from."""

    __slots__ = ("_sample", "_place")

    def __init__(self, table: _Table, row: int, sample: Dict[str, Any], place: Tuple[str, int]):
        super().__init__(table, row)
        self._sample = sample
        self._place = place

    @property
    def shard(self) -> str:
        """The shard's file."""
        return self._place[0]

    @property
    def row(self) -> int:
        """The face's row in it, from 0."""
        return self._place[1]

    @property
    def key(self) -> str:
        """The image's file name, or its member of a tar."""
        return self._sample["key"]

    @property
    def url(self) -> str:
        """Where the image came from; "" where nothing says."""
        return self._sample["url"]

    @property
    def keywords(self) -> str:
        """The image's caption; "" where it has none."""
        return self._sample["keywords"]

    @property
    def licence(self) -> str:
        """The image's licence, as the crawl has it; "" where nobody knows."""
        return self._sample["licence"]

    @property
    def robots(self) -> str:
        """What its site asks of robots, "noai, noimageai"; "" where nobody knows."""
        return self._sample["robots"]

    @property
    def image_width(self) -> int:
        """Of the image, pixels."""
        return self._sample["width"]

    @property
    def image_height(self) -> int:
        """Of the image, pixels."""
        return self._sample["height"]

    @property
    def frame(self) -> int:
        """The number of a video's frame, from 1; 0: no frame of a video."""
        return self._sample["frame"]

    @property
    def timestamp(self) -> float:
        """Of that frame, seconds from the video's beginning."""
        return self._sample["timestamp"]

    def __reduce__(self) -> Any:
        from ._faces import _face_state

        return _shard_face_again, (*_face_state(self), self._sample, self._place)


def _shard_face_again(packed: Any, au_names: Any, emotion_names: Any, sample: Any, place: Any) -> ShardFace:
    return ShardFace(_Table(packed, au_names, emotion_names), 0, sample, place)


class FaceBatch(Sequence[ShardFace]):
    """Some faces of a dataset, N of them, as arrays on top of each other; also a sequence of them."""

    __slots__ = ("_table", "_samples", "_places")

    def __init__(self, table: _Table, samples: List[Dict[str, Any]], places: List[Tuple[str, int]]):
        self._table = table
        self._samples = samples
        self._places = places

    @property
    def au_names(self) -> Tuple[str, ...]:
        """A names, in the order of the AU arrays."""
        return self._table.au_names

    @property
    def box(self) -> npt.NDArray[np.float32]:
        """(N, 4), see :attr:`Face.box`."""
        return self._table.values[:, 0:4]

    @property
    def pose(self) -> npt.NDArray[np.float32]:
        """(N, 3), see :attr:`Face.pose`."""
        return self._table.values[:, 4:7]

    @property
    def quality(self) -> npt.NDArray[np.float32]:
        """(N,), see :attr:`Face.quality`."""
        return self._table.values[:, 13]

    @property
    def landmarks(self) -> npt.NDArray[np.float32]:
        """(N, 68, 2), see :attr:`Face.landmarks`."""
        return self._table.values[:, 16:152].reshape(len(self), 68, 2)

    @property
    def landmarks_dense(self) -> Optional[npt.NDArray[np.float32]]:
        """(N, 82, 2), NaN for faces of shards without, see :attr:`Face.landmarks_dense`; None where none has any."""
        return self._table.dense

    @property
    def au_intensity(self) -> npt.NDArray[np.float32]:
        """(N, A) 0..5."""
        return self._table.au_column(0)

    @property
    def au_probability(self) -> npt.NDArray[np.float32]:
        """(N, A) 0..1."""
        return self._table.au_column(1)

    @property
    def au_visible(self) -> npt.NDArray[np.float32]:
        """(N, A) 0 or 1, see :attr:`Face.au_visible`."""
        return self._table.au_column(2)

    @property
    def au_left(self) -> npt.NDArray[np.float32]:
        """(N, A) 0..5, NaN where there is none, see :attr:`Face.au_left`."""
        return self._table.au_column(3)

    @property
    def au_right(self) -> npt.NDArray[np.float32]:
        """(N, A) likewise."""
        return self._table.au_column(4)

    @property
    def au_present(self) -> npt.NDArray[np.uint8]:
        """(N, A) uint8."""
        return self._table.present

    @property
    def emotion(self) -> List[str]:
        """N names, see :attr:`Face.emotion`."""
        return [self._table.emotion_names[code] for code in self._table.codes[:, 0].tolist()]

    def crops(self) -> npt.NDArray[np.uint8]:
        """(N, H, W, 3) RGB: the aligned crops, decoded.

        Raises BadInputError when bytes are damaged or a shard has no crops, UsageError when the crops are not all of one
        size.
        """
        import numpy

        decoded = [_decode_crop(crop) for crop in self._table.crops]
        sizes = {crop.shape for crop in decoded}
        if len(sizes) > 1:
            raise UsageError(f"crops of different sizes ({', '.join(map(str, sorted(sizes)))}); take face.crop of each")
        return numpy.stack(decoded) if decoded else numpy.zeros((0, 0, 0, 3), numpy.uint8)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        at = range(len(self))[index]
        return ShardFace(self._table, at, self._samples[at], self._places[at])

    def __repr__(self) -> str:
        return f"<auforge.FaceBatch {len(self)} faces>"


class ShardDataset(Sequence[ShardFace]):
    """The faces of finished shards, in order; made by :func:`open_shards`.

    ``len(faces)``, ``faces[i]`` (a :class:`ShardFace`), ``faces[10:20]``, ``faces[mask]`` and ``faces[[3, 1, 2]]`` (datasets
    again; nothing is read). Shards are opened when a face of theirs is wanted, and the last few are kept open.

    May be used by several threads, after a fork, and pickled: each process opens files of its own.
    """

    def __init__(self, files: List[str], folder: str, outlines: List[Dict[str, Any]], rows: Any = None):
        import numpy

        self._files = files
        self._folder = folder  # whose finished shards these are; "": files from anywhere
        self._outlines = outlines
        counts = [outline["faces"] for outline in outlines]
        self._starts = numpy.concatenate([[0], numpy.cumsum(counts, dtype=numpy.int64)]).astype(numpy.int64)
        self._rows = rows  # of all shards' faces, those in this dataset; None: all
        self._au_names: Tuple[str, ...] = tuple(outlines[0]["au_names"])
        self._emotion_names = tuple(dict.fromkeys(name for outline in outlines for name in outline["emotion_names"]))
        self._open: "OrderedDict[int, Any]" = OrderedDict()
        self._process = 0

    @property
    def au_names(self) -> Tuple[str, ...]:
        """A names, in the order of all AU arrays."""
        return self._au_names

    @property
    def files(self) -> Tuple[str, ...]:
        """The shards' files, in order."""
        return tuple(self._files)

    def __len__(self) -> int:
        return int(self._starts[-1]) if self._rows is None else len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        import numpy

        if isinstance(index, slice) or not hasattr(index, "__index__") or getattr(index, "ndim", 0) > 0:
            rows = numpy.arange(len(self), dtype=numpy.int64) if self._rows is None else self._rows
            if not isinstance(index, slice):
                index = numpy.asarray(index)
                if index.size == 0:
                    index = index.astype(numpy.int64)
            try:
                return self._of(rows[index])
            except IndexError as error:
                raise IndexError(f"{error}; the dataset has {len(self)} faces") from None
        at = int(index)
        if not -len(self) <= at < len(self):
            raise IndexError(f"face {at} of {len(self)}")
        return self._batch([at % len(self)])[0]

    def __iter__(self) -> Iterator[ShardFace]:
        for batch in self.iter_batches(256):
            yield from batch

    def filter(self, where: str, *, sort: str = "") -> ShardDataset:
        """The faces that ``auforge query --where`` finds.

        The index that this needs is made when it is first asked for: beside the shards of a folder, where it can be
        written, else in memory.

        Parameters
        ----------
        where : str
            ``"AU12 >= 2 and quality > .5"``, ``"AU6.probability > 0.8 & yaw = -15..15"``, ``"emotion:happy"``,
            ``"keyword:anx* | source:flickr.com"``, ``"AU12.left > AU12.right + 1"``; "" for all. docs/using-the-crawl.md
            has the grammar.
        sort : str
            "AU12", "quality", "size", … (highest first; "+AU12": lowest first), "random" or "random:SEED". "": in order.

        Returns
        -------
        ShardDataset
            of those of this dataset's faces, read lazily like any other.

        Raises
        ------
        UsageError
            The query is not understood; the text points at the column and names the nearest valid word.
        BadInputError
            A shard is damaged.
        """
        import numpy

        core().check_query(where)
        with hdf5_lock:
            answer = core().find_faces(os.fsencode(self._folder), list(map(os.fsencode, self._files)), where, sort)
        shards, rows = (numpy.asarray(found) for found in answer)
        found = self._starts[:-1][shards] + rows
        if self._rows is not None:
            mine = numpy.zeros(int(self._starts[-1]), bool)
            mine[self._rows] = True
            if sort:
                found = found[mine[found]]
            else:  # in the order of this dataset
                wanted = numpy.zeros_like(mine)
                wanted[found] = True
                found = self._rows[wanted[self._rows]]
        return self._of(found)

    def iter_batches(self, n: int, *, crops: bool = True) -> Iterator[FaceBatch]:
        """The faces in batches of ``n``, fewer in the last.

        Parameters
        ----------
        n : int
            Faces a batch, >= 1.
        crops : bool
            False leaves the pictures unread: faster where only numbers are wanted.
        """
        if n < 1:
            raise UsageError(f"n = {n}; must be >= 1")
        return (self._batch(range(begin, min(begin + n, len(self))), crops) for begin in range(0, len(self), n))

    def to_pandas(self) -> pandas.DataFrame:
        """A row for each face, the columns of ``auforge export --format csv``.

        ``shard face key url keywords licence robots image_width image_height face_index box_x … yaw pitch roll quality detector_score
        emotion emotion_score emotion_rule AU1_intensity … AU1_probability … AU1_present … AU1_left … AU1_right …``
        (``emotion`` is a categorical). Needs pandas.
        """
        import numpy
        import pandas

        batches = list(self.iter_batches(4096, crops=False))
        if not batches:
            batches = [self._batch([])]
        values = numpy.concatenate([batch._table.values for batch in batches])
        codes = numpy.concatenate([batch._table.codes for batch in batches])
        present = numpy.concatenate([batch._table.present for batch in batches])
        samples = [sample for batch in batches for sample in batch._samples]
        places = [place for batch in batches for place in batch._places]
        names = [os.path.basename(path) for path, _ in places]
        columns: Dict[str, Any] = {"shard": names, "face": numpy.array([row for _, row in places], numpy.int64)}
        for name in ("key", "url", "keywords", "licence", "robots"):
            columns[name] = [sample[name] for sample in samples]
        for name in ("width", "height"):
            columns["image_" + name] = numpy.array([sample[name] for sample in samples], numpy.int32)
        columns["face_index"] = codes[:, 2]
        for at, name in enumerate(("box_x", "box_y", "box_width", "box_height", "yaw", "pitch", "roll")):
            columns[name] = values[:, at]
        columns["quality"], columns["detector_score"] = values[:, 13], values[:, 14]
        emotions = pandas.Index(self._emotion_names)
        columns["emotion"] = pandas.Categorical.from_codes(codes[:, 0], emotions)
        columns["emotion_score"] = values[:, 15]
        columns["emotion_rule"] = pandas.Categorical.from_codes(codes[:, 1], emotions)
        table = _Table({"values": values, "present": present, "codes": codes, "crops": []}, self._au_names, ())
        for kind, column in (("intensity", 0), ("probability", 1), ("present", None), ("left", 3), ("right", 4)):
            part = present if column is None else table.au_column(column)
            for j, name in enumerate(self._au_names):
                if kind not in ("left", "right") or not numpy.isnan(part[:, j]).all():
                    columns[f"{name}_{kind}"] = part[:, j]
        return pandas.DataFrame(columns)

    def to_torch(self, transform: Optional[Callable[[Any], Any]] = None) -> FaceDataset:
        """A ``torch.utils.data.Dataset`` of ``{"image", "au_intensity", "au_present"}``.

        Each item is a dict: ``image`` (3, H, W) float32 0..1 RGB, ``au_intensity`` (A,) float32 0..5, ``au_present``
        (A,) float32 0 or 1. Give it to a DataLoader with any number of workers, forked or spawned. Needs torch.

        Parameters
        ----------
        transform : callable, optional
            Is given the (H, W, 3) uint8 array of the crop; what it returns is ``image``.
        """
        from ._torch import FaceDataset

        return FaceDataset(self, transform)

    def _of(self, rows: Any) -> ShardDataset:
        return ShardDataset(self._files, self._folder, self._outlines, rows)

    def _shard(self, number: int) -> Any:
        if self._process != os.getpid():  # a fork must not share our files' positions and locks
            for shard in self._open.values():
                _inherited.append(shard)
            self._open = OrderedDict()
            self._process = os.getpid()
        shard = self._open.pop(number, None) or core().Shard(os.fsencode(self._files[number]))
        self._open[number] = shard
        while len(self._open) > _OPEN_SHARDS:
            self._open.popitem(last=False)
        return shard

    def _batch(self, positions: Sequence[int], crops: bool = True) -> FaceBatch:
        import numpy

        rows = numpy.asarray(positions, numpy.int64)
        if self._rows is not None:
            rows = self._rows[rows]
        numbers = numpy.searchsorted(self._starts, rows, side="right") - 1
        parts, order = [], []
        for number in dict.fromkeys(numbers.tolist()):  # each shard once
            mine = numpy.flatnonzero(numbers == number)
            local = (rows[mine] - self._starts[number]).tolist()
            with hdf5_lock:
                packed = self._shard(number).faces(local, crops)
            parts.append((packed, self._recoded(packed["codes"], number), [(self._files[number], row) for row in local]))
            order.append(mine)
        if not parts:
            width = 16 + 136 + 5 * len(self._au_names)
            empty = {
                "values": numpy.zeros((0, width), numpy.float32),
                "present": numpy.zeros((0, len(self._au_names)), numpy.uint8),
                "codes": numpy.zeros((0, 4), numpy.int32),
                "crops": [],
            }
            return FaceBatch(_Table(empty, self._au_names, self._emotion_names), [], [])
        back = numpy.argsort(numpy.concatenate(order), kind="stable")
        whole: Dict[str, Any] = {
            "values": numpy.concatenate([numpy.asarray(packed["values"]) for packed, _, _ in parts])[back],
            "present": numpy.concatenate([numpy.asarray(packed["present"]) for packed, _, _ in parts])[back],
            "codes": numpy.concatenate([codes for _, codes, _ in parts])[back],
        }
        if any("dense" in packed for packed, _, _ in parts):
            points = [
                numpy.asarray(packed["dense"])
                if "dense" in packed
                else numpy.full((len(codes), 82, 2), numpy.nan, numpy.float32)
                for packed, codes, _ in parts
            ]
            whole["dense"] = numpy.concatenate(points)[back]
        flat_crops = [crop for packed, _, _ in parts for crop in packed["crops"]]
        flat_samples = [sample for packed, _, _ in parts for sample in packed["samples"]]
        flat_places = [place for _, _, places in parts for place in places]
        whole["crops"] = [flat_crops[i] for i in back.tolist()]
        table = _Table(whole, self._au_names, self._emotion_names)
        return FaceBatch(table, [flat_samples[i] for i in back.tolist()], [flat_places[i] for i in back.tolist()])

    def _recoded(self, codes: Any, number: int) -> Any:
        """Emotions as this dataset numbers them."""
        import numpy

        codes = numpy.array(codes)
        names = self._outlines[number]["emotion_names"]
        if tuple(names) != self._emotion_names and len(codes):
            table = numpy.array([self._emotion_names.index(name) for name in names], numpy.int32)
            codes[:, 0:2] = table[codes[:, 0:2]]
        return codes

    def __getstate__(self) -> Any:
        return self._files, self._folder, self._outlines, self._rows

    def __setstate__(self, state: Any) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def __repr__(self) -> str:
        return f"<auforge.ShardDataset {len(self)} faces of {len(self._files)} shards>"


# Files that a parent process opened: closing them here would take locks that nobody may be there to give back.
_inherited: List[Any] = []


def open_shards(
    paths: Union[PathLike, Sequence[PathLike]], *, skip_damaged: bool = False
) -> ShardDataset:
    """Opens the shards of a folder, or some files.

    >>> faces = auforge.open_shards("shards/")
    >>> smiles = faces.filter("AU12 >= 2 and quality > .5", sort="AU12")
    >>> smiles[0].crop.shape, len(smiles)
    ((128, 128, 3), 4711)

    Parameters
    ----------
    paths : path or sequence of paths
        Folders, whose finished shards are taken, and shard files.
    skip_damaged : bool
        Leave out shards whose head cannot be read, instead of raising BadInputError.

    Returns
    -------
    ShardDataset
        A few kilobytes of each shard were read.

    Raises
    ------
    Error
        A path is not there, or a folder has no finished shard.
    BadInputError
        A file is no shard, is damaged, or measures other AUs than those before it.
    """
    names = [os.fsdecode(path) for path in ([paths] if isinstance(paths, (str, os.PathLike)) else paths)]
    if not names:
        raise UsageError("no shard; name folders of shards or shard files")
    files: List[str] = []
    outlines: List[Dict[str, Any]] = []
    for file in core().find_shards(list(map(os.fsencode, names))):
        try:
            with hdf5_lock:
                outline = core().outline(os.fsencode(file))
        except BadInputError:
            if not skip_damaged:
                raise
            continue
        if outlines and outline["au_names"] != outlines[0]["au_names"]:
            raise BadInputError(f"{file}: measures other AUs than the shards before it; open them apart")
        files.append(file)
        outlines.append(outline)
    if not files:
        raise BadInputError(f"{names[0]}: every shard in it is damaged")
    folder = names[0] if len(names) == 1 and os.path.isdir(names[0]) else ""
    return ShardDataset(files, folder, outlines)
