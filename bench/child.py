"""A far end in a process of its own: prints "ready", and at the end of its standard input a line of JSON."""

import json
import subprocess
import sys
from types import TracebackType
from typing import Any, Self


class Child:
    """The process, as a context."""

    def __init__(self, module: str, *arguments: object) -> None:
        self._module = module
        self._arguments = [str(each) for each in arguments]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", self._module, *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{self._module} did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def end(self) -> dict[str, Any]:
        """End it; what it has to say."""
        answer, _ = self._process.communicate(timeout=60)
        said: dict[str, Any] = json.loads(answer)
        return said
