"""A community's pages behind a sign-in: users and roles, sessions, the guard, recalculation by managers.

``app`` puts it together; ``users`` is the file of names and hashed passwords. Starlette, uvicorn and marimo are loaded
only when something is served.
"""
