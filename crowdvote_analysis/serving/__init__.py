"""The notebooks as a server: for one person (``loopback``), or for a community behind a sign-in (``app``).

``app`` puts together users and roles, sessions, access to communities, the guard and recalculation by managers;
``users`` is the file of names and hashed passwords, ``notebooks`` mounts the pages. Starlette, uvicorn and marimo are
loaded only when something is served.
"""
