"""Turn what Hydra and OmegaConf raise into one message: what, where, which options."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import is_dataclass
from typing import Any

import yaml
from hydra.errors import OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)

from segrun import config
from segrun.config.declared import declared
from segrun.errors import ConfigError
from segrun.nearest import did_you_mean


def explain(error: BaseException) -> str:
    """Return one plain message for an error of the composition."""
    for cause in _causes(error):
        if message := _told(error, cause):
            return message
    return " ".join(str(error).split())


def _told(error: BaseException, cause: BaseException) -> str:
    """Return the message where `cause` is the one that says what is wrong, else an empty text."""
    if isinstance(cause, ConfigError):
        return str(cause)
    if isinstance(cause, OverrideParseException):
        return _grammar(cause)
    if isinstance(cause, yaml.YAMLError | UnicodeDecodeError):
        return _unreadable(cause)
    if options := getattr(cause, "options", None):
        return _unknown_choice(str(getattr(cause, "missing_cfg_file", "")), options)
    if isinstance(cause, OmegaConfBaseException) and cause.full_key:
        return _where(error, cause) + _about_key(cause)
    return ""


def _causes(error: BaseException | None) -> Iterable[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _unreadable(error: yaml.YAMLError | UnicodeDecodeError) -> str:
    if isinstance(error, yaml.YAMLError):
        return f"a YAML file cannot be read: {' '.join(str(error).split())}"
    return f"{_not_utf8() or 'a YAML file'} is not UTF-8 ({error}): save it as UTF-8"


def _not_utf8() -> str:
    """Return the user's YAML file that is not UTF-8: the error does not say which."""
    own = config.user_conf_directory()
    for path in sorted(own.rglob("*.yaml")) if own else []:
        try:
            path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return str(path)
    return ""


def _grammar(error: OverrideParseException) -> str:
    first = " ".join(str(error.message).split("See https")[0].split())
    return (
        f"{error.override!r} is not of the form KEY=VALUE ({first}). Put a value with commas, "
        "blanks, =, brackets or letters beyond ASCII into quotes within quotes: \"KEY='VALUE'\""
    )


def _unknown_choice(wanted: str, options: Iterable[str]) -> str:
    group, _, name = wanted.rpartition("/")
    known = sorted(options)
    return (
        f"there is no {group}={name}.{did_you_mean(name, known)} "
        f"Options of {group}: {', '.join(known)}"
    )


def _about_key(error: OmegaConfBaseException) -> str:
    name = str(error.full_key)
    if isinstance(error, ConfigAttributeError | ConfigKeyError):
        return _unknown_key(name, error.parent_node)
    doc = config.meaning(name)
    meaning = f" Meaning: {doc}" if doc else ""
    if isinstance(error, MissingMandatoryValue):
        return f"{name} has no value. Give one: {name}=VALUE.{meaning}"
    return f"{name}: {str(error).splitlines()[0].rstrip('.')}.{meaning}"


def _unknown_key(name: str, parent: Any) -> str:
    known = [str(key) for key in parent] if isinstance(parent, DictConfig) else []
    holder, _, last = name.rpartition(".")
    if not holder:
        known.append("experiment")
    place = f"Keys of {holder}" if holder else "Keys and groups"
    # A group's name can be where no key of that name is: experiment: in a file.
    near = "" if last in known else did_you_mean(last, known)
    # A mapping whose names an algorithm knows takes further ones.
    own = not is_dataclass(OmegaConf.get_type(parent)) and any(
        reading.named is None for reading in declared(name)
    )
    more = f". To add it: +{name}=VALUE" if own else ""
    return f"unknown key {name!r}.{near} {place}: {', '.join(known)}{more}"


def _where(error: BaseException, cause: BaseException) -> str:
    # Hydra's own first line names the override or the YAML file that was being merged.
    first = str(error).splitlines()[0] if error is not cause and str(error) else ""
    return f"{first.rstrip(':. ')}: " if first.startswith(("In '", "Error merging")) else ""
