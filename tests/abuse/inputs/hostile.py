"""Files that were seen to cost a server far more than they weigh, made for the tests."""

import io
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from models.build import build
from models.specs.network import ModelSpec
from tests.models.written import planted

_HASH = 2**61 - 1
"""Python's hash of a whole number is its remainder by this."""


def stride_0(path: Path) -> None:
    """One tensor of 2^31 numbers over 16 bytes."""
    planted.write(path, {"state_dict": {"w": torch.zeros(4)[:1].expand(2**31)}})


def aliases(path: Path) -> None:
    """300 transposed views of one tensor of 8 MB, each of which becomes a copy."""
    one = torch.zeros(1024, 2048)
    planted.write(path, {f"w{k}": one.t() for k in range(300)})


def array_references(path: Path) -> None:
    """300 references to one numpy array of 8 MB, in a plain pickle."""
    one = np.zeros((1024, 1024))
    path.write_bytes(pickle.dumps({"blobs": {f"w{k}": one for k in range(300)}}, protocol=2))


def unknown_bytes(path: Path) -> None:
    """A small ResNet with 100 MB of bytes beside its weights, under a key that nobody knows."""
    network = build(ModelSpec(base_width=8, block=None, placement="none", num_classes=7))
    weights = {k: v for k, v in network.state_dict().items() if "num_batches" not in k}
    save_file({**weights, "layer1.0.blob": torch.zeros(100 * 2**20, dtype=torch.uint8)}, path)


def colliding_keys(path: Path) -> None:
    """200,000 numbers with one hash as the keys of a dictionary."""
    entries = b"".join(
        pickle.LONG1 + bytes([len(raw)]) + raw + pickle.NONE
        for k in range(1, 200_001)
        for raw in [(k * _HASH).to_bytes(12, "little")]
    )
    path.write_bytes(b"\x80\x02" + pickle.EMPTY_DICT + pickle.MARK + entries + b"u.")


def copied_text(path: Path) -> None:
    """One text of 16 MB that is encoded 250 times."""
    text = b"X" + struct.pack("<I", 2**24) + b"a" * 2**24
    encode = b"c_codecs\nencode\nq\x01"
    latin = b"X\6\0\0\0latin1q\x02"
    call = b"h\x01h\x00h\x02\x86R"
    path.write_bytes(b"\x80\x02](" + text + b"q\x00" + encode + latin + call * 250 + b"e.")


def copied_list(path: Path) -> None:
    """One list of 1,000,000 entries that becomes a deque 200 times."""
    items = b"(" + b"N" * 10**6 + b"lq\x00"
    call = b"h\x01h\x00\x85R"
    path.write_bytes(b"\x80\x02](" + items + b"ccollections\ndeque\nq\x01" + call * 200 + b"e.")


def shared_state(path: Path) -> None:
    """20,000 objects whose state is one dictionary of 20,000 entries: 400 million, if walked."""
    entries = b"".join(b"U\5%05dN" % k for k in range(20_000))
    shared = b"}(" + entries + b"uq\x00"
    made = b"".join(b"X\5\0\0\0" + b"%05d" % k + b"h\x01)\x81h\x00b" for k in range(20_000))
    kind = b"ctorch.nn.modules.linear\nLinear\nq\x01"
    path.write_bytes(b"\x80\x02}(U\1s" + shared + b"U\1k" + kind + made + b"u.")


def many_scans(path: Path, scans: int = 3000) -> None:
    """A progressive JPEG of 12 million pixels and so many scans, 0.4 MB."""
    file = io.BytesIO()
    Image.new("L", (4000, 3000), 128).save(file, "JPEG", progressive=True, quality=10)
    content = file.getvalue()
    last = content.rindex(b"\xff\xda")
    scan = content[last:-2]
    path.write_bytes(content[:last] + scan * scans + b"\xff\xd9")


def empty_jpeg(path: Path) -> None:
    """A JPEG that claims 13,000 x 13,000 pixels in 700 bytes."""
    file = io.BytesIO()
    Image.new("RGB", (16, 16)).save(file, "JPEG")
    content = bytearray(file.getvalue())
    start = content.index(b"\xff\xc0")
    content[start + 5 : start + 9] = struct.pack(">HH", 13_000, 13_000)
    path.write_bytes(content)


def empty_png(path: Path) -> None:
    """A PNG that claims 10,000 x 10,000 pixels in 100 bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def huge_frames(path: Path) -> None:
    """A zip of 64 pictures of 40 million pixels, a few kB each."""
    file = io.BytesIO()
    Image.new("1", (8000, 5000)).save(file, "PNG")
    with zipfile.ZipFile(path, "w") as archive:
        for k in range(64):
            archive.writestr(f"f{k}.png", file.getvalue())


def nameless(path: Path) -> None:
    """A zip whose second entry has no name."""
    file = io.BytesIO()
    Image.new("RGB", (32, 32)).save(file, "PNG")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("f1.png", file.getvalue())
        entry = zipfile.ZipInfo("f2.png")
        entry.filename = ""
        archive.writestr(entry, file.getvalue())
