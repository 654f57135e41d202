"""Annotator: images in, labelled faces out."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Optional, Sequence, Tuple, Union, overload

from ._errors import NotFoundError, UsageError
from ._faces import Result
from ._load import core, hdf5_lock, model_path

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    PathLike = Union[str, "os.PathLike[str]"]
    ImageLike = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, npt.NDArray[np.uint8], "SourceImage"]


def _path(path: Any) -> bytes:
    """As the system spells it; not every name is UTF-8."""
    return b"" if path is None else os.fsencode(path)


def _as_array(image: Any) -> Any:
    """What offers its pixels in another way than by the buffer protocol: PIL's images, tensors."""
    if isinstance(image, (str, bytes, bytearray, memoryview, os.PathLike)):
        return image
    kind = type(image)
    if kind.__module__.partition(".")[0] == "PIL":
        if image.mode not in ("RGB", "L"):
            raise UsageError(f"a PIL image of mode {image.mode}: convert it, image.convert('RGB')")
        import numpy

        return numpy.asarray(image)
    try:
        memoryview(image)
        return image
    except (TypeError, ValueError, BufferError):
        pass
    if hasattr(image, "__array__") or hasattr(image, "__array_interface__"):
        import numpy

        try:
            return numpy.asarray(image)
        except Exception as error:
            raise UsageError(f"{kind.__name__} does not become an array of pixels: {error}") from error
    return image


def _is_one(images: Any) -> bool:
    """Whether that is one image, not several."""
    if isinstance(images, (str, bytes, bytearray, os.PathLike)) or type(images).__name__ == "SourceImage":
        return True
    if type(images).__module__.partition(".")[0] == "PIL":
        return True
    dimensions = getattr(images, "ndim", None)
    if isinstance(dimensions, int):
        if dimensions == 1 and getattr(getattr(images, "dtype", None), "kind", "u") in "OSU":
            return False  # a column of paths
        return dimensions <= 3  # four: a batch of arrays
    return not hasattr(images, "__iter__")


