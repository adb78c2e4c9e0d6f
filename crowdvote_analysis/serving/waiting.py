"""Who waits for a calculation at a page, and may give it up there.

While a page calculates it takes no message of its controls, so the button of its own goes to the server beside it.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from threading import Event
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

# Where somebody gives up; a token follows, that only the page which waits knows.
GIVE_UP = "/give-up"


class Waiting:
    """The calculations that the pages of one server wait for."""

    def __init__(self) -> None:
        self._given_up: dict[str, Event] = {}

    @contextmanager
    def begin(self) -> Iterator[tuple[str, Event]]:
        """Wait for a calculation: where to send whoever gives it up, and what is set when somebody does."""
        token, given_up = secrets.token_urlsafe(24), Event()
        self._given_up[token] = given_up
        try:
            yield f"{GIVE_UP}/{token}", given_up
        finally:
            del self._given_up[token]

    async def answer(self, request: Request) -> Response:
        """Give a calculation up; the page stays where it is, and says what became of it."""
        from starlette.responses import Response

        given_up = self._given_up.get(request.path_params["token"])
        if given_up is not None:
            given_up.set()
        return Response(status_code=204)
