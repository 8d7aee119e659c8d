"""The app run without a browser, and pictures to upload to it."""

import io
import zipfile

from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.paths import ROOT


def app() -> AppTest:
    """Return the app, not yet run."""
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)


def opened(**address: str) -> AppTest:
    """Return the Explore page after its first run with this query in the address bar."""
    at = app()
    for name, value in address.items():
        at.query_params[name] = value
    return at.run()


def assert_sound(at: AppTest) -> AppTest:
    """Check that nothing was raised on the page, and return the page."""
    assert not at.exception, [e.value for e in at.exception]
    return at


def png(width: int, height: int, mode: str = "RGB", kind: str = "PNG") -> bytes:
    """Return a black picture as a file of this kind."""
    packed = io.BytesIO()
    Image.new(mode, (width, height)).save(packed, kind)
    return packed.getvalue()


def zipped(*files: tuple[str, bytes]) -> bytes:
    """Return a zip of (name, content)."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        for name, content in files:
            made.writestr(name, content)
    return packed.getvalue()


def values_table(at: AppTest):
    """Return the exact values at the reference of the Explore page, a line a network."""
    shown = next(d.value for d in at.table if "At the reference" in d.value.columns)
    return shown.set_index("At the reference").T.reset_index(names="Network")


def models_page() -> AppTest:
    """Return the Models page after its first run."""
    return app().switch_page("pages/models.py").run()


def formulas(at: AppTest) -> list[str]:
    """Return the formulas of the Explore page."""
    return [one.value for one in at.markdown if one.value.startswith(r"$\displaystyle")]


def table(at: AppTest, column: str):
    """Return the first table of a page that has a column of this name."""
    return next(d.value for d in at.dataframe if column in d.value.columns)


def trees(at: AppTest) -> list[str]:
    """Return what the Models page shows of networks taken apart."""
    return [code.value for code in at.code]


def uploader(at: AppTest, name: str):
    """Return the uploader of Explore of this name, whatever round it is in."""
    return next(one for one in at.file_uploader if one.key.startswith(f"{name}-"))
