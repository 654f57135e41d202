"""fit_readout, render_face, edit."""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from ._annotator import _as_array, _path
from ._errors import Error, NotFoundError, UsageError
from ._load import core, hdf5_lock, model_path
from ._processes import call_apart, run_program

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ._annotator import ImageLike, PathLike


def fit_readout(
    data: Union[str, Sequence[str]],
    output: PathLike,
    *,
    model: Optional[PathLike] = None,
    detector: str = "auforge",
    detector_model: Optional[PathLike] = None,
    min_face: int = 40,
    folds: int = 5,
    least_present: int = 8,
    most_lost: float = 0.01,
    jobs: int = 0,
    log: Optional[Callable[[str], None]] = None,
) -> List[Dict[str, Any]]:
    """Teaches a model's last layer by labelled photographs: what ``auforge calibrate --refit`` does.

    >>> figures = auforge.fit_readout("csv:mine.csv,images=photos/", "mine.h5")
    >>> annotator = auforge.Annotator(model="mine.h5")

    Runs in a process of its own, which Ctrl-C ends; ``output`` is then as it was.

    Parameters
    ----------
    data : str or sequence of str
        Labelled faces, ``name:path[,option=value]…``: ``"csv:mine.csv,images=photos/"`` (a row for each picture, a column
        for each AU), ``"disfa:/data/DISFA,part=learn"``, …; ``auforge train-au --help`` lists them.
    output : path
        The new model, written whole or not at all.
    model : path, optional
        The model to start from; default: as :class:`Annotator`.
    detector, detector_model, min_face
        How faces are looked for in the pictures, as for :class:`Annotator`; ``min_face`` 20..2000 pixels.
    folds : int, 2..20
        Of the people, for choosing the strength of the fit.
    least_present : int
        Photographs with an AU, and as many without it, below which the AU keeps the readout that it had.
    most_lost : float, 0..1
        Correlation with the labels of renders that an AU may lose.
    jobs : int
        Threads; 0: as many as the process may use cores.
    log : callable, optional
        Is given a line of text for each step.

    Returns
    -------
    list of dict
        One for each AU: ``au``, ``rows`` and ``present`` (labelled photographs, and those with the AU), ``refitted``,
        ``why`` (where it was not), ``auc_before`` and ``auc_after`` (of people left out in turn), ``share`` and
        ``share_before`` (labelled present; claimed by the model before).

    Raises
    ------
    UsageError
        A SPEC is not understood, an option is out of range, the output's folder is not there.
    BadInputError
        The labels are damaged, or no AU has enough of them.
    Error
        A file is missing.
    """
    arguments = {
        "data": [data] if isinstance(data, str) else list(data),
        "model": _path(model_path(model)),
        "output": _path(output),
        "detector": detector,
        "detector_model": _path(detector_model),
        "min_face": min_face,
        "folds": folds,
        "least_present": least_present,
        "most_lost": most_lost,
        "jobs": jobs,
    }
    return call_apart("refit", arguments, log)


class RenderedFace:
    """A made-up face and everything exact about it."""

    __slots__ = ("image", "landmarks", "au_names", "au_intensity", "au_left", "au_right")

    def __init__(self, drawn: Mapping[str, Any], au_names: Tuple[str, ...]):
        import numpy

        #: (size, size, 3) uint8 RGB.
        self.image: "npt.NDArray[np.uint8]" = numpy.asarray(drawn["image"])
        #: (68, 2) x, y in pixels of the image.
        self.landmarks: "npt.NDArray[np.float32]" = numpy.asarray(drawn["landmarks"])
        #: A names, in the order of the AU arrays.
        self.au_names = au_names
        #: (A,) 0..5, of the stronger half.
        self.au_intensity: "npt.NDArray[np.float32]" = numpy.asarray(drawn["au_intensity"])
        #: (A,) of the subject's left half.
        self.au_left: "npt.NDArray[np.float32]" = numpy.asarray(drawn["au_left"])
        #: (A,) of the right half.
        self.au_right: "npt.NDArray[np.float32]" = numpy.asarray(drawn["au_right"])

    @property
    def aus(self) -> Dict[str, float]:
        """``{"AU1": 0.0, …}``: the intensities by name, 0..5."""
        return dict(zip(self.au_names, self.au_intensity.tolist()))

    def __repr__(self) -> str:
        shown = " ".join(f"{name}={value:g}" for name, value in self.aus.items() if value)
        return f"<auforge.RenderedFace {self.image.shape[1]} pixels{': ' if shown else ''}{shown}>"


@functools.lru_cache(maxsize=2)
def _studio(face_model: bytes, size: int) -> Any:
    with hdf5_lock:
        return core().FaceStudio(face_model, size)


