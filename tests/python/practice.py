"""A practice on Twilio, for scripts: the built binary, a stand-in for Twilio's API that remembers
what it was sent, and webhooks signed by Twilio's own package."""

import base64
import datetime
import hashlib
import hmac
import http.client
import http.server
import json
import os
import pathlib
import socket
import subprocess
import threading
import time
import urllib.parse
import zoneinfo

ZONE = zoneinfo.ZoneInfo("America/Los_Angeles")
ROOT = pathlib.Path(__file__).resolve().parents[2]
PUBLIC_URL = "https://text.example.com"
ACCOUNT = "AC" + "0" * 32
TOKEN = "0123456789abcdef0123456789abcdef"  # invented

try:
    from twilio.request_validator import RequestValidator

    _validator = RequestValidator(TOKEN)

    def sign(url, fields):
        """The signature that Twilio's own package makes."""
        return _validator.compute_signature(url, fields)
except ImportError:

    def sign(url, fields):
        """The same signature without the package."""
        text = url + "".join(name + fields[name] for name in sorted(fields))
        digest = hmac.new(TOKEN.encode(), text.encode(), hashlib.sha1).digest()
        return base64.b64encode(digest).decode()


class FakeTwilio:
    """Takes messages as Twilio's REST API does, in memory; tells when each came."""

    def __init__(self):
        self.sent = []
        self.came = threading.Condition()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                at = time.perf_counter()
                fields = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
                with outer.came:
                    number = len(outer.sent) + 1
                    outer.sent.append((at, fields))
                    outer.came.notify_all()
                answer = json.dumps({"sid": f"SM{number:032x}", "status": "queued", "num_segments": "1"}).encode()
                self.send_response(201)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count, patience=20):
        """Everything sent, once it is `count` texts."""
        with self.came:
            if not self.came.wait_for(lambda: len(self.sent) >= count, patience):
                raise SystemExit(f"only {len(self.sent)} of {count} texts were sent")
            return list(self.sent)


def fresh_bundle(path):
    """The sample record with its visits moved by whole weeks into the days to come."""
    text = (ROOT / "samples/lakeside.json").read_text()
    bundle = json.loads(text)
    today = datetime.datetime.now(ZONE).date()
    weeks = (today - datetime.date(2026, 11, 30)).days // 7 + 1
    for entry in bundle["entry"]:
        for field in ("start", "end"):
            value = entry["resource"].get(field)
            if value:
                # The hour on the practice's wall stays, also across a clock change.
                wall = datetime.datetime.fromisoformat(value).astimezone(ZONE).replace(tzinfo=None)
                moved = (wall + datetime.timedelta(weeks=weeks)).replace(tzinfo=ZONE)
                entry["resource"][field] = moved.isoformat()
    path.write_text(json.dumps(bundle))


class Practice:
    """The running server, configured for Twilio."""

    def __init__(self, binary, folder, database=None, bundle=True):
        self.folder = pathlib.Path(folder)
        self.twilio = FakeTwilio()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        sample = (ROOT / "samples/lakeside.toml").read_text().replace("simulator", "twilio")
        (self.folder / "anteroom.toml").write_text(
            f'listen = "127.0.0.1:{self.port}"\npublic_url = "{PUBLIC_URL}"\n'
            f'data_dir = "{self.folder}/data"\n'
            + (f'database_url = "{database}"\n' if database else "")
            + sample
            + '\n[[practice.agreement]]\ncounterparty = "twilio"\nproduct = "programmable-messaging"\n'
            'document_sha256 = "00"\nsigner = "an officer"\nfrom = 2026-01-01\n'
            f'\n[twilio.lakeside]\naccount_sid = "{ACCOUNT}"\nauth_tokens = ["{TOKEN}"]\n'
            f'base_url = "{self.twilio.url}"\n'
        )
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("ANTEROOM_", "OPENAI_"))}
        self.run = lambda *words: subprocess.run(
            [binary, *words], cwd=self.folder, env=environment, capture_output=True, text=True
        )
        if bundle:
            fresh_bundle(self.folder / "bundle.json")
            done = self.run("import", "bundle.json", "--practice", "lakeside")
            if done.returncode:
                raise SystemExit(done.stderr)
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [binary], cwd=self.folder, env=environment, stderr=subprocess.PIPE, text=True
        )
        self.said = []
        threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True).start()
        self.ready_after = self._ready()
        self.texts = 0

    def _ready(self):
        while time.perf_counter() - self.began < 20:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    return time.perf_counter() - self.began
            except OSError:
                time.sleep(0.002)
        raise SystemExit("".join(self.said))

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def text(self, sender, body, connection=None):
        """A signed webhook; seconds until its answer."""
        self.texts += 1
        path = "/webhooks/twilio/lakeside"
        fields = {
            "MessageSid": f"SM{self.texts:032x}",
            "AccountSid": ACCOUNT,
            "From": sender,
            "To": "+14155550101",
            "Body": body,
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsStatus": "received",
            "ApiVersion": "2010-04-01",
        }
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": sign(PUBLIC_URL + path, fields),
        }
        connection = connection or self.connect()
        body = urllib.parse.urlencode(fields)
        began = time.perf_counter()
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        took = time.perf_counter() - began
        if answer.status != 200:
            raise SystemExit(f"a webhook was answered {answer.status}")
        return took

    def rss_mb(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024

    def stop(self):
        self.process.terminate()
        return self.process.wait(30)
