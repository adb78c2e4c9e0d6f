"""What somebody does at a page, as against what a page does by itself: only the former keeps a session alive.

A page of marimo talks to its server as long as it is open. A clock on it (``mo.ui.refresh``), a table that is drawn, a
connection that comes back and a person at a slider all send requests of the same kind, so none of them counts. Instead
each page tells the server now and then that somebody has pressed, typed or scrolled there, which a browser knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any

# Where a page says so.
DOING = "/doing"

# At most once a minute; "isTrusted" is said of what a person does, and of nothing that a script makes up.
SCRIPT = f"""<script>(() => {{
let told = -Infinity
const tell = event => {{
if (!event.isTrusted || performance.now() - told < 60000) return
told = performance.now()
fetch("{DOING}", {{method: "POST"}}).catch(() => {{}})
}}
for (const kind of ["pointerdown", "keydown", "wheel", "touchmove"])
addEventListener(kind, tell, {{capture: true, passive: true}})
}})()</script>"""


def is_doing(scope: MutableMapping[str, Any]) -> bool:
    """Whether a request is a person's doing: a page they open, a form they send, a sign of life from ``SCRIPT``.

    Neither websockets are, nor what marimo asks for. Of a page that a script loads again a browser says that nobody did
    it; of what does not say so, as programs, a page that is opened counts.
    """
    if scope["type"] != "http":
        return False
    parts = scope["path"].strip("/").split("/")
    if scope["method"] == "POST":
        return scope["path"] == DOING or parts[0] in ("sign-out", "recalculate", "give-up")
    told = {name: value for name, value in scope["headers"] if name.startswith(b"sec-fetch-")}
    return len(parts) == 1 and (not told or told.get(b"sec-fetch-user") == b"?1")
