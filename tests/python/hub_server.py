"""A small hub on this machine: what huggingface_hub asks of https://huggingface.co, in memory.

Answers `/api/models/ORG/NAME[/revision/REV]`, `/ORG/NAME/resolve/REV/FILE` (HEAD, GET, Range), `/api/repos/create`,
`/api/models/ORG/NAME/preupload/REV`, `/api/models/ORG/NAME/commit/REV`, `/api/validate-yaml`, and LFS's batches and
uploads.

Source: what huggingface_hub 2.4 asks for; Git LFS's batch API.
"""

import base64
import dataclasses
import hashlib
import http.server
import json
import re
import sys
import threading
import urllib.parse


@dataclasses.dataclass
class Repository:
    """A model: files by commit, commits by branch and tag."""

    commits: dict[str, dict[str, bytes]] = dataclasses.field(default_factory=dict)
    refs: dict[str, str] = dataclasses.field(default_factory=dict)
    is_private: bool = False
    is_gated: bool = False

    def commit(self, files: dict[str, bytes], ref: str = "main") -> str:
        text = repr(sorted((name, hashlib.sha1(data).hexdigest()) for name, data in files.items())) + ref
        name = hashlib.sha1(text.encode()).hexdigest()
        self.commits[name] = dict(files)
        self.refs[ref] = name
        return name

    def find(self, revision: str) -> str | None:
        return self.refs.get(revision, revision if revision in self.commits else None)