def render_face(
    aus: Mapping[str, Any],
    seed: int = 1,
    *,
    face_model: Optional[PathLike] = None,
    size: int = 256,
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
    skin: Optional[float] = None,
) -> RenderedFace:
    """Draws a person who does not exist, with the AUs asked for, in plain light (method cg of ``auforge synth``).

    >>> face = auforge.render_face({"AU12": 3, "AU6": 2}, seed=7)
    >>> one_sided = auforge.render_face({"AU12": (3, 0)}, seed=7)        # (left, right) of the subject

    Parameters
    ----------
    aus : mapping of str to float or (float, float)
        Intensity 0..5 of each AU, or of its left and right half; all others are 0.
    seed : int
        Who it is: the same person for the same seed.
    face_model : path, optional
        From ``auforge synth import-model``. Default: ``$AUFORGE_FACE_MODEL``, else face.h5 in the
        current folder.
    size : int, 64..1024
        Side of the picture, pixels.
    yaw, pitch, roll : float
        The head's direction, degrees; > 0: turned to the image's right, up, leaning to the image's right.
    skin : float, optional
        Melanin, 0.1 (light) to 2.4 (dark); default: the person's own.

    Raises
    ------
    UsageError
        An AU is not in the catalogue, an intensity not within 0..5.
    Error
        The face model is not there.
    """
    path = _path(face_model or os.environ.get("AUFORGE_FACE_MODEL") or "face.h5")
    left: Dict[str, float] = {}
    right: Dict[str, float] = {}
    for name, value in aus.items():
        try:
            halves = [float(half) for half in value] if hasattr(value, "__len__") else [float(value)] * 2
        except (TypeError, ValueError):
            halves = []
        if len(halves) != 2:
            raise UsageError(f"{name} = {value!r}; must be a number 0..5, or (left, right)")
        left[name], right[name] = halves
    if skin is not None and not 0.1 <= skin <= 2.4:
        raise UsageError(f"skin = {skin}; must be 0.1..2.4")
    drawn = _studio(path, size).draw(seed, -1.0 if skin is None else skin, left, right, [yaw, pitch, roll])
    return RenderedFace(drawn, core().catalogue)


def _gan_program() -> str:
    named = os.environ.get("AUFORGE_GAN")
    found = named if named and os.access(named, os.X_OK) else shutil.which("auforge-gan")
    if not found:
        raise NotFoundError(
            "auforge-gan is not installed: the Python package comes without the generator. Install AuForge's programs, put"
            " auforge-gan on the PATH or name it in $AUFORGE_GAN"
        )
    return found


def edit(
    image: ImageLike,
    aus: Mapping[str, float],
    *,
    checkpoint: Optional[PathLike] = None,
    min_face: int = 60,
) -> npt.NDArray[np.uint8]:
    """Changes the AUs of every face of a photograph, by the program auforge-gan (``auforge gan edit``).

    >>> smiling = auforge.edit("photo.jpg", {"AU12": 0.8, "AU6": 0.5})

    Parameters
    ----------
    image
        As :meth:`Annotator.annotate` takes one.
    aus : mapping of str to float
        0..1 for each AU (a fifth of FACS intensities, as GANimation has them); the others stay as they are.
    checkpoint : path, optional
        A run's folder or a checkpoint; default: what the program does by itself.
    min_face : int, 20..2000
        Smallest face to look for, pixels.

    Returns
    -------
    (H, W, 3) uint8 RGB array
        The photograph with its faces changed.

    Raises
    ------
    NotFoundError
        auforge-gan is not installed.
    UsageError, BadInputError, Error
        What the program says.
    """
    program = _gan_program()
    with tempfile.TemporaryDirectory(prefix="auforge-edit-") as folder:
        output = os.path.join(folder, "edited.png")
        command = [program, "edit", _as_file(image, folder), "-o", output, "--min-face", str(min_face)]
        command += ["--au", ",".join(f"{name}={float(value):g}" for name, value in aus.items())]
        if checkpoint is not None:
            command += ["--checkpoint", os.fspath(checkpoint)]
        run_program(command)
        try:
            with open(output, "rb") as file:
                encoded = file.read()
        except OSError as error:
            raise Error(f"auforge-gan wrote no picture: {error}") from error
    import numpy

    return numpy.asarray(core().decode_rgb(encoded))


def _as_file(image: Any, folder: str) -> str:
    """The image as a file: itself, or one in the folder."""
    if isinstance(image, (str, os.PathLike)):
        return os.fspath(image)
    image = _as_array(image)
    path = os.path.join(folder, "image")
    if getattr(image, "ndim", 1) != 1:
        core().write_png(os.fsencode(path), image)
    else:
        with open(path, "wb") as file:
            file.write(getattr(image, "data", image))
    return path
