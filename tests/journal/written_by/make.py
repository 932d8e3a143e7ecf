#!/usr/bin/env python3
"""Writes the stores of a version of hob: make.py BINARY FOLDER [POSTGRES_URL]

FOLDER gets hob.db.gz and, with the URL of an empty database whose schema `written_by` is free, postgres.sql.gz.
"""
import gzip
import json
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

HERE = Path(__file__).parent
# The address in workspace/recipes/doubtful.yaml.
LOST = ("127.0.0.1", 47119)


def lose_answers():
    """Reads requests and closes the connection instead of answering."""
    server = socket.create_server(LOST)

    def serve():
        while True:
            connection, _ = server.accept()
            connection.recv(65536)
            connection.close()

    threading.Thread(target=serve, daemon=True).start()


def address(output):
    """Where the sandbox stands in for HighLevel."""
    text = ""
    for line in output:
        text += line
        if line == "]\n":
            return next(c["base_url"] for c in json.loads(text) if c["connector"] == "highlevel")


class Workspace:
    def __init__(self, binary, store):
        self.binary, self.store = binary, store
        self.path = Path(tempfile.mkdtemp())
        shutil.copytree(HERE / "workspace/recipes", self.path / "recipes")

    def hob(self, *arguments, event=None, codes=(0,)):
        given = None if event is None else json.dumps(event)
        ended = subprocess.run([self.binary, *arguments], cwd=self.path, input=given, capture_output=True, text=True)
        assert ended.returncode in codes, (arguments, ended)
        return ended.stdout

    def trigger(self, recipe, **event):
        self.hob("trigger", recipe, "--event", "-", event=event)

    def connect(self, address):
        (self.path / "hob.yaml").write_text(
            f"store: {self.store}\n"
            "connections:\n"
            "  highlevel:\n"
            "    connector: highlevel\n"
            f"    base_url: {address}\n"
            "    location: QmT4zvXk81RwYc2LpHdN\n"
            "    company: cK7pWn2sTfVbQ9xLzR3e\n"
            "    auth: { token: pit-sandbox-0000-0000 }\n"
        )

    def fill(self):
        sandbox = subprocess.Popen(
            [self.binary, "sandbox", "--unlimited", "--records", "5", "--format", "json"],
            cwd=self.path, stdout=subprocess.PIPE, text=True,
        )
        try:
            self.connect(address(sandbox.stdout))
            for n in [1, 2, 3, 4]:
                self.trigger("keep", n=n)
            self.trigger("send", email="sent@example.com")
            # Polled, filtered, failed, succeeded, parked, waiting for a short and for a long time.
            self.trigger("doubtful", n=1)
            self.trigger("doubtful", n=2)
            self.trigger("later", n=1, **{"for": "10m"})
            self.trigger("later", n=2, **{"for": "3000d"})
            self.hob("run", "--once", codes=(0, 1))
        finally:
            sandbox.kill()
        # Nobody answers any more: these two are tried again, after a while. Another one has not begun.
        self.connect("http://127.0.0.1:9")
        self.trigger("send", email="tried-again@example.com")
        self.hob("run", "--once", codes=(0, 1))
        self.trigger("keep", n=5)
        self.hob("pause", "send")


def main(binary, folder, url=None):
    binary, folder = str(Path(binary).resolve()), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lose_answers()
    local = Workspace(binary, "sqlite:state/hob.db")
    local.fill()
    compact = local.path / "compact.db"
    sqlite3.connect(local.path / "state/hob.db").execute("VACUUM INTO ?", [str(compact)])
    (folder / "hob.db.gz").write_bytes(gzip.compress(compact.read_bytes(), mtime=0))
    print(local.hob("store", "info"))
    if url:
        Workspace(binary, f"{url}?schema=written_by").fill()
        dump = ["pg_dump", "--inserts", "--no-owner", "--schema=written_by", url]
        text = subprocess.run(dump, capture_output=True, text=True, check=True).stdout
        # What psql alone understands, and settings that would outlast the dump.
        text = re.sub(r"^(\\.*|SET .*|SELECT pg_catalog.set_config.*|--.*)\n", "", text, flags=re.M)
        (folder / "postgres.sql.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


main(*sys.argv[1:])
