"""The picker's arrays: every number of float16, peaks, heights and float32 from their places."""

import base64

import numpy as np

BUFFERS = """async ([content, base, places]) => {
  const { readArrays } = await import("/picker/arithmetic/buffers.js");
  const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
  const arrays = readArrays(bytes.buffer, base, places);
  return Object.fromEntries(Object.entries(arrays).map(([k, v]) =>
    [k, [v.constructor.name, btoa(String.fromCharCode(...new Uint8Array(v.buffer)))]]));
}"""


def read_arrays(page, content, places, base=0):
    """What buffers.js reads, by name, float32."""
    found = page.evaluate(BUFFERS, [base64.b64encode(content).decode(), base, places])
    assert {kind for kind, _ in found.values()} == {"Float32Array"}
    return {
        name: np.frombuffer(base64.b64decode(content), np.float32)
        for name, (_, content) in found.items()
    }


def test_every_float16_there_is_is_read_as_numpy_reads_it(modules):
    bits = np.arange(65536, dtype=np.uint16)
    for first in range(0, 65536, 8192):
        part = bits[first : first + 8192].tobytes()
        place = {"offset": 0, "length": len(part), "type": "half", "peak": 1.0}
        found = read_arrays(modules, part, {"a": place})["a"]
        wanted = np.frombuffer(part, np.float16).astype(np.float32)
        np.testing.assert_array_equal(found, wanted)
        assert (np.signbit(found) == np.signbit(wanted))[~np.isnan(wanted)].all()


def test_peaks_heights_and_float32_are_read_from_their_places(modules):
    halves = np.array([0.5, -1.0, 0.25], np.float16)
    heights = np.array([0.0, 0.5, 1.0, np.nan], np.float16)
    floats = np.array([1e-30, np.pi, -3e38], np.float32)
    content = b"head" + halves.tobytes() + b"__" + heights.tobytes() + floats.tobytes()
    places = {
        "half": {"offset": 0, "length": 6, "type": "half", "peak": 1e4},
        "height": {"offset": 8, "length": 8, "type": "height", "low": -2.0, "span": 3.0},
        "float": {"offset": 16, "length": 12, "type": "float"},
    }
    found = read_arrays(modules, content, places, 4)
    np.testing.assert_array_equal(found["half"], np.float32([5000, -10000, 2500]))
    np.testing.assert_array_equal(found["height"], np.float32([-2, -0.5, 1, np.nan]))
    np.testing.assert_array_equal(found["float"], floats)
