"""Starts a built engine on a database and talks to it."""
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import pathlib

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / ".ci"))
from temporary_postgres import free_port  # noqa: E402

SECRET = "bench"
HEADERS = {"x-hasura-admin-secret": SECRET}

# A server with room for the data and without what would disturb a measurement.
POSTGRES = {
    "shared_buffers": "1GB",
    "work_mem": "32MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "autovacuum": "off",
}


def post(url, body, headers=None, timeout=300):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", **HEADERS, **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


class Engine:
    """`with Engine(program, metadata_url) as engine: …`; further variables win, None takes one away."""

    def __init__(self, program, metadata_url, log=None, variables=None):
        self.program, self.metadata_url, self.log = program, metadata_url, log or os.devnull
        self.variables = variables or {}
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.url = self.base + "/v1/graphql"

    def __enter__(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HASURA_")}
        environment |= {
            "HASURA_GRAPHQL_METADATA_DATABASE_URL": self.metadata_url,
            "HASURA_GRAPHQL_ADMIN_SECRET": SECRET,
            "HASURA_GRAPHQL_SERVER_PORT": str(self.port),
            "HASURA_GRAPHQL_ENABLED_LOG_TYPES": "startup",
            **self.variables,
        }
        environment = {name: value for name, value in environment.items() if value is not None}
        with open(self.log, "a") as log:
            self.process = subprocess.Popen([self.program, "serve"], env=environment, stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def wait(self, body=None, headers=None, seconds=600):
        """Until it answers `body` (default: the health check); the seconds that took."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            if self.process.poll() is not None:
                sys.exit(f"the engine ended with status {self.process.returncode}")
            try:
                if body is None:
                    with urllib.request.urlopen(self.base + "/healthz", timeout=60) as answer:
                        if answer.status == 200:
                            return time.monotonic() - started
                else:
                    status, answer = post(self.url, body, headers)
                    if status == 200 and b'"errors"' not in answer[:200]:
                        return time.monotonic() - started
            except OSError:
                pass
            time.sleep(0.01)
        sys.exit(f"the engine did not answer in {seconds} s")

    def metadata(self, kind, arguments, endpoint="/v1/metadata"):
        """Sends a metadata command; the seconds it took."""
        started = time.monotonic()
        status, answer = post(self.base + endpoint, {"type": kind, "args": arguments})
        if status != 200:
            sys.exit(f"{kind}: HTTP {status}: {answer[:2000].decode(errors='replace')}")
        return time.monotonic() - started
