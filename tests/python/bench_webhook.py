"""How long a webhook waits for its answer at 200 texts a second, on SQLite and on PostgreSQL.

Usage: bench_webhook.py BINARY   (prints a table: figure, wanted, got)

Open loop: texts are sent on a timetable, whether or not earlier ones have been answered, and each
answer is timed from when its text was due, so that a server that stalls is charged for everything
that queued behind it (no coordinated omission). The house answers every patient meanwhile, through
`anteroom simulate-carrier` in a process of its own.
"""

import asyncio
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

from practice import ACCOUNT, PUBLIC_URL, TOKEN, sign

RATE = 200
WARM_S, MEASURED_S = 5, 30
PATIENTS = 2_000
CONNECTIONS = 64
PATH = "/webhooks/twilio/lakeside"
WANTED = {"SQLite": 20.0, "PostgreSQL": 30.0}

CONFIG = """
listen = "127.0.0.1:{port}"
public_url = "{public}"
data_dir = "{folder}/data"
{database}
[llm]
kind = "offline"
[[practice]]
id = "lakeside"
name = "Lakeside Family Medicine"
phone = "+14155550100"
state = "CA"
timezone = "America/Los_Angeles"
[[practice.sender]]
carrier = "twilio"
number = "+14155550101"
number_type = "short_code"
per_second = 1000.0
[twilio.lakeside]
account_sid = "{account}"
auth_tokens = ["{token}"]
base_url = "http://127.0.0.1:{fake}"
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def texts(count):
    """The signed webhooks, made before the clock runs."""
    made = []
    for number in range(count):
        patient = number % PATIENTS
        fields = {
            "MessageSid": f"SM{number:032x}",
            "AccountSid": ACCOUNT,
            "From": f"+1{201 + patient // 100}55501{patient % 100:02}",
            "To": "+14155550101",
            "Body": "Hello, when is my next visit?",
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsStatus": "received",
            "ApiVersion": "2010-04-01",
        }
        body = urllib.parse.urlencode(fields).encode()
        head = (
            f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"X-Twilio-Signature: {sign(PUBLIC_URL + PATH, fields)}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


async def exchange(pool, port, text):
    """Posts a text on a connection of its own for that time; the status."""
    reader, writer = None, None
    # As carriers do: a kept connection that the server has closed meanwhile is not used.
    while pool and (reader is None or reader.at_eof()):
        reader, writer = pool.pop()
    if reader is None or reader.at_eof():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0
    )
    await reader.readexactly(length)
    pool.append((reader, writer))
    return int(head.split(b" ", 2)[1])


async def load(port):
    """Seconds from when each text was due to its answer; statuses that were not 200."""
    made = texts(RATE * (WARM_S + MEASURED_S))
    pool = [await asyncio.open_connection("127.0.0.1", port) for _ in range(CONNECTIONS)]
    took, odd = [], []
    began = time.perf_counter() + 0.2

    async def one(number, text):
        due = began + number / RATE
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        status = await exchange(pool, port, text)
        if status != 200:
            odd.append(status)
        if number >= RATE * WARM_S:
            took.append(time.perf_counter() - due)

    await asyncio.gather(*(one(number, text) for number, text in enumerate(made)))
    return sorted(took), odd


class Postgres:
    """A private server on a socket in its own folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        installed = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        initdb = installed[-1] if installed else pathlib.Path(shutil.which("initdb")).resolve()
        self.bin = initdb.parent
        self.owner = []
        if os.getuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(self.folder, "postgres")
            self.owner = ["runuser", "-u", "postgres", "--"]
        self._do("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale")
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}'"
        self._do("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", options, "start")
        self.url = f"postgres://postgres@localhost/postgres?host={self.folder}"

    def _do(self, program, *words):
        words = [*self.owner, str(self.bin / program), "-D", str(self.folder / "data"), *words]
        subprocess.run(words, cwd=self.folder, check=True, stdout=subprocess.DEVNULL)

    def stop(self):
        self._do("pg_ctl", "-m", "immediate", "stop")


def wait_for(port, process):
    while process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise SystemExit("the server ended")


def measure(binary, folder, database):
    port, fake = free_port(), free_port()
    config = pathlib.Path(folder) / "anteroom.toml"
    line = f'database_url = "{database}"' if database else ""
    config.write_text(
        CONFIG.format(port=port, fake=fake, public=PUBLIC_URL, folder=folder, database=line, account=ACCOUNT, token=TOKEN)
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("ANTEROOM_", "OPENAI_"))}
    environment["ANTEROOM_LOG__LEVEL"] = "error"
    start = lambda *words: subprocess.Popen([binary, *words], cwd=folder, env=environment, stderr=subprocess.DEVNULL)
    carrier = start("simulate-carrier", "--listen", f"127.0.0.1:{fake}")
    house = start("serve")
    try:
        wait_for(fake, carrier)
        wait_for(port, house)
        return asyncio.run(load(port))
    finally:
        for process in (house, carrier):
            process.terminate()
        for process in (house, carrier):
            process.wait(60)


def main():
    binary = os.path.abspath(sys.argv[1])
    print(f"{RATE} texts a second for {MEASURED_S} s, {PATIENTS} patients, open loop, {os.cpu_count()} cores\n")
    print("| figure | wanted | got |\n|---|---|---|")
    good = True
    for engine, wanted in WANTED.items():
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as cluster:
            postgres = Postgres(cluster) if engine == "PostgreSQL" else None
            try:
                took, odd = measure(binary, folder, postgres and postgres.url)
            finally:
                if postgres:
                    postgres.stop()
        at = lambda share: took[min(len(took) - 1, int(len(took) * share))] * 1000
        good = good and at(0.99) <= wanted and not odd
        print(f"| webhook answer p99, {engine} | <= {wanted:.0f} ms | {at(0.99):.1f} ms |")
        print(f"| webhook answer p50, {engine} | | {at(0.5):.1f} ms |")
        print(f"| webhook answer max, {engine} | | {took[-1] * 1000:.1f} ms |")
        print(f"| webhooks not answered 200, {engine} | 0 | {len(odd)} |")
    sys.exit(0 if good else 1)


main()
