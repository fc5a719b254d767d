"""What the viewer remembers from one time to the next, where the platform keeps such things.

`settings.json` in the user's configuration folder (`KSPY_CONFIG_DIR` names another). Settings
are a comfort: a file that cannot be read or written costs a one-line warning, never the viewer.
Keys that this version does not know are kept for the version that does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal, get_args

from platformdirs import user_config_path

from kspy.errors import KspyError
from kspy.recording.replace import replace_file

FOLDER_VARIABLE: Final = "KSPY_CONFIG_DIR"
_LARGEST: Final = 1 << 20

TimeForm = Literal["start", "before", "absolute"]
TIME_FORMS: Final[tuple[TimeForm, ...]] = get_args(TimeForm)


@dataclass
class Settings:
    """All settings, with what they are for who never set any.

    time_form      times count from the start, from the message before, or are those of the day
    export_folder  where the last export went; "" for the current folder
    warning        one line about what is wrong with the file; "" if nothing is. Not kept
    """

    theme: str = "kspy-dark"
    time_form: TimeForm = "start"
    threads: bool = False
    inspector: bool = True
    timeline: bool = True
    squeeze: bool = False
    export_folder: str = ""
    warning: str = field(default="", compare=False)
    unknown: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def load(cls) -> Settings:
        """As they were saved. Never raises: what cannot be used is said in `warning`."""
        path = settings_path()
        try:
            with path.open("rb") as file:
                raw = file.read(_LARGEST + 1)
            content = json.loads(raw) if len(raw) <= _LARGEST else None
        except FileNotFoundError:
            return cls()
        except OSError as error:
            return cls(warning=f"{path}: cannot be read: {error.strerror}")
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            return cls(warning=f"{path}: is no settings file; the defaults are used")
        return cls._of(content, path)

    @classmethod
    def _of(cls, content: Mapping[str, Any], path: Path) -> Settings:
        settings = cls()
        refused = []
        for key, value in content.items():
            if key not in _KEPT:
                settings.unknown[key] = value
            elif _fits(key, value):
                setattr(settings, key, value)
            else:
                refused.append(key)
        if refused:
            settings.warning = f"{path}: {', '.join(refused)}: cannot be used; the default is"
        return settings

    def save(self) -> None:
        """Keep them. Raises `KspyError` if the file cannot be written."""
        path = settings_path()
        kept = {key: value for key, value in asdict(self).items() if key in _KEPT}
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_file(path, json.dumps({**self.unknown, **kept}, indent=1).encode())
        except OSError as error:
            raise KspyError(f"{path}: settings cannot be kept: {error.strerror}") from error


_KEPT: Final = {
    setting.name: type(setting.default)
    for setting in fields(Settings)
    if setting.name not in ("warning", "unknown")
}


def settings_path() -> Path:
    folder = os.environ.get(FOLDER_VARIABLE)
    return (Path(folder) if folder else user_config_path("kspy")) / "settings.json"


def _fits(key: str, value: object) -> bool:
    return type(value) is _KEPT[key] and (key != "time_form" or value in TIME_FORMS)
