"""Servers that tests start as people do."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

from tests.cores import every_core

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@contextmanager
def answering(command: Sequence[str], log: Path, health: str = "/health", **process: Any) -> Iterator[str]:
    """A command that serves on this machine, as long as it is needed: its address, once it answers.

    Args:
        command: Its words; ``--port`` is added.
        log: Where what it prints goes.
        health: The path that is asked for.
        process: Further arguments of ``subprocess.Popen``.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with every_core(), log.open("w") as out:
        server = subprocess.Popen([*command, "--port", str(port)], stdout=out, stderr=out, **process)
        try:
            for _ in range(300):
                try:
                    urlopen(f"{url}{health}", timeout=1).close()
                    break
                except (URLError, OSError):
                    assert server.poll() is None, log.read_text()
                    time.sleep(0.1)
            yield url
        finally:
            server.terminate()
            server.wait(timeout=20)
