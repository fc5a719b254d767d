"""The viewer's settings: kept, and never in the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from platformdirs import user_config_dir

from kspy.errors import KspyError
from kspy.tui.settings import FOLDER_VARIABLE, Settings, settings_path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "config" / "kspy"
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    return folder


def test_they_are_where_the_platform_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    assert settings_path() == Path(user_config_dir("kspy")) / "settings.json"


def test_defaults_need_no_file(folder: Path) -> None:
    assert Settings.load() == Settings()
    assert Settings.load().warning == ""
    assert not folder.exists()


def test_they_are_there_the_next_time(folder: Path) -> None:
    settings = Settings(theme="kspy-light", time_form="absolute", inspector=False)
    settings.export_folder = "/somewhere/ü"
    settings.save()
    assert Settings.load() == settings
    assert settings_path() == folder / "settings.json"
    assert settings_path().stat().st_mode & 0o777 == 0o600
    assert list(folder.iterdir()) == [settings_path()]


def test_what_a_later_version_wrote_is_kept(folder: Path) -> None:
    folder.mkdir(parents=True)
    settings_path().write_text('{"theme": "kspy-light", "of_tomorrow": [1]}')
    settings = Settings.load()
    assert (settings.theme, settings.warning) == ("kspy-light", "")
    settings.save()
    assert json.loads(settings_path().read_text())["of_tomorrow"] == [1]
    assert "warning" not in settings_path().read_text()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 99_999, b" " * (2 << 20)])
def test_a_broken_file_costs_a_line(folder: Path, content: bytes) -> None:
    folder.mkdir(parents=True)
    settings_path().write_bytes(content)
    settings = Settings.load()
    assert settings == Settings()
    assert settings.warning == f"{settings_path()}: is no settings file; the defaults are used"
    settings.save()
    assert Settings.load().warning == ""


def test_a_value_of_the_wrong_kind_costs_that_value(folder: Path) -> None:
    folder.mkdir(parents=True)
    settings_path().write_text('{"theme": 5, "time_form": "x", "inspector": 1, "timeline": false}')
    settings = Settings.load()
    assert settings == Settings(timeline=False)
    assert settings.warning.endswith("theme, time_form, inspector: cannot be used; the default is")


def test_a_folder_that_cannot_be(folder: Path) -> None:
    folder.parent.parent.joinpath("config").write_text("a file")
    assert "cannot be read" in Settings.load().warning
    with pytest.raises(KspyError, match="settings cannot be kept"):
        Settings().save()