class HubServer(http.server.ThreadingHTTPServer):
    """Runs on a free port of this machine within `with`. Tokens: "reader" reads, "writer" also writes.

    Attributes:
        repositories: by "org/name".
        requests: (method, path) of what was asked.
        ranges: the Range headers that came.
        cut_after: a GET of a file breaks off after that many bytes; None = never. `cuts_left`: so many times.
        stall_after: a GET of a file sends no more after that many bytes until the server ends; None = never.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.repositories: dict[str, Repository] = {}
        self.uploads: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.ranges: list[str] = []
        self.cut_after: int | None = None
        self.cuts_left = 0
        self.stall_after: int | None = None
        self.is_ending = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def add(self, name: str, files: dict[str, bytes], ref: str = "main", **fields: bool) -> str:
        """Adds a commit to a repository, which it makes if need be; returns the commit."""
        repository = self.repositories.setdefault(name, Repository(**fields))
        return repository.commit(files, ref)

    def files_sent(self) -> list[str]:
        """Names of the files that were asked for with GET."""
        return [path.split("/", 5)[5] for method, path in self.requests if method == "GET" and "/resolve/" in path]

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):  # clients that were stopped
            super().handle_error(request, client_address)

    def __enter__(self) -> "HubServer":
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.is_ending.set()
        self.shutdown()
        self.server_close()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HubServer

    def log_message(self, *_arguments: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self._note()
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", path):
            self._model_info(match[1], match[2] or "main")
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._file(match[1], urllib.parse.unquote(match[2]), match[3])
        else:
            self._answer(404, {})

    def do_PUT(self) -> None:
        path = self._note()
        self.server.uploads[path.rsplit("/", 1)[1]] = self._body()
        self._answer(200, {})

    def do_POST(self) -> None:
        path = self._note()
        body = self._body()
        if path == "/api/validate-yaml":
            self._answer(200, {"errors": [], "warnings": []})
        elif self._token() != "writer":
            self._answer(403 if self._token() else 401, {"error": "not allowed"})
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/preupload/(.+)", path):
            self._preupload(match[1], match[2], json.loads(body))
        elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/commit/(.+)", path):
            self._commit(match[1], match[2], [json.loads(line) for line in body.splitlines()])
        elif path.endswith(".git/info/lfs/objects/batch"):
            self._lfs_batch(json.loads(body))
        else:
            self._answer(404, {})

    def _note(self) -> str:
        path = urllib.parse.urlsplit(self.path).path
        self.server.requests.append((self.command, path))
        return path

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _answer(self, status: int, content: object, **headers: str) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _find(self, name: str, revision: str) -> tuple[Repository, str] | None:
        """The repository and commit, or an answer that says what is missing."""
        repository = self.server.repositories.get(name)
        if repository is None or (repository.is_private and not self._token()):
            self._answer(401, {"error": "Repository not found"}, X_Error_Code="RepoNotFound")
            return None
        commit = repository.find(revision)
        if commit is None:
            self._answer(404, {"error": "Invalid rev id"}, X_Error_Code="RevisionNotFound")
            return None
        return repository, commit

    def _model_info(self, name: str, revision: str) -> None:
        found = self._find(name, urllib.parse.unquote(revision))
        if found is None:
            return
        repository, commit = found
        siblings = [{"rfilename": file} for file in sorted(repository.commits[commit])]
        info = {"_id": name, "id": name, "modelId": name, "sha": commit, "private": repository.is_private}
        self._answer(200, {**info, "gated": "manual" if repository.is_gated else False, "siblings": siblings})

    def _file(self, name: str, revision: str, file: str) -> None:
        found = self._find(name, revision)
        if found is None:
            return
        repository, commit = found
        if repository.is_gated:
            self._answer(403, {"error": "gated"}, X_Error_Code="GatedRepo")
            return
        content = repository.commits[commit].get(file)
        if content is None:
            self._answer(404, {"error": "Entry not found"}, X_Error_Code="EntryNotFound", X_Repo_Commit=commit)
            return
        self._send_file(content, commit)

    def _send_file(self, content: bytes, commit: str) -> None:
        start = 0
        if wanted := self.headers.get("Range"):
            self.server.ranges.append(wanted)
            start = int(re.fullmatch(r"bytes=(\d+)-\d*", wanted)[1])
        self.send_response(206 if start else 200)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", commit)
        self.send_header("Accept-Ranges", "bytes")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if self.command == "HEAD":
            return
        cut = self.server.cut_after
        if cut is not None and self.server.cuts_left > 0 and len(content) - start > cut:
            self.server.cuts_left -= 1
            self.wfile.write(content[start : start + cut])
            self.close_connection = True
            return
        stall = self.server.stall_after
        if stall is not None and len(content) - start > stall:
            self.wfile.write(content[start : start + stall])
            self.wfile.flush()
            self.server.is_ending.wait()
            return
        self.wfile.write(content[start:])

    def _create(self, wanted: dict) -> None:
        name = f"{wanted['organization']}/{wanted['name']}"
        is_private = wanted.get("visibility") == "private" or wanted.get("private", False)
        self.server.add(name, {".gitattributes": b""}, is_private=is_private)
        self._answer(200, {"url": f"{self.server.url}/{name}"})

    def _preupload(self, name: str, revision: str, wanted: dict) -> None:
        if self._find(name, revision) is None:
            return
        is_large = re.compile(r".*\.(safetensors|bin|parquet|msgpack|pt)|.*\.data-.*")
        names = [file["path"] for file in wanted["files"]]
        modes = ["lfs" if is_large.fullmatch(name) else "regular" for name in names]
        files = [{"path": n, "uploadMode": m, "shouldIgnore": False} for n, m in zip(names, modes, strict=True)]
        self._answer(200, {"files": files})

    def _lfs_batch(self, wanted: dict) -> None:
        objects = [
            {**o, "actions": {"upload": {"href": f"{self.server.url}/lfs/{o['oid']}"}}} for o in wanted["objects"]
        ]
        self._answer(200, {"transfer": "basic", "objects": objects})

    def _commit(self, name: str, revision: str, lines: list[dict]) -> None:
        found = self._find(name, revision)
        if found is None:
            return
        repository, parent = found
        files = dict(repository.commits[parent])
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.server.uploads[value["oid"]]
        commit = repository.commit(files, revision)
        self._answer(200, {"commitOid": commit, "commitUrl": f"{self.server.url}/{name}/commit/{commit}"})
