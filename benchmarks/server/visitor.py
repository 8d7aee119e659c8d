"""A visitor without a browser: Streamlit's own messages over a websocket."""

import io
import time
import urllib.request
import uuid
from contextlib import ExitStack

import numpy as np
from PIL import Image
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

PATIENCE_S = 120


def photo(seed: int) -> bytes:
    """Return a JPEG of 480 x 360 pixels that no other seed has."""
    draw = np.random.default_rng(seed)
    small = draw.integers(0, 255, (9, 12, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(small).resize((480, 360)).save(file, "JPEG")
    return file.getvalue()


class Visitor:
    """One session: opens Explore, uploads, picks, and sees what the page says. ``address`` is what
    stands behind the address's question mark."""

    def __init__(self, port: int, address: str = "", cookies: str = "") -> None:
        self.home, self.address = f"127.0.0.1:{port}", address
        with urllib.request.urlopen(f"http://{self.home}/_stcore/health") as reply:
            cookie = reply.headers.get("Set-Cookie", "")
        self.token = cookie.partition("_streamlit_xsrf=")[2].partition(";")[0]
        self._open = ExitStack()
        self.channel = self._open.enter_context(
            connect(
                f"ws://{self.home}/_stcore/stream",
                subprotocols=["streamlit", self.token],
                origin=f"http://{self.home}",
                max_size=None,
                additional_headers={"Cookie": f"{cookies}; _streamlit_xsrf={self.token}"},
            )
        )
        self.session = ""
        self.elements: dict[str, object] = {}
        self.texts: list[str] = []
        self.states: dict[str, object] = {}
        self.redirect = ""
        self.rerun()

    def close(self) -> None:
        """Close the tab."""
        self._open.close()

    def _send(self, message: BackMsg) -> None:
        self.channel.send(message.SerializeToString())

    def rerun(self) -> None:
        """Run the page with what was typed and clicked, and wait for its end."""
        message = BackMsg()
        message.rerun_script.query_string = self.address
        for state in self.states.values():
            message.rerun_script.widget_states.widgets.append(state)
        self.texts = []
        self._send(message)
        self._until("script_finished")

    def _until(self, kind: str) -> ForwardMsg:
        until = time.monotonic() + PATIENCE_S
        while True:
            message = ForwardMsg()
            message.ParseFromString(self.channel.recv(timeout=until - time.monotonic()))
            self._note(message)
            if message.WhichOneof("type") == kind:
                return message

    def _note(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.session = message.new_session.initialize.session_id
        elif kind == "auth_redirect":
            self.redirect = message.auth_redirect.url
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            name = element.WhichOneof("type")
            found = getattr(element, name)
            if hasattr(found, "label") and hasattr(found, "id"):
                self.elements[found.label] = found
            if name in ("markdown", "alert", "exception"):
                self.texts.append(getattr(found, "body", "") or getattr(found, "message", ""))

    def _labelled(self, start: str) -> object:
        return next(one for label, one in self.elements.items() if label.startswith(start))

    def upload(self, content: bytes, name: str) -> None:
        """Give a picture, and wait until the page shows it."""
        ask = BackMsg()
        ask.file_urls_request.request_id = str(uuid.uuid4())
        ask.file_urls_request.file_names.append(name)
        ask.file_urls_request.session_id = self.session
        self._send(ask)
        place = self._until("file_urls_response").file_urls_response.file_urls[0]
        border = uuid.uuid4().hex
        body = (
            f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
            "Content-Type: image/jpeg\r\n\r\n"
        ).encode() + content + f"\r\n--{border}--\r\n".encode()  # fmt: skip
        headers = {
            "Content-Type": f"multipart/form-data; boundary={border}",
            "Cookie": f"_streamlit_xsrf={self.token}", "X-Xsrftoken": self.token,
        }  # fmt: skip
        address = f"http://{self.home}{place.upload_url}"
        request = urllib.request.Request(address, body, headers, method="PUT")
        urllib.request.urlopen(request, timeout=60).close()
        state = BackMsg().rerun_script.widget_states.widgets.add()
        state.id = self._labelled("Picture, video").id
        info = state.file_uploader_state_value.uploaded_file_info.add()
        info.file_id, info.name, info.size = place.file_id, name, len(content)
        info.file_urls.CopyFrom(place)
        self.states["upload"] = state
        self.rerun()

    def pick(self, row: int) -> None:
        """Choose another reference, and wait for its map."""
        state = BackMsg().rerun_script.widget_states.widgets.add()
        state.id = self._labelled("Row").id
        state.double_value = row
        self.states["row"] = state
        self.rerun()

    def says(self) -> str:
        """Return all that the page says."""
        return "\n".join(self.texts)
