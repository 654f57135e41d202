"""Work that another process does, so that Ctrl-C ends it at once."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from ._errors import BadInputError, Error, UsageError


@contextlib.contextmanager
def _interrupts_later() -> Iterator[None]:
    """Ctrl-C while a process is being started would lose it: it comes when the process is known."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return
    came: List[Tuple[int, Any]] = []
    signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        before(*came[0])


def _end(child: "subprocess.Popen[bytes]") -> None:
    child.terminate()
    try:
        child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def run_program(command: List[str]) -> str:
    """Runs a program of AuForge; its standard output. What it fails with is raised by its exit status."""
    child: Optional["subprocess.Popen[bytes]"] = None
    try:
        with _interrupts_later():
            child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        output, said = child.communicate()
    except BaseException:
        if child is not None:
            _end(child)
        raise
    if child.returncode == 0:
        return output.decode("utf-8", "replace")
    text = said.decode("utf-8", "replace").strip()
    kind = {2: UsageError, 3: BadInputError}.get(child.returncode, Error)
    raise kind(text or f"{command[0]} ended with status {child.returncode}")


def call_apart(function: str, arguments: Dict[str, Any], say: Optional[Callable[[str], None]]) -> Any:
    """core().function(**arguments, say=…) in a process of its own; lines that it says go to ``say``."""
    environment = dict(os.environ)
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package, environment.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", "auforge._processes"]
    child: Optional["subprocess.Popen[bytes]"] = None
    try:
        with _interrupts_later():
            child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(pickle.dumps((function, arguments)))
        child.stdin.close()
        while True:
            try:
                kind, value = pickle.load(child.stdout)
            except EOFError:
                raise Error(f"{function}: the process ended with status {child.wait()}") from None
            if kind == "say":
                if say is not None:
                    say(value)
            elif kind == "fault":
                raise value
            else:
                return value
    finally:
        if child is not None:
            _end(child)
            if child.stdout is not None:
                child.stdout.close()


def _serve() -> None:
    from ._load import core

    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no answer

    def answer(message: Tuple[str, Any]) -> None:
        answers.write(pickle.dumps(message))
        answers.flush()

    function, arguments = pickle.load(sys.stdin.buffer)
    try:
        value = getattr(core(), function)(**arguments, say=lambda text: answer(("say", text)))
    except Exception as error:
        return answer(("fault", error))
    answer(("value", value))


if __name__ == "__main__":
    _serve()
