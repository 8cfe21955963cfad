"""A small hub on loopback: enough of the real protocol for the real client to download, resume and be refused."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Self
from urllib.parse import unquote, urlsplit

_INFO = re.compile(r"/api/models/([^/]+/[^/]+)(?:/revision/([^/]+))?")
_TREE = re.compile(r"/api/models/([^/]+/[^/]+)/tree/([^/]+)")
_FILE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
_STORAGE = re.compile(r"/storage/([0-9a-f]{64})/.+")


@dataclass
class Repository:
    """Files by commit and commits by branch; files named in `large` are stored as the hub stores big ones."""

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    large: set[str] = field(default_factory=set)
    gated: bool = False


@dataclass
class Request:
    """One line of the log; `sent` counts the bytes of a file that left the server."""

    method: str
    path: str
    byte_range: str | None
    sent: int = 0


class HubServer(ThreadingHTTPServer):
    """`with HubServer() as hub:` answers at `hub.url`, and nobody answers there afterwards."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.repositories: dict[str, Repository] = {}
        self.requests: list[Request] = []
        self.broken_with: int | None = None  # the status of every answer, when set
        self.stalled, self.released = Event(), Event()
        self._cuts: dict[str, int] = {}
        self._stalls: dict[str, int] = {}

    def __enter__(self) -> Self:
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Take the hub off the network; a second call does nothing."""
        self.released.set()
        self.shutdown()
        self.server_close()

    def push(self, repo: str, files: Mapping[str, bytes], *, branch: str = "main", large: tuple[str, ...] = ()) -> str:
        """Make these files the newest commit of a branch; the commit's name."""
        repository = self.repositories.setdefault(repo, Repository())
        commit = hashlib.sha1(f"{repo} {len(repository.commits)}".encode()).hexdigest()
        repository.commits[commit] = dict(files)
        repository.branches[branch] = commit
        repository.large.update(large)
        return commit

    def cut(self, path: str, *, after: int) -> None:
        """Drop the connection once, after so many bytes of a file."""
        self._cuts[path] = after

    def stall(self, path: str, *, after: int) -> None:
        """Hold the next download of a file after so many bytes: sets `stalled`, and waits for `released`."""
        self._stalls[path] = after

    def downloads(self, path: str) -> list[Request]:
        """The requests for the bytes of a file, in order."""
        return [request for request in self.requests if request.method == "GET" and request.path.endswith(f"/{path}")]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the tests, and no reason for a traceback."""


class _Answer(BaseHTTPRequestHandler):
    server: HubServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        self.request_entry = Request(self.command, unquote(path), self.headers.get("Range"))
        self.server.requests.append(self.request_entry)
        if self.server.broken_with:
            self._refuse(self.server.broken_with, "")
        elif match := _STORAGE.fullmatch(path):
            self._stored(match[1])
        elif match := _INFO.fullmatch(path) or _TREE.fullmatch(path) or _FILE.fullmatch(path):
            self._repository(match.re, *(part and unquote(part) for part in match.groups()))
        else:
            self._refuse(404, "")

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _repository(self, question: re.Pattern[str], repo: str, revision: str | None, path: str = "") -> None:
        repository = self.server.repositories.get(repo)
        if repository is None:
            return self._refuse(404, "RepoNotFound")
        commit = repository.branches.get(revision or "main", revision)
        files = repository.commits.get(commit or "")
        if commit is None or files is None:
            return self._refuse(404, "RevisionNotFound")
        if question is _INFO:
            return self._json({"id": repo, "sha": commit, "siblings": [{"rfilename": name} for name in files]})
        if question is _TREE:
            return self._json([_tree_entry(name, data, name in repository.large) for name, data in files.items()])
        if repository.gated:
            return self._refuse(403, "GatedRepo")
        if path not in files:
            return self._refuse(404, "EntryNotFound")
        if path in repository.large:
            return self._elsewhere(files[path], path, commit)
        return self._file(files[path], {"X-Repo-Commit": commit, "ETag": f'"{_git_name(files[path])}"'})

    def _elsewhere(self, data: bytes, path: str, commit: str) -> None:
        """Big files live in a storage of another name, as on the real hub: the client must not send its token there."""
        name = hashlib.sha256(data).hexdigest()
        headers = {"Location": f"http://localhost:{self.server.server_port}/storage/{name}/{path}"}
        headers |= {"X-Repo-Commit": commit, "X-Linked-Etag": f'"{name}"', "X-Linked-Size": str(len(data))}
        self._send(302, headers, b"")

    def _stored(self, name: str) -> None:
        everything = (repository.commits.values() for repository in self.server.repositories.values())
        contents = (data for commits in everything for files in commits for data in files.values())
        self._file(next(data for data in contents if hashlib.sha256(data).hexdigest() == name), {"ETag": f'"{name}"'})

    def _file(self, data: bytes, headers: dict[str, str]) -> None:
        start = int((self.request_entry.byte_range or "bytes=0-").removeprefix("bytes=").split("-")[0])
        headers["Accept-Ranges"] = "bytes"
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        self._send(206 if start else 200, headers, data[start:])

    def _json(self, value: object) -> None:
        self._send(200, {"Content-Type": "application/json"}, json.dumps(value).encode())

    def _refuse(self, status: int, code: str) -> None:
        self._send(status, {"X-Error-Code": code} if code else {}, b"")

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        # One request per connection, so that stopping the server really cuts the client off.
        for name, value in {**headers, "Content-Length": str(len(body)), "Connection": "close"}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(body)

    def _send_body(self, body: bytes) -> None:
        cut, stall = (self._taken(plan) for plan in (self.server._cuts, self.server._stalls))
        if stall is not None:
            self.wfile.write(body[:stall])
            self.server.stalled.set()
            self.server.released.wait()
            return
        self.request_entry.sent = self.wfile.write(body[:cut])

    def _taken(self, plan: dict[str, int]) -> int | None:
        path = next((path for path in plan if self.request_entry.path.endswith(f"/{path}")), None)
        return None if path is None else plan.pop(path)


def _tree_entry(path: str, data: bytes, large: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(data), "oid": _git_name(data)}
    if large:
        entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
    return entry


def _git_name(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