class Annotator:
    """Finds the faces of images and labels them with FACS Action Units.

    The labels are those of ``auforge annotate``, bit by bit: the same code makes them.

    >>> annotator = auforge.Annotator()
    >>> result = annotator.annotate("photo.jpg")
    >>> result.status, len(result)
    ('ok', 2)
    >>> result[0].aus["AU12"]            # 0..5
    2.7
    >>> for result in annotator.annotate(auforge.read_images("crawl/{00000..00099}.tar")):
    ...     for face in result: ...

    Parameters
    ----------
    model : path, optional
        AU model, as ``auforge calibrate`` or :func:`auforge.fit_readout` writes it. Default: ``$AUFORGE_MODEL``, else the
        one that comes with the package.
    landmarks : "auforge", "dlib", path, optional
        What finds the 68 points; it must be what the model was trained with. Default: ``$AUFORGE_LANDMARKS``, else the
        model's: "auforge" are the nets that come with the package, "dlib" the weights of Debian's package libdlib-data
        for models of their points, which their upstream calls non-commercial. A path names a file of either kind.
    detector : "auforge", "hog" or "yunet"
        "auforge" comes with the package and finds turned and small faces, too; "hog" is dlib's, slower and for frontal
        faces; "yunet" needs ``detector_model``.
    detector_model : path, optional
        YuNet's file, ``face_detection_yunet_2022mar.onnx``, or another net of auforge's.
    min_face : int, 20..2000
        Smallest face to look for, pixels; 40 takes 4 times as long as 80.
    jobs : int, 0..1024
        Threads. 0: as many as the process may use cores (affinity, cgroup, SLURM_CPUS_PER_TASK).
    min_quality : float, 0..1
        Leave out faces of lower quality.
    detector_threshold : float
        Added to the detector's own; higher: surer faces.
    crop_size : int, 16..2048
        Side of the crops, pixels.
    jpeg_quality : int, 1..100
        Of the crops.
    full_size : bool
        Decode every JPEG at full size, even where ``min_face`` needs less.
    dense : bool
        Lids, irises and lips by denser points, too: :attr:`Face.landmarks_dense`.
    max_pixels, max_bytes : int
        Images with more pixels (default 100 million) or files of more bytes (64 MiB) get status "too_large".
    batch : int, 1..1024
        Images that travel together. More cost memory and save time; 1 gives each result as soon as it can be had.

    Raises
    ------
    UsageError
        An option makes no sense.
    BadInputError
        The model or the weights are damaged or of another kind.
    Error
        A file is missing; the text says what to do.

    Notes
    -----
    *Threads.* One Annotator may be used from any number of Python threads; they share its ``jobs`` threads. The GIL is
    released while images are decoded, searched and labelled.

    *Processes.* An Annotator survives ``os.fork``: the child starts threads of its own with the first image. It can be
    pickled (workers that are spawned load its models anew). An iterator that was begun belongs to its process.

    *Memory.* About 400 MB, and at most ``3 * jobs`` batches of images, however many are annotated.

    *Ctrl-C* raises KeyboardInterrupt at once; what was in work is dropped.
    """

    def __init__(
        self,
        model: Optional[PathLike] = None,
        landmarks: Optional[PathLike] = None,
        detector: str = "auforge",
        detector_model: Optional[PathLike] = None,
        min_face: int = 80,
        jobs: int = 0,
        *,
        min_quality: float = 0.0,
        detector_threshold: float = 0.0,
        crop_size: int = 128,
        jpeg_quality: int = 92,
        full_size: bool = False,
        dense: bool = False,
        max_pixels: int = 100_000_000,
        max_bytes: int = 64 << 20,
        batch: int = 16,
    ):
        self._options = {
            "model": _path(model_path(model)),
            "landmarks": _path(landmarks),
            "detector": detector,
            "detector_model": _path(detector_model),
            "min_face": min_face,
            "jobs": jobs,
            "min_quality": min_quality,
            "detector_threshold": detector_threshold,
            "crop_size": crop_size,
            "jpeg_quality": jpeg_quality,
            "full_size": full_size,
            "dense": dense,
            "max_pixels": max_pixels,
            "max_bytes": max_bytes,
            "batch": batch,
        }
        self._open()

    def _open(self) -> None:
        with hdf5_lock:
            self._labeller = core().Labeller(self._options)
        self._au_names: Tuple[str, ...] = tuple(self._labeller.au_names)
        self._emotion_names: Tuple[str, ...] = tuple(core().emotion_names())
        _stop_at_exit(self)

    @property
    def au_names(self) -> Tuple[str, ...]:
        """``("AU1", "AU2", …)``: the A Action Units that the model measures, in the order of all AU arrays."""
        return self._au_names

    @property
    def emotion_names(self) -> Tuple[str, ...]:
        """All categories that :attr:`Face.emotion` may be."""
        return self._emotion_names

    @property
    def model_digest(self) -> str:
        """SHA-256 of the AU model, as shards carry it."""
        return self._labeller.model_digest

    @property
    def jobs(self) -> int:
        """Threads."""
        return self._labeller.jobs

    @overload
    def annotate(self, images: ImageLike) -> Result: ...  # type: ignore[overload-overlap]

    @overload
    def annotate(self, images: Iterable[ImageLike]) -> Iterator[Result]: ...

    def annotate(self, images: Union[ImageLike, Iterable[ImageLike]]) -> Union[Result, Iterator[Result]]:
        """Labels one image, or any number of them.

        Parameters
        ----------
        images
            One image: a path; the bytes of a picture file (JPEG, PNG, WebP, BMP, TIFF, GIF); an array of pixels,
            H x W x 3 RGB or H x W grey, uint8, upright, of any strides; a PIL image; an image of :func:`read_images`.
            Or an iterable of such (also an N x H x W x 3 array).

        Returns
        -------
        Result
            of one image, or
        iterator of Result
            of an iterable: one for each, in order, as they are done. The iterable is read as results are taken, at most
            ``3 * jobs * batch`` images ahead, so that it may be endless.

        Raises
        ------
        NotFoundError
            The one path that was named is not there. Within an iterable that is the Result's status, "unreadable".
        UsageError
            Something is no image: an array of another type, of four channels, without pixels. Within an iterable this,
            and whatever the iterable itself raises, comes after the results of the images before.
        """
        if not _is_one(images):
            return self._annotate_many(iter(images))  # type: ignore[arg-type]
        if isinstance(images, (str, os.PathLike)) and not os.path.lexists(images):
            raise NotFoundError(f"{os.fsdecode(images)}: no such file or folder")
        stream = core().LabelStream(self._labeller)
        stream.add(_as_array(images))
        stream.flush()
        return self._result(stream.pop()[0])

    def _annotate_many(self, images: Iterator[Any]) -> Iterator[Result]:
        stream = core().LabelStream(self._labeller)
        fault: Optional[BaseException] = None
        while fault is None:
            try:
                image = next(images)
                stream.add(_as_array(image))
            except StopIteration:
                break
            except Exception as error:  # comes in its place
                fault = error
            if stream.full:
                yield from map(self._result, stream.pop())
        stream.flush()
        while not stream.empty:
            yield from map(self._result, stream.pop())
        if fault is not None:
            raise fault

    def _result(self, packed: Any) -> Result:
        return Result(packed, self._au_names, self._emotion_names)

    def close(self) -> None:
        """Ends the threads. The next image starts them again."""
        self._labeller.stop()

    def __enter__(self) -> Annotator:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __getstate__(self) -> Any:
        return self._options

    def __setstate__(self, options: Any) -> None:
        self._options = options
        self._open()

    def __repr__(self) -> str:
        return f"<auforge.Annotator {len(self.au_names)} AUs, {self._options['detector']}, {self.jobs} threads>"


