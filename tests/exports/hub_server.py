"""A server that speaks as much of the Hugging Face hub's protocol as a small model needs."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

__all__ = ["Hub", "local_hub"]

_COMMIT = "0123456789abcdef0123456789abcdef01234567"
_TOKEN = "hf_of_the_user"


class Hub(ThreadingHTTPServer):
    """Repositories in memory."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, dict[str, bytes]] = {}
        self.settings: dict[str, dict[str, Any]] = {}

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        path = self.path.partition("?")[0]
        if path == "/api/validate-yaml":
            self._answer({"errors": [], "warnings": []})
        elif self.headers.get("Authorization") != f"Bearer {_TOKEN}":
            self._answer({"error": "not your token"}, 401)
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif "/preupload/" in path:
            files = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                for file in json.loads(body)["files"]
            ]
            self._answer({"files": files})
        elif "/commit/" in path:
            owner, name = path.split("/")[3:5]
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    self.server.files[f"{owner}/{name}"][line["value"]["path"]] = content
            url = f"{self.server.address}/{owner}/{name}/commit/{_COMMIT}"
            self._answer({"success": True, "commitOid": _COMMIT, "commitUrl": url})
        else:
            self._answer({"error": f"no {path}"}, 404)

    def do_GET(self) -> None:
        _, owner, name, verb, _, file = self.path.split("/", 5)
        assert verb == "resolve"
        content = self.server.files.get(f"{owner}/{name}", {}).get(file)
        if content is None:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("ETag", f'"{abs(hash(content)):x}"')
        self.send_header("X-Repo-Commit", _COMMIT)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _create(self, wish: dict[str, Any]) -> None:
        repository = f"{wish['organization']}/{wish['name']}"
        if repository in self.server.files:
            self._answer({"error": "You already created this model repo"}, 409)
            return
        self.server.files[repository] = {}
        self.server.settings[repository] = wish
        self._answer({"url": f"{self.server.address}/{repository}"})

    def _answer(self, value: dict[str, Any], status: int = 200) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def local_hub(patch: pytest.MonkeyPatch, cache: str) -> Iterator[Hub]:
    """Let `huggingface_hub` talk to a server of this process, with the user's token."""
    import huggingface_hub.constants as settings

    hub = Hub()
    thread = threading.Thread(target=hub.serve_forever, daemon=True)
    thread.start()
    patch.setattr(settings, "ENDPOINT", hub.address)
    patch.setattr(settings, "HUGGINGFACE_CO_URL_TEMPLATE", _template(hub.address))
    patch.setattr(settings, "HF_HUB_CACHE", cache)
    patch.setattr(settings, "HF_HUB_OFFLINE", False)
    patch.setattr(settings, "HF_HUB_DISABLE_XET", True)
    patch.setenv("HF_TOKEN", _TOKEN)
    try:
        yield hub
    finally:
        hub.shutdown()
        thread.join()
        hub.server_close()


def _template(address: str) -> str:
    return address + "/{repo_id}/resolve/{revision}/{filename}"
