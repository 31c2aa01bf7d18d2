"""How long each page takes with many conversations stored: seeds a store, signs in, asks every page.

Usage: page_figures.py BINARY [CONVERSATIONS] [DATABASE_URL]   (prints a table; exit 1 beyond the limits)

The times are a client's on the same machine over one kept connection, so they bound the server's own.
"""

import base64
import hashlib
import hmac
import http.client
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse

ASKS = 40
PAGE_MS = 50
PASSWORD = "three herons by the lake"

PAGES = [
    ("inbox, all", "/console/inbox/all"),
    ("inbox, all, second page", "/console/inbox/all?before={middle}"),
    ("inbox, unread", "/console/inbox/unread"),
    ("inbox, held", "/console/inbox/held"),
    ("inbox, emergency", "/console/inbox/emergency"),
    ("inbox, taken over", "/console/inbox/taken"),
    ("inbox, found by number", "{by_number}"),
    ("inbox, found by name", "{by_name}"),
    ("inbox with a conversation open", "/console/inbox/all?c={conversation}"),
    ("overview, 30 days", "/console/overview?days=30"),
    ("overview, 90 days", "/console/overview?days=90"),
    ("compliance", "/console/compliance"),
    ("compliance, found by number", "{proof}"),
    ("a patient", "{patient}"),
    ("a case", "{case}"),
    ("retention", "/console/retention"),
    ("audit", "/console/audit"),
    ("audit, by subject", "/console/audit?subject=conversation%2F77"),
    ("audit, by person", "/console/audit?actor=staff%2F1"),
    ("audit, by kind", "/console/audit?action=staff"),
    ("audit, by rule", "/console/audit?rule=us.tcpa.hours"),
    ("audit, by patient", "{audit_patient}"),
    ("agreements", "/console/agreements"),
    ("prompts", "/console/prompts"),
    ("prompt editor", "/console/prompts/edit/en/visit"),
    ("changes since the last publish", "/console/overview/changes"),
    ("policy", "/console/policy"),
    ("replies", "/console/replies"),
    ("team", "/console/team"),
    ("sign-in", "/console/sign-in"),
    ("home", "/"),
]


def code(secret):
    """The code of an authenticator app (RFC 6238)."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


class Browser:
    def __init__(self, base):
        self.at = http.client.HTTPConnection(urllib.parse.urlsplit(base).netloc)
        self.cookie = ""
        self.went = ""

    def ask(self, method, path, fields=None):
        body = urllib.parse.urlencode(fields) if fields is not None else None
        headers = {"cookie": self.cookie, "sec-fetch-site": "same-origin"}
        if body is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
        self.at.request(method, path, body, headers)
        answer = self.at.getresponse()
        text = answer.read().decode()
        self.went = (answer.headers.get("location") or "").split("#")[0]
        kept = answer.headers.get("set-cookie")
        if kept:
            self.cookie = kept.split(";")[0]
        return answer.status, text

    def led(self, path, fields):
        """Where a form leads: no address of the console tells a name or a number."""
        status, text = self.ask("POST", path, fields)
        assert status == 303 and self.went, (path, status, text)
        return self.went

    def places(self):
        """The addresses that are known only once the store is full."""
        _, inbox = self.ask("GET", "/console/inbox/all")
        csrf = re.search(r'name="csrf" value="([0-9a-f]+)"', inbox)[1]
        known = {"middle": re.search(r"before=(\d+)", inbox)[1]}
        for conversation, name in re.findall(r'data-id="(\d+)">.*?class="who"><bdi>(.*?)</bdi>', inbox, re.S):
            if re.search(r"\d", name):
                continue
            known["conversation"] = conversation
            _, talk = self.ask("GET", f"/console/inbox/all?c={conversation}")
            number = re.search(r'class="talk-who">.*?<p>(.*?) ·', talk, re.S)[1]
            known["by_number"] = self.led("/console/inbox/all", {"csrf": csrf, "q": number})
            known["by_name"] = self.led("/console/inbox/all", {"csrf": csrf, "q": name.split()[-1]})
            known["proof"] = self.led("/console/compliance", {"csrf": csrf, "q": number})
            known["patient"] = re.search(r'href="(/console/patients/[\w-]+)"', self.ask("GET", known["proof"])[1])[1]
            status, shown = self.ask("POST", "/console/audit", {"csrf": csrf, "q": number})
            # Of a number that several share, as all are among 100,000 conversations, the officer chooses one.
            chosen = re.search(r'href="(/console/audit\?[^"]*patient=[^"]+)"', shown)
            known["audit_patient"] = self.went if status == 303 else chosen[1].replace("&amp;", "&")
            today = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400))
            asked = {"csrf": csrf, "received": today, "words": "Everything, on paper"}
            known["case"] = self.led(f"{known['patient']}/case", asked)
            return known
        raise AssertionError("no conversation with somebody whose name is known")

    def owner(self, link):
        """Joins by an invitation and sets up the second factor."""
        path = urllib.parse.urlsplit(link).path
        status, text = self.ask("POST", path, {"password": PASSWORD, "again": PASSWORD})
        assert status == 303, (status, text)
        _, text = self.ask("GET", "/console/second")
        csrf = re.search(r'name="csrf" value="([0-9a-f]+)"', text)[1]
        secret = re.sub(r"\s", "", re.search(r'class="key">([A-Z2-7 ]+)<', text)[1])
        status, text = self.ask("POST", "/console/second", {"csrf": csrf, "code": code(secret), "next": ""})
        assert status == 200, (status, text)


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] * 1000


def main():
    binary = sys.argv[1]
    count = sys.argv[2] if len(sys.argv) > 2 else "100000"
    database = sys.argv[3] if len(sys.argv) > 3 else ""
    with tempfile.TemporaryDirectory() as folder:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ANTEROOM_")}
        own = {"ANTEROOM_DATA_DIR": folder, "ANTEROOM_LISTEN": "127.0.0.1:0", "ANTEROOM_LOG__LEVEL": "error"}
        if database:
            own["ANTEROOM_DATABASE_URL"] = database
        environment = {**clean, **own}
        seeded = subprocess.run([binary, "seed", "--conversations", count], env=environment, cwd=folder, check=True, capture_output=True, text=True)
        print(f"seeded: {seeded.stdout.strip()}\n")
        server = subprocess.Popen([binary], env=environment, cwd=folder, stderr=subprocess.PIPE, text=True)
        try:
            base = link = None
            while not (base and link):
                line = server.stderr.readline()
                assert line, "the server ended"
                found = re.search(r"(http://\S+?)/console/join/\S+", line)
                link = found[0] if found else link
                base = found[1] if found else base
            browser = Browser(base)
            browser.owner(link)
            known = browser.places()
            print("| page | p50 ms | p95 ms | max ms | KiB |\n|---|---|---|---|---|")
            slow = []
            for name, path in PAGES:
                path, took, size = path.format(**known), [], 0
                for _ in range(ASKS):
                    began = time.perf_counter()
                    status, text = browser.ask("GET", path)
                    took.append(time.perf_counter() - began)
                    assert status == 200, (name, status, text)
                    size = len(text.encode())
                p95 = quantile(took, 0.95)
                slow += [name] if p95 > PAGE_MS else []
                print(f"| {name} | {quantile(took, 0.5):.1f} | {p95:.1f} | {max(took) * 1000:.1f} | {size / 1024:.0f} |")
            print(f"\nbeyond the limit ({PAGE_MS} ms): {', '.join(slow) or 'none'}")
            return 1 if slow else 0
        finally:
            server.terminate()
            server.wait()


sys.exit(main())
