"""A login by Streamlit's own OpenID Connect, with a provider of the test's own on loopback."""

import json
import threading
import time
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from benchmarks.server.serving import free_port, served
from benchmarks.server.visitor import Visitor

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]


class Provider(BaseHTTPRequestHandler):
    """Lets everybody in, as visitor@example.org."""

    key, nonce = None, ""

    def log_message(self, *_words):
        pass

    @property
    def home(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, content):
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):  # noqa: N802 (http.server's name)
        path, _, query = self.path.partition("?")
        if path == "/keys":
            self.answer({"keys": [Provider.key.as_dict(private=False)]})
        elif path == "/authorize":
            asked = dict(urllib.parse.parse_qsl(query))
            Provider.nonce = asked.get("nonce", "")
            back = urllib.parse.urlencode({"code": "17", "state": asked["state"]})
            self.send_response(302)
            self.send_header("Location", f"{asked['redirect_uri']}?{back}")
            self.end_headers()
        else:
            self.answer({
                "issuer": self.home, "authorization_endpoint": f"{self.home}/authorize",
                "token_endpoint": f"{self.home}/token", "jwks_uri": f"{self.home}/keys",
                "id_token_signing_alg_values_supported": ["RS256"],
            })  # fmt: skip

    def do_POST(self):  # noqa: N802
        from joserfc import jwt

        self.rfile.read(int(self.headers["Content-Length"]))
        claims = {
            "iss": self.home, "sub": "17", "aud": "viz", "email": "visitor@example.org",
            "iat": int(time.time()), "exp": int(time.time()) + 600, "nonce": Provider.nonce,
        }  # fmt: skip
        token = jwt.encode({"alg": "RS256", "kid": Provider.key.kid}, claims, Provider.key)
        self.answer({"access_token": "a", "token_type": "Bearer", "id_token": token})


@pytest.fixture
def provider():
    jwk = pytest.importorskip("joserfc.jwk", reason="Authlib is not installed")
    pytest.importorskip("authlib", reason="Authlib is not installed")
    Provider.key = jwk.RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}, private=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_who_logs_in_gets_in_and_nobody_else(tmp_path, provider):
    port = free_port()
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "secrets.toml").write_text(
        f'[auth]\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\n'
        'cookie_secret = "0123456789abcdef0123456789abcdef"\n'
        'client_id = "viz"\nclient_secret = "17"\n'
        f'server_metadata_url = "{provider}/.well-known/openid-configuration"\n'
    )
    (tmp_path / "server.toml").write_text("[login]\nlogin = true\n")
    with served(tmp_path / "server.toml", port, HOME=str(tmp_path)):
        stranger = Visitor(port)
        assert "Log in" in stranger.elements
        assert "In use" not in stranger.says()
        button = BackMsg().rerun_script.widget_states.widgets.add()
        button.id, button.trigger_value = stranger.elements["Log in"].id, True
        stranger.states["login"] = button
        stranger.rerun()
        jar = CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        browser.open(f"http://127.0.0.1:{port}{stranger.redirect}", timeout=30).close()
        stranger.close()
        cookies = "; ".join(f"{one.name}={one.value}" for one in jar if "xsrf" not in one.name)
        known = Visitor(port, cookies=cookies)
        assert "In use" in known.says()
        assert "Log in" not in known.elements
        known.close()
