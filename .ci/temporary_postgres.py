"""A temporary Postgres server for scripts: started on a free port, stopped and removed at the end.

Needs an installed server with its client programs; nothing but Python's standard library. As root the server runs as
`postgres`, because Postgres refuses root.
"""
import glob
import os
import pathlib
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile

# Nothing here is worth keeping: no flushing. The rest suits machines that also run the engine and the load.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "max_locks_per_transaction": "8192",
}


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def programs():
    """The directory of the newest installed Postgres that has client programs."""
    found = []
    for path in glob.glob("/usr/lib/postgresql/*/bin") + os.environ.get("PATH", "").split(os.pathsep):
        if all(os.access(os.path.join(path, name), os.X_OK) for name in ("initdb", "pg_ctl", "postgres", "psql")):
            version = subprocess.run([os.path.join(path, "postgres"), "--version"], capture_output=True, text=True)
            number = re.search(r"\d+", version.stdout)
            found.append((int(number.group()) if number else 0, path))
    if not found:
        sys.exit("no Postgres with initdb, pg_ctl and psql is installed")
    return pathlib.Path(max(found)[1])


class Postgres:
    """`with Postgres() as postgres: …`; `settings` go on top of the ones above."""

    def __init__(self, settings=None):
        self.bin = programs()
        self.settings = {**SETTINGS, **(settings or {})}
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="rowlock-temporary-"))
        self.user = {}
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.home, account.pw_uid, account.pw_gid)
            self.user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        self.port = free_port()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}

    def call(self, *command, check=True, input=None):
        command = [str(word) for word in command]
        done = subprocess.run(
            command, cwd=self.home, capture_output=True, text=True, input=input, env=self.environment, **self.user
        )
        if check and done.returncode != 0:
            sys.exit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
        return done

    def __enter__(self):
        data = self.home / "data"
        self.call(self.bin / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        options = " ".join(f"-c {name}={value}" for name, value in {**self.settings, "port": self.port}.items())
        try:
            # Its log goes to a file: a pipe of ours would stay open as long as the server runs.
            self.call(self.bin / "pg_ctl", "-D", data, "-l", self.home / "log", "-w", "-s", "-o", options, "start")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.call(self.bin / "pg_ctl", "-D", self.home / "data", "-m", "immediate", "-s", "stop", check=False)
        shutil.rmtree(self.home, ignore_errors=True)

    def process(self):
        """The server's process id."""
        return int((self.home / "data" / "postmaster.pid").read_text().split()[0])

    def url(self, database):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def run(self, database, sql, check=True):
        """Runs SQL text with psql; what it prints, without decoration."""
        command = [self.bin / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.url(database)]
        return self.call(*command, "-f", "-", input=sql, check=check)

    def create(self, *databases):
        for database in databases:
            self.run("postgres", f'create database "{database}"')
