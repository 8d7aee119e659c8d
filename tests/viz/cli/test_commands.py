"""The commands as a whole: every option explained, documents that can be typed as they stand, and
pictures of the size that users get."""

import argparse
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from models.specs.block import NonLocalSpec
from models.zoo import catalogue
from tests.conftest import draw, make_tiny
from tests.paths import ROOT
from tests.viz.drawn_clips import animation
from viz.attention.kinds.registry import KINDS, derived_names, rankings
from viz.cli import main
from viz.figure.api import KINDS as FILES
from viz.figure.files import movie
from viz.figure.recipe import recipe

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
WORDS_OF_HELP = 2
WITHOUT_HELP = {
    "preset",
    "--colormap",
    "--interpolation",
    "--font",
    "--captions",
    "--captions-of",
    "--crop",
}
"""Options whose name and choices say all."""


def parsers() -> dict[str, argparse.ArgumentParser]:
    (commands,) = (
        action
        for action in main.parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return commands.choices


def options() -> list[tuple[str, argparse.Action]]:
    return [
        (name, action)
        for name, parser in parsers().items()
        for action in parser._actions
        if "--help" not in action.option_strings and action.help != argparse.SUPPRESS
    ]


def named(action: argparse.Action) -> str:
    return action.option_strings[0] if action.option_strings else action.dest


@pytest.mark.parametrize(("command", "action"), options(),
                         ids=[f"{c} {named(a)}" for c, a in options()])  # fmt: skip
def test_every_option_is_explained(command, action, capsys):
    if named(action) in WITHOUT_HELP:
        assert action.help is None
        assert action.choices
    else:
        assert len(action.help.split()) >= WORDS_OF_HELP, command
    with pytest.raises(SystemExit) as stop:
        main.main([command, "--help"])
    assert stop.value.code == 0
    shown = capsys.readouterr().out
    for option in action.option_strings:
        assert re.search(rf"{option}\b", shown)


def test_there_are_these_commands_and_each_says_what_it_does(capsys):
    assert set(parsers()) == set(main.COMMANDS)
    with pytest.raises(SystemExit):
        main.main(["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for name, command in main.COMMANDS.items():
        assert f"{name} {command.help}" in shown
        assert callable(command.function(name))
        assert main.parser(name).parse_args is not None


def written_commands() -> list[tuple[str, str]]:
    """Return (document, command) of every command line that stands in the documents."""
    found = []
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in re.findall(r"python -m viz ([a-z][^`\n]*)", text):
            found.append((path.name, line.split("  #")[0].strip().rstrip(".")))
    return found


@pytest.mark.parametrize(("document", "line"), written_commands())
def test_what_the_documents_say_can_be_typed(document, line):
    words = shlex.split(line)
    if words == ["maps", "--help"]:
        with pytest.raises(SystemExit):
            main.parser().parse_args(words)
        return
    parsed = main.parser().parse_args(words)
    assert parsed.command == words[0], document


def test_the_documents_show_every_command():
    shown = {line.split()[0] for _, line in written_commands()}
    assert shown == set(main.COMMANDS)


def choices_of(command: str, option: str) -> str:
    (found,) = (a for a in parsers()[command]._actions if option in a.option_strings)
    return f"{found.choices or ''} {found.help}"


@pytest.mark.parametrize("command", ["maps", "figure"])
def test_the_help_names_the_map_kinds(command):
    said = choices_of(command, "--kind")
    for name in derived_names():
        assert f"{name} ({KINDS[name].menu})" in said
    assert choices_of(command, "--maps") == choices_of(command, "--channels")
    assert "a ranking" in choices_of(command, "--maps")
    assert rankings()


def test_the_help_names_presets_and_kinds_of_movies():
    (preset,) = (a for a in parsers()["figure"]._actions if a.dest == "preset")
    assert tuple(preset.choices) == recipe.PRESETS
    assert ",".join(movie.KINDS) in choices_of("maps", "--video")


def test_a_wrong_ending_names_those_that_there_are(tmp_path, capsys):
    asked = ["figure", "parts", "x.png", "--model", "m", "--at", "1,2"]
    assert main.main([*asked, "--out", str(tmp_path / "a.bmp")]) == 2
    said = capsys.readouterr().err
    assert f"give .json (the recipe) or a kind of figure: {', '.join(FILES)}." in said


@pytest.mark.parametrize("words", [[], ["nothing"], ["maps"], ["figure", "pie", "x"]])
def test_wrong_usage_ends_with_code_2(words, capsys):
    with pytest.raises(SystemExit) as stop:
        main.main(words)
    assert stop.value.code == 2
    assert "usage: python -m viz" in capsys.readouterr().err


@pytest.mark.slow
def test_a_process_ends_with_the_commands_code(tmp_path):
    asked = [sys.executable, "-m", "viz", "render", str(tmp_path / "none.json"), "--out", "a.png"]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "none.json" in done.stderr


@pytest.mark.parametrize("medium", ["photo.png", "clip.gif"])
def test_at_full_size_the_recipe_renders_the_picture_too(medium, tmp_path, monkeypatch):
    monkeypatch.setattr(catalogue, "load", lambda *_args, **_how: make_tiny(NonLocalSpec()))
    path, out = tmp_path / medium, tmp_path / "o"
    frames = list(draw(64, 96, 4 if medium.endswith("gif") else 1))
    path.write_bytes(animation(frames, duration=100)) if len(frames) > 1 else (
        Image.fromarray(frames[0]).save(path)
    )
    asked = ["maps", str(path), "--model", "tiny", "--at", "40,30", "--out", str(out)]
    assert main.main(asked) == 0
    saved = out / f"{path.stem}-NL.png"
    with Image.open(saved) as picture:
        assert picture.width == int(183 / 25.4 * 300)
        assert np.asarray(picture).std() > 10
    again = tmp_path / "again.png"
    assert main.main(["render", str(out / "recipe.json"), "--out", str(again)]) == 0
    assert again.read_bytes() == saved.read_bytes()
