"""A real browser: Chromium without a window, driven over a pipe by its DevTools protocol."""

import json
import os
import select
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import F_DUPFD, fcntl
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

#: Seconds after which a browser that does not answer is taken for dead.
_PATIENCE = 300
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)


class Page:
    """A page in a browser.

    Parameters
    ----------
    commands, answers : int
        File descriptors that Chromium reads and writes.
    """

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._number = 0
        self._rest = b""
        self._session: dict[str, str] = {}
        #: Addresses of all requests.
        self.requests: list[str] = []
        #: What the page complains about: violations of its policy, scripts that fail.
        self.complaints: list[str] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = {
            "sessionId": self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        }
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> Any:
        """The result of a command."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters, **self._session}
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        return self._until(lambda answer: answer.get("id") == self._number)["result"]

    def open(self, path: Path, *, width: int, height: int = 800) -> None:
        """Open a file in a window of so many pixels, and wait until all of it is there."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.ask("Page.navigate", url=path.resolve().as_uri())
        self._until(lambda answer: answer.get("method") == "Page.loadEventFired")

    def value(self, expression: str) -> Any:
        """What an expression in JavaScript gives, as plain data."""
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"]["value"]

    def _until(self, wanted: Any) -> Any:
        while True:
            answer = self._next()
            match answer.get("method"):
                case "Network.requestWillBeSent":
                    self.requests.append(answer["params"]["request"]["url"])
                case "Log.entryAdded":
                    self.complaints.append(answer["params"]["entry"]["text"])
            if wanted(answer):
                if "error" in answer:
                    raise RuntimeError(answer["error"])
                return answer

    def _next(self) -> Any:
        while b"\0" not in self._rest:
            if not select.select([self._answers], [], [], _PATIENCE)[0]:
                raise RuntimeError("the browser does not answer")
            more = os.read(self._answers, 1 << 16)
            if not more:
                raise RuntimeError("the browser has ended")
            self._rest += more
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)


@contextmanager
def chromium() -> Iterator[Page]:
    """An empty page in a browser of its own, which resolves no name of a host."""
    program = shutil.which("chromium")
    if program is None:
        raise RuntimeError("chromium is missing: run tools/setup.sh test")
    theirs, ours = [], []
    for back in (False, True):
        ends = [fcntl(end, F_DUPFD, 10) for end in _pipe()]
        theirs.append(ends[back])
        ours.append(ends[not back])
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        nothing = os.open(os.devnull, os.O_RDWR)
        actions = [
            *((os.POSIX_SPAWN_DUP2, nothing, stream) for stream in (0, 1, 2)),
            *((os.POSIX_SPAWN_DUP2, end, number) for number, end in enumerate(theirs, 3)),
        ]
        process = os.posix_spawn(
            program,
            [program, *_OPTIONS, f"--user-data-dir={folder}"],
            os.environ,
            file_actions=actions,
            setsid=True,
        )
        for end in (*theirs, nothing):
            os.close(end)
        try:
            yield Page(*ours)
        finally:
            os.killpg(process, signal.SIGKILL)
            os.waitpid(process, 0)
            for end in ours:
                os.close(end)


def _pipe() -> Iterator[int]:
    """Both ends of a pipe, each closed after it was copied."""
    ends = os.pipe()
    for end in ends:
        yield end
        os.close(end)
