"""What a checkpoint does not tell: asked for, and what was assumed or read changed by the user."""

import hashlib
from collections.abc import Hashable, Sequence

import streamlit as st

from models.checkpoints.families.data_sets import NAMES_OF_CLASSES
from models.checkpoints.keys.left_out import IGNORE
from models.class_names import check_count, read_names
from models.report import Fact, Question, Report
from models.specs.network import NetworkSpec
from ui import state
from ui.bound import KEPT
from ui.guard import guarded, label, plain
from ui.session.media.medium import contents

FileKey = Hashable
"""What tells one upload from the next."""

_LONGEST_ANSWER = 80


def _mark(file: FileKey) -> str:
    """Return a mark of a file for its widgets: answers to another file must not be taken over."""
    return hashlib.sha256(repr(file).encode()).hexdigest()[:8]


def answered(file: FileKey, questions: Sequence[Question]) -> dict[str, str] | None:
    """Ask what is open; return the answers so far, with what was changed, None while one lacks."""
    answers = dict(_changes(file))
    if not questions:
        return answers
    st.markdown("Neither the weights nor the file's name tell everything. Please say:")
    for question in questions:
        key = f"answer-{question.name}-{_mark(file)}"
        if question.choices:
            words = label(question.text)
            answer = st.selectbox(words, question.choices, index=None, key=key, **KEPT)
        else:
            answer = st.text_input(label(question.text), key=key, max_chars=_LONGEST_ANSWER, **KEPT)
        answers[question.name] = answer
    return None if None in answers.values() or "" in answers.values() else answers


def ignored(file: FileKey) -> None:
    """Let keys be left out that the network is not known to have."""
    with st.expander("Leave keys out"):
        key = f"change-{IGNORE}-{_mark(file)}"
        st.text_input(
            "Patterns of keys, with commas",
            key=key,
            max_chars=_LONGEST_ANSWER,
            placeholder="adapter.*",
            help="For what maps do not need, and the program does not know.",
            on_change=_note,
            args=(file, IGNORE, key),
        )


def change(file: FileKey, report: Report) -> None:
    """Offer everything that the weights do not show to be changed."""
    facts = {f.name: f for f in report.facts if f.choices is not None and f.name != IGNORE}
    if not facts:
        return
    with st.expander("Change what was read or assumed"):
        for fact in facts.values():
            _widget(file, fact)
    for hint in report.hints:
        st.info(plain(hint))


def take_back(file: FileKey) -> None:
    """Offer to undo what was changed, if something was: a change may not fit the file."""
    if _changes(file):
        st.button(
            "Take changes back", key="take_back", on_click=state.OWN_CHANGES.set, args=((None, {}),)
        )


def class_names(file: FileKey, spec: NetworkSpec, name: str) -> tuple[str, ...]:
    """Let a list of class names be uploaded; return it, or nothing without one that fits."""
    given = st.file_uploader(
        "Names of its classes: a text file with one name a line",
        key=f"classes-{_mark(file)}",
        help="In the order of the network's outputs.",
    )
    if given is None:
        return ()
    with guarded():
        [(name_of_list, content)] = contents([given])
        names = read_names(content, name_of_list)
        check_count(names, spec.num_classes, name)
        return names
    return ()


def _changes(file: FileKey) -> dict[str, str]:
    of_file, changes = state.OWN_CHANGES.get()
    return changes if of_file == file else {}


def _widget(file: FileKey, fact: Fact) -> None:
    title = "class names" if fact.name == NAMES_OF_CLASSES else fact.name.replace("_", " ")
    words = label(f"{title} ({fact.source})")
    key = f"change-{fact.name}-{_mark(file)}-{fact.value}"
    how = {"key": key, "on_change": _note, "args": (file, fact.name, key)}
    if fact.choices:
        index = fact.choices.index(fact.value) if fact.value in fact.choices else None
        st.selectbox(words, fact.choices, index=index, **how)
    else:
        st.text_input(words, fact.value, max_chars=_LONGEST_ANSWER, **how)


def _note(file: FileKey, name: str, key: str) -> None:
    """Keep what a widget was changed to."""
    value = state.widget(key).get()
    if value:
        state.OWN_CHANGES.set((file, {**_changes(file), name: str(value)}))