_open_annotators: "weakref.WeakSet[Annotator]" = weakref.WeakSet()


def _stop_at_exit(annotator: Annotator) -> None:
    """Threads in the middle of their work must not see the libraries' own end."""
    if not _open_annotators:
        import atexit

        atexit.unregister(_stop_all)
        atexit.register(_stop_all)
    _open_annotators.add(annotator)


def _stop_all() -> None:
    for annotator in list(_open_annotators):
        annotator.close()


if TYPE_CHECKING:

    class SourceImage:
        """An image of :func:`read_images`, with what is known about it."""

        key: str
        path: str
        data: bytes
        url: str
        keywords: str
        licence: str
        frame: int
        timestamp: float
        status: str
        message: str


def read_images(
    inputs: Union[PathLike, Sequence[PathLike]], *, max_bytes: int = 64 << 20
) -> Iterator[SourceImage]:
    """Reads images as ``auforge annotate`` does, in its order, one at a time.

    Parameters
    ----------
    inputs : path or sequence of paths
        Image files, folders, ``@list`` files (a path a line), tars (also .gz and .zst), videos (where the program
        auforge-video is installed), and braces: ``"crawl/{00000..00099}.tar"``.
    max_bytes : int
        Files of more bytes are not read; their status is "too_large".

    Returns
    -------
    iterator of SourceImage
        with ``key``, ``data`` (the encoded bytes), ``url``, ``keywords``, ``licence``, ``frame``, ``timestamp``,
        ``status`` ("ok", or why it could not be read) and ``message``. Hand it to :meth:`Annotator.annotate`.

    Raises
    ------
    Error
        An input is not there.
    BadInputError
        There is no image in any of them.
    """
    names = [inputs] if isinstance(inputs, (str, bytes, os.PathLike)) else list(inputs)
    return core().ImageReader([os.fsencode(name) for name in names], max_bytes)
