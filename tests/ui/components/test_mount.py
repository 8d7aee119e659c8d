"""ES modules joined into the one script that Streamlit takes."""

import re

import pytest

from ui.components import mount

ENTRIES = ("picker/picker.js", "pin_cards/pin_cards.js", "keypoints/keypoints.js")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder of components: (path, text) writes a module."""
    monkeypatch.setattr(mount, "FOLDER", tmp_path)

    def write(path, text):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")

    return write


def test_modules_come_once_and_before_what_uses_them(folder):
    folder("base.js", "export const base = 1;\n")
    folder("left/left.js", 'import { base } from "../base.js";\nexport const left = base;\n')
    folder("right.js", 'import { base } from "./base.js";\nexport const right = base;\n')
    folder(
        "entry.js",
        'import { left } from "./left/left.js";\nimport { right } from "./right.js";\n'
        "export default function () { return left + right; }\n",
    )
    assert mount.script("entry.js").split("\n") == [
        "const base = 1;", "", "const left = base;", "", "const right = base;", "",
        "export default function () { return left + right; }", "",
    ]  # fmt: skip


def test_exports_are_stripped_but_for_the_default(folder):
    folder(
        "entry.js",
        "export const a = 1;\nexport function b() {}\nexport class C {}\nexport let d = 2;\n"
        "export async function e() {}\nexport default function () {}\n"
        'const text = "export const f";\n',
    )
    assert mount.script("entry.js").splitlines() == [
        "const a = 1;", "function b() {}", "class C {}", "let d = 2;", "async function e() {}",
        "export default function () {}", 'const text = "export const f";',
    ]  # fmt: skip


def test_a_circle_of_imports_ends_where_it_began(folder):
    folder("a.js", 'import { b } from "./b.js";\nexport const a = () => b;\n')
    folder("b.js", 'import { c } from "./c.js";\nexport const b = () => c;\n')
    folder("c.js", 'import { a } from "./a.js";\nexport const c = () => a;\n')
    lines = mount.script("a.js").split("\n")
    assert [line for line in lines if line] == [
        "const c = () => a;",
        "const b = () => c;",
        "const a = () => b;",
    ]


@pytest.mark.parametrize(
    "declaration", ["const size = 2;", "let size;", "function size() {}", "class size {}",
                    "export const size = 3;", "async function size() {}",
                    "const width = 1, size = 2;", "let a, size;"],
)  # fmt: skip
def test_a_name_that_two_modules_declare_is_refused_with_both(folder, declaration):
    folder("one.js", "const size = 1;\n")
    folder("two.js", f'import {{ x }} from "./one.js";\n{declaration}\n')
    with pytest.raises(ValueError, match=r"two\.js and one\.js both declare size"):
        mount.script("two.js")


def test_a_name_inside_a_function_is_its_own(folder):
    folder("one.js", "export function one() {\n  const size = 1;\n  return size;\n}\n")
    folder("two.js", 'import { one } from "./one.js";\nconst size = one();\n')
    assert "const size = one();" in mount.script("two.js")


def test_a_module_that_is_not_there_is_no_silence(folder):
    folder("entry.js", 'import { gone } from "./gone.js";\n')
    with pytest.raises(FileNotFoundError):
        mount.script("entry.js")


@pytest.mark.parametrize("entry", ENTRIES)
def test_nothing_is_left_of_the_modules_of_a_component(entry):
    script = mount.script(entry)
    assert not re.findall(r"^\s*import\b", script, re.MULTILINE)
    assert re.findall(r"^export .*", script, re.MULTILINE) == re.findall(
        r"^export default function .*", script, re.MULTILINE
    )
    assert script.count("export default") == 1


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_a_module_imports_is_exported_there(entry):
    seen, left = set(), [(mount.FOLDER / entry).resolve()]
    while left:
        path = left.pop()
        text = path.read_text(encoding="utf-8")
        for names, source in re.findall(r'^import \{([^}]*)\} from "([^"]+)";', text, re.MULTILINE):
            other = (path.parent / source).resolve()
            for name in (one.strip() for one in names.split(",")):
                declared = rf"^export (?:const|let|function|class) {name}\b"
                listed = rf"^export const [^;]*\b{name} = "
                there = other.read_text(encoding="utf-8")
                assert re.search(declared, there, re.MULTILINE) or re.search(
                    listed, there, re.MULTILINE
                ), f"{path.name} imports {name} of {other.name}"
                assert len(re.findall(rf"\b{name}\b", text)) > 1, name
            if other not in seen:
                seen.add(other)
                left.append(other)
