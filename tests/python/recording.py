"""One conversation through signed Twilio webhooks, written down: requests, replies, audit entries.

Usage: recording.py BINARY   (prints Markdown; fails when the conversation does not go as it must)
"""

import json
import re
import sys
import tempfile

from practice import Practice

PATIENT = "+14155550114"
SCRIPT = [
    # what the patient texts, what the answer must and must not hold
    ("When is my appointment?", r"Reply YES", r"Tom|Dec|AM|PM"),
    ("YES", r"9:00", r"biopsy"),
    ("Are my biopsy results in?", r"https://text\.example\.com/p/[\w-]{43}", r"(?i)biopsy|benign|mole"),
    ("can you move it to Thursday?", r"1\)", None),
    ("1", r"(?i)moved to \w{3},", None),
    ("STOP", r"START", None),
]

with tempfile.TemporaryDirectory() as folder:
    practice = Practice(sys.argv[1], folder)
    print("# One conversation through signed Twilio webhooks\n")
    print("Invented people; the links are dead. Made by `make recording`.\n")
    for number, (body, must, must_not) in enumerate(SCRIPT, 1):
        took = practice.text(PATIENT, body)
        sent = practice.twilio.wait(number)
        reply = sent[number - 1][1]
        print(f"**{PATIENT}** {body}  \n`POST /webhooks/twilio/lakeside` signed, 200 `<Response/>` in {took * 1000:.1f} ms\n")
        print(f"> {reply['Body']}\n>\n> `POST .../Messages.json` From={reply['From']} To={reply['To']}\n")
        if not re.search(must, reply["Body"]):
            raise SystemExit(f"the answer to {body!r} lacks {must}: {reply['Body']}")
        if must_not and re.search(must_not, reply["Body"]):
            raise SystemExit(f"the answer to {body!r} holds {must_not}: {reply['Body']}")
    practice.text(PATIENT, "hello?")
    code = practice.stop()
    if code:
        raise SystemExit(f"the server ended with {code}: {''.join(practice.said)}")
    if len(practice.twilio.sent) != len(SCRIPT):
        raise SystemExit("a text left after STOP")
    print("**After STOP** `hello?` is recorded and nothing is sent.\n\n## Audit log\n")
    verified = practice.run("audit", "verify")
    print(f"```console\n$ anteroom audit verify\n{verified.stdout}```\n")
    if verified.returncode:
        raise SystemExit("the audit log does not verify")
    print("| seq | actor | action | detail |\n|---|---|---|---|")
    for line in practice.run("audit", "export").stdout.splitlines():
        linked = json.loads(line)
        entry = linked["entry"]
        detail = json.loads(entry["detail"])
        shown = {k: v for k, v in detail.items() if k in ("intent", "consent", "kind", "phi", "portal", "outcome", "held", "epoch")}
        print(f"| {linked['seq']} | {entry['actor']} | {entry['action']} | `{json.dumps(shown)}` |")
