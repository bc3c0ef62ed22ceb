import contextlib
import gzip
import hashlib
import http.server
import socket
import threading
import time

import pytest

from npvae.datasets.published import fetch

CONTENT = b"some content" * 1000
ZIPPED = gzip.compress(CONTENT, mtime=0)
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        answers = {
            "/good": ZIPPED,
            "/other": gzip.compress(b"other"),
            "/plain": CONTENT,
            "/short": ZIPPED,
            "/cut": ZIPPED[:-9],
        }
        if self.path in ("/drip", "/mute"):
            self.drip(self.path == "/drip")
            return
        if self.path not in answers:
            self.send_error(404)
            return
        body = answers[self.path]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def drip(self, has_answered):
        with contextlib.suppress(OSError):
            if has_answered:
                self.send_response(200)
                self.send_header("Content-Length", "1000000")
                self.end_headers()
            for _ in range(20):
                time.sleep(0.05)
                self.wfile.write(b"x" if has_answered else b"H")
                self.wfile.flush()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _without_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_a_file_is_fetched_proved_and_put_into_place(server, tmp_path):
    target = tmp_path / "new" / "folder" / "file.gz"
    fetch(f"{server}/good", target, DIGEST)
    assert target.read_bytes() == ZIPPED
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(
    ("page", "error", "message"),
    [
        (
            "other",
            ValueError,
            f"must have the SHA-256 {DIGEST} when unpacked, got {hashlib.sha256(b'other').hexdigest()}",
        ),
        ("plain", ValueError, "must be a gzipped file, got a damaged one"),
        ("cut", ValueError, "must be a gzipped file, got a damaged one"),
        ("none", ConnectionError, "cannot fetch .*/none: 404 Not Found"),
    ],
)
def test_a_failure_leaves_the_folder_as_it_was(server, tmp_path, page, error, message):
    target = tmp_path / "file.gz"
    target.write_bytes(b"before")
    with pytest.raises(error, match=message) as caught:
        fetch(f"{server}/{page}", target, DIGEST)
    assert "\n" not in str(caught.value)
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def test_too_large_a_file_is_refused(server, tmp_path):
    with pytest.raises(ValueError, match="must have at most 20 bytes, got more"):
        fetch(f"{server}/good", tmp_path / "file", DIGEST, most=20)
    with pytest.raises(ValueError, match=f"must have at most {len(ZIPPED)} bytes when unpacked, got more"):
        fetch(f"{server}/good", tmp_path / "file", DIGEST, most=len(ZIPPED))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("page", ["drip", "mute"])
def test_a_server_that_drips_has_an_end(server, tmp_path, page):
    with pytest.raises(ConnectionError, match=f"cannot fetch .*/{page}: (it comes too slowly|no answer within)"):
        fetch(f"{server}/{page}", tmp_path / "file.gz", DIGEST, deadline=0.3)
    assert not list(tmp_path.iterdir())


def test_no_network_is_one_clear_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: refuses connections
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/file.gz"
        with pytest.raises(ConnectionError, match=f"^cannot fetch {url}: .*refused") as caught:
            fetch(url, tmp_path / "file.gz", DIGEST)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
