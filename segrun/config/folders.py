"""Where the YAML is."""

from __future__ import annotations

from pathlib import Path


def conf_directory() -> Path:
    """Return the folder of the packaged YAML: segrun/conf in a wheel, conf/ in a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"


def user_conf_directory() -> Path | None:
    """Return the user's own folder of YAML beside the current directory, None without one."""
    own = Path.cwd() / "conf"
    return own if own.is_dir() and not own.samefile(conf_directory()) else None
