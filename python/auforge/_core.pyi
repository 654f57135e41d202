"""The compiled part, for type checkers; python/src defines it. Not for users."""

from typing import Any, Callable, Dict, Iterator, List, Sequence, Tuple, Union

_Path = Union[str, bytes]
_Pixels = Any

version: str
catalogue: Tuple[str, ...]

class Block:
    """Numbers, through the buffer protocol."""

class SourceImage:
    key: str
    path: str
    data: bytes
    url: str
    keywords: str
    licence: str
    robots: str
    frame: int
    timestamp: float
    status: str
    message: str

class ImageReader:
    def __init__(self, inputs: Sequence[_Path], max_bytes: int) -> None: ...
    def __iter__(self) -> Iterator[SourceImage]: ...
    def __next__(self) -> SourceImage: ...

class Labeller:
    au_names: List[str]
    model_digest: str
    provenance: str
    detector: str
    landmarks: str
    jobs: int
    def __init__(self, options: Dict[str, Any]) -> None: ...
    def stop(self) -> None: ...

class LabelStream:
    full: bool
    empty: bool
    def __init__(self, labeller: Labeller) -> None: ...
    def add(self, image: Any) -> None: ...
    def flush(self) -> None: ...
    def pop(self) -> List[Dict[str, Any]]: ...

class Shard:
    def __init__(self, path: _Path) -> None: ...
    def faces(self, rows: Sequence[int], with_crops: bool) -> Dict[str, Any]: ...
    def crop(self, row: int) -> bytes: ...

class FaceStudio:
    def __init__(self, face_model: _Path, size: int) -> None: ...
    def draw(
        self, seed: int, melanin: float, left: Dict[str, float], right: Dict[str, float], pose: Sequence[float]
    ) -> Dict[str, Block]: ...

def decode_rgb(encoded: bytes) -> Block: ...
def write_png(path: _Path, pixels: _Pixels) -> None: ...
def emotion_names() -> List[str]: ...
def outline(path: _Path) -> Dict[str, Any]: ...
def find_shards(paths: Sequence[_Path]) -> List[str]: ...
def find_faces(folder: _Path, paths: Sequence[_Path], where: str, sort: str) -> Tuple[Block, Block]: ...
def check_query(where: str) -> None: ...
def refit(
    data: Sequence[str],
    model: _Path,
    output: _Path,
    detector: str,
    detector_model: _Path,
    min_face: int,
    folds: int,
    least_present: int,
    most_lost: float,
    jobs: int,
    say: Callable[[str], None],
) -> List[Dict[str, Any]]: ...
