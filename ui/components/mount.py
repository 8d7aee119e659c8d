"""Components of ours that run in the browser: how they are made of files, and what they report.

A component is a folder below this one: Python, one style sheet, and ES modules. Streamlit takes one
script, so the modules that its entry imports are joined into one, each once, before what uses them.
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from ui import state

FOLDER = Path(__file__).parent
_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.{1,2}/[\w./]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default )", re.MULTILINE)
_DECLARED = re.compile(r"^(?:async )?(?:const|let|function|class) (\w+)", re.MULTILINE)
_LIST = re.compile(r"^(?:const|let) \w+[^(\[{`\"'\n]*", re.MULTILINE)
"""The beginning of a line that may declare several: const a = 1, b = 2;"""


def script(entry: str) -> str:
    """Return the module ``entry`` (a path below ui/components) and all that it imports, as one.

    The joined modules share one scope: ValueError where two declare the same name at their top.
    """
    parts: dict[Path, str] = {}
    _collect(FOLDER / entry, parts)
    names: dict[str, Path] = {}
    for path, text in parts.items():
        for name in _declared(text):
            if names.setdefault(name, path) != path:
                raise ValueError(f"{path.name} and {names[name].name} both declare {name}")
    return "\n".join(parts.values())


def _declared(text: str) -> list[str]:
    """Return the names that a module declares at its top."""
    more = (name for line in _LIST.findall(text) for name in re.findall(r", (\w+)", line))
    return [*_DECLARED.findall(text), *more]


def _collect(path: Path, parts: dict[Path, str]) -> None:
    """Add a module behind those that it imports; a circle of imports ends where it began."""
    path = path.resolve()
    if path in parts:
        return
    parts[path] = ""
    text = path.read_text(encoding="utf-8")
    for other in _IMPORT.findall(text):
        _collect(path.parent / other, parts)
    del parts[path]
    parts[path] = _EXPORT.sub("", _IMPORT.sub("", text))


@cache
def mounted(name: str, folder: str) -> Callable[..., Any]:
    """Return what puts a components-v2 component on the page: a div of class ``name``, with the
    style sheet and the script of ``folder``, which are called as it is."""
    return st.components.v2.component(
        f"nonlocal_viz_{folder}",
        html=f'<div class="{name}"></div>',
        css=(FOLDER / folder / f"{folder}.css").read_text(encoding="utf-8"),
        js=script(f"{folder}/{folder}.js"),
    )


def event(key: str, name: str) -> object:
    """Return what a component has just reported under ``name``; whatever it is, check it."""
    found = state.widget(key).get()
    return found.get(name) if hasattr(found, "get") else None
