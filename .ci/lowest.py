"""Print the lower bounds of pyproject.toml as constraints, so that exactly these versions are installed."""

import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
for requirement in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
    print(requirement.replace(">=", "=="))
