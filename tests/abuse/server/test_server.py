"""One server for many: settings, pages too many, the log, health and metrics."""

import asyncio
import json
import os
import threading
from dataclasses import fields
from pathlib import Path

import pytest

from errors import InputError, MachineError
from tests.paths import ROOT
from ui.server import health, memory, settings, web
from ui.server.limits import sessions
from ui.server.settings import Settings
from viz.cli.main import main

pytestmark = pytest.mark.slow

SERVER_TOML = ROOT / "deploy" / "server.toml"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[server]\nport = 99999", "[server] port is 99999; give a number from 1 to 65535"),
        ("[server]\nport = '80'", "[server] port is '80'; give a whole number"),
        ("[server]\nport = true", "[server] port is True; give a whole number"),
        ("[server]\nprot = 80", "[server] prot is not known; use address, port"),
        ("[limits]\nport = 80", "[limits] port is not known"),
        ("[sever]\nport = 80", "is not known; use the tables [server]"),
        ("port = 80", "'port' stands in no table"),
        ("[login]\nlogin = 'yes'", "give true or false"),
        ("[server", "could not be read as TOML"),
        ("[limits]\nsession_files = " + "9" * 5000, "could not be read as TOML"),
        ("[limits]\nsession_files = " + "9" * 300, "give a number from"),
        ("[server]\nport = 0x" + "f" * 10_000, "far too large; give a number from"),
        ("[server]\nfolders = " + "[" * 20_000, "could not be read as TOML"),
        ("#" * 70_000, "too large"),
    ],
)
def test_settings_name_the_entry_that_is_wrong(tmp_path, one_line, text, words):
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        settings.load(path)
    assert words in one_line(caught.value)


def test_settings_that_are_no_file_are_refused(tmp_path, one_line):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none", tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(InputError) as caught:
            settings.load(path)
        one_line(caught.value)


def test_the_example_names_every_setting_with_what_it_is_without():
    assert settings.load(SERVER_TOML) == settings.SHARED
    text = SERVER_TOML.read_text()
    for one in fields(Settings):
        assert f"\n{one.name} = " in text, one.name


def test_visitors_of_a_shared_server_do_not_change_its_cache():
    assert not settings.SHARED.visitors_change_cache
    assert Settings().visitors_change_cache


def test_check_prints_the_settings(capsys):
    assert main(["serve", "--settings", str(SERVER_TOML), "--port", "17", "--check"]) == 0
    assert "port = 17" in capsys.readouterr().out
    assert main(["serve", "--port", "0", "--check"]) == 2


@pytest.mark.parametrize(("count", "reached"), [(6, True), (7, False)])
def test_a_page_too_many_is_not_taken(limited, monkeypatch, count, reached):
    limited(most_sessions=7)
    monkeypatch.setattr(sessions, "open_count", lambda: count)
    sent, found = [], []

    async def app(_scope, _receive, _send):
        found.append(True)

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    asyncio.run(sessions.SessionLimit(app)({"type": "websocket"}, receive, send))
    assert bool(found) == reached
    assert [one["code"] for one in sent] == ([] if reached else [1013])


def test_the_log_holds_no_ids_and_one_line():
    file = "12345678-1234-1234-1234-123456789012"
    scope = {"method": "PUT", "path": f"/_stcore/upload_file/{file}/{file}\n17 ", "client": None}
    assert web.line(scope, 413, 0.01) == "- PUT /_stcore/upload_file/-/-?17? 413 10 ms"


def test_health_says_when_no_more_work_is_taken(limited, monkeypatch):
    monkeypatch.setattr(health, "PREPARED", threading.Event())
    assert health.health()[0] == 503  # networks and pages are still loaded
    health.PREPARED.set()
    assert health.health()[0] == 200
    limited(memory_mb=1)
    status, text = health.health()
    assert (status, json.loads(text)["ready"]) == (503, False)
    with pytest.raises(MachineError, match="limit of 1 MB of memory"):
        memory.check()


def test_metrics_are_numbers():
    for line in health.metrics().splitlines():
        assert line.startswith("#") or float(line.split()[1]) >= 0
