"""Recipes and key points that claim, unfold or repeat far more than they weigh."""

import base64
import json

from tests.abuse.inputs.bombs.parts import (
    MILLION,
    zeros,
)


def pdf_of_zeros() -> bytes:
    """A PDF whose cross references unpack to 1 GB."""
    stream = zeros(2**30)
    body = b"%PDF-1.5\n1 0 obj<</Type/XRef/Size 9/W[1 8 8]/Filter/FlateDecode/Root 2 0 R/Info 3 0 R"
    return (
        body + b"/Length " + str(len(stream)).encode() + b">>stream\n" + stream
        + b"\nendstream endobj\nstartxref\n9\n%%EOF"
    )  # fmt: skip


def pdf_that_leads_round() -> bytes:
    """A PDF whose cross references are before themselves."""
    return (
        b"%PDF-1.4\nxref\n0 1\n0000000000 65535 f \ntrailer<</Size 1/Prev 9/Root 1 0 R>>\n"
        b"startxref\n9\n%%EOF"
    )


def pdf_of_deep_lists() -> bytes:
    """A PDF with lists 100,000 deep in its information."""
    return (
        b"%PDF-1.4\n1 0 obj" + b"[" * 100_000 + b"]" * 100_000 + b"endobj\n"
        b"trailer<</Info 1 0 R/Root 1 0 R/Size 2>>\nstartxref\n0\n%%EOF"
    )


def svg_of_many_attributes() -> bytes:
    """An SVG element of 500,000 attributes."""
    many = b" ".join(b'a%d="1"' % k for k in range(500_000))
    return b"<svg " + many + b"></svg>"


def svg_of_laughs() -> bytes:
    """An SVG of entities that unfold to 10^9."""
    entities = b'<!ENTITY a0 "ha">' + b"".join(
        b'<!ENTITY a%d "%s">' % (k, b"&a%d;" % (k - 1) * 10) for k in range(1, 10)
    )
    return b"<!DOCTYPE svg [" + entities + b"]><svg>&a9;</svg>"


def svg_of_one_long_name() -> bytes:
    """An SVG whose element's name has 40 MB."""
    return b"<svg><" + b"a" * (40 * 2**20) + b"/></svg>"


def eps_of_zeros() -> bytes:
    """An EPS whose recipe unpacks to 1 GB."""
    text = base64.b64encode(zeros(2**30))
    lines = b"\n".join(b"% " + text[k : k + 76] for k in range(0, len(text), 76))
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BeginRecipe\n" + lines + b"\n%%EndRecipe\n"


def json_of_many_lists() -> bytes:
    """4 MB of lists in lists."""
    return b"[" * (4 * 2**20)


def json_of_many_names() -> bytes:
    """A JSON object of 200,000 names."""
    return json.dumps({f"k{k}": k for k in range(200_000)}).encode()


def json_of_surrogates() -> bytes:
    """A JSON list of points whose names are halves of characters."""
    return b'[{"name": "\\ud800", "x": 1, "y": 2}, {"name": "\\udfff\\ud800", "x": 1, "y": 2}]'


def csv_of_one_cell() -> bytes:
    """A CSV whose quoted cell never ends, 15 MB."""
    return b'name,x,y\n"' + b"a,\n" * (5 * 2**20)


def csv_of_many_columns() -> bytes:
    """A CSV of 5,000,000 columns."""
    return b"name,x,y" + b"," * (5 * MILLION) + b"\na,1,2\n"


def csv_of_many_lines() -> bytes:
    """A CSV of 2,000,000 empty lines, then a point."""
    return b"name,x,y\n" + b"\n" * (2 * MILLION) + b"a,1,2\n"
