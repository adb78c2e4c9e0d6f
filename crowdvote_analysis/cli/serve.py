"""``crowdvote serve``: the pages of a store for a community, behind a sign-in."""

from __future__ import annotations

import ipaddress
import os
import socket
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from crowdvote_analysis.cli.console import err
from crowdvote_analysis.cli.dashboard import PortInUseError
from crowdvote_analysis.cli.options import StorageOptions, StorePlace
from crowdvote_analysis.cli.reading import open_store
from crowdvote_analysis.cli.users import UsersFile, users_file
from crowdvote_analysis.serving.notebooks import warm_up
from crowdvote_analysis.serving.open_pages import MOST_OF_ALL, OpenPages


def serve(
    store: StorePlace,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port to listen on.")] = 8700,
    users: UsersFile = None,
    logs: Annotated[
        Path | None,
        typer.Option("--logs", help="Folder of logs; by default beside the users file.", show_default=False),
    ] = None,
    proxy: Annotated[
        bool,
        typer.Option("--proxy", help="Believe a proxy on this machine who asks, and whether by HTTPS (X-Forwarded-…)."),
    ] = False,
    most: Annotated[
        int, typer.Option("--open-pages", min=1, help="So many pages may be open at a time, by everybody together.")
    ] = MOST_OF_ALL,
    own_only: Annotated[
        bool,
        typer.Option(
            "--own-communities",
            help="Show people only the communities they are members of, as crowdvote users tie says; by default all.",
        ),
    ] = False,
    storage: StorageOptions = None,
) -> None:
    """Serve the pages of a store to a community: everybody signs in, managers may have decisions counted again.

    It listens on this machine only, without encryption: put it behind a proxy that speaks HTTPS. Stop it with Ctrl+C.

    Example:
      crowdvote users add maya --role manager && crowdvote serve mystore
    """
    from crowdvote_analysis.confinement import VARIABLE
    from crowdvote_analysis.logs import EventLog
    from crowdvote_analysis.serving.access import Access
    from crowdvote_analysis.serving.app import create_app
    from crowdvote_analysis.serving.connections import run
    from crowdvote_analysis.serving.users import UsersError, read_users, require_outside, users_of

    opened, path = open_store(store, storage), users_file(users)
    log_folder = logs or path.resolve().parent / "logs"
    require_outside(path, opened.location.url)
    require_outside(log_folder, opened.location.url)
    if not read_users(path):
        raise UsersError(f"{path}: nobody may sign in. Add somebody: crowdvote users add NAME --users {path}")
    _require_free(host, port)
    # Before anything is read for anybody: whatever folder a page is asked for, this store is all there is.
    os.environ[VARIABLE] = opened.location.url
    log = EventLog(log_folder)
    with err.status("Loading the pages"):
        warm_up()
        app = create_app(opened, path, log, own_only=own_only, open_pages=OpenPages(most))
    for name, community in Access(opened, users_of(path)).astray():
        err.print(
            f"warning: {name} is tied to nobody who is a member of {community} now, and has no rights there. "
            f"Another member: crowdvote users tie {name} --community {community}",
            style="yellow",
            markup=False,
        )
    if not _is_loopback(host):
        err.print(
            f"warning: listening on {host}, which others can reach, without encryption: passwords could be read on the "
            "way. Listen on 127.0.0.1, behind a proxy that speaks HTTPS (docs/serving.md).",
            style="bold yellow",
            markup=False,
        )
    err.print(f"Serving on http://{host}:{port} (Ctrl+C stops it). Log: {log_folder / 'events.log'}", markup=False)
    trusted = {"proxy_headers": True, "forwarded_allow_ips": "127.0.0.1,::1"} if proxy else {"proxy_headers": False}
    with closing(log):
        run(app, host, port, **trusted)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortInUseError(
                f"{host}, port {port}: cannot be listened on ({error.strerror}). Choose another one with --port."
            ) from error
