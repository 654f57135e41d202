"""The compiled part, loaded when it is first needed: its libraries take longer than all of Python's own start."""

import os
import platform
import threading
from typing import Any, List

_core: Any = None

# Held while HDF5 files are read. HDF5 has one lock for everything, which a fork at the wrong moment would leave taken in
# the child for ever: forks wait until nobody reads.
hdf5_lock = threading.RLock()
os.register_at_fork(before=hdf5_lock.acquire, after_in_parent=hdf5_lock.release, after_in_child=hdf5_lock.release)

# What the code is compiled for (-march=x86-64-v3) beyond what every x86-64 processor has.
_NEEDED_FLAGS = ("avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe")


def _missing_flags(cpuinfo: str) -> List[str]:
    """Of those that are needed, what the first processor of /proc/cpuinfo lacks; nothing where it does not say."""
    for line in cpuinfo.splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "flags":
            return [flag for flag in _NEEDED_FLAGS if flag not in value.split()]
    return []


def _check_processor() -> None:
    """Raises ImportError where the compiled part would end the process with an illegal instruction."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return
    try:
        with open("/proc/cpuinfo", "rb") as file:
            missing = _missing_flags(file.read(8192).decode("ascii", "replace"))
    except OSError:
        return
    if missing:
        raise ImportError(
            "auforge is built for x86-64-v3 processors (2013 and later) and this one lacks "
            + ", ".join(missing)
            + "; build it from source with -DAUFORGE_ARCH=x86-64"
        )


def core() -> Any:
    """The module auforge._core."""
    global _core
    if _core is None:
        _check_processor()
        from . import _core as loaded  # type: ignore[attr-defined]

        _core = loaded
    return _core


def package_file(*parts: str) -> str:
    """A file that comes with the package, or "" where it does not."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), *parts)
    return path if os.path.exists(path) else ""


def model_path(model: Any) -> str:
    """The AU model to use: the one that was named, $AUFORGE_MODEL, the package's own; "": what the core finds."""
    if model is not None:
        return os.fspath(model)
    if os.environ.get("AUFORGE_MODEL"):
        return ""
    return package_file("models", "default.h5")
