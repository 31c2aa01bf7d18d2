"""Times of one review each, over a file of texts: p50, p99 and verdicts.

Usage: guardrail_figures.py BINARY TEXTS.jsonl   (lines with a "text"; each is reviewed as an SMS to a
patient who agreed, with one visit on file; the first pass warms the caches and is not counted)
"""

import collections
import json
import subprocess
import sys

binary, path = sys.argv[1:]
setting = {
    "practice": {"name": "Lakeside Family Medicine", "phone": "+14155550100", "type": "primary_care",
                 "portal_url": "https://portal.example.com"},
    "channel": "sms", "consent": "granted", "state": "CA", "language": "en", "timezone": "America/Los_Angeles",
    "now": "2026-12-01T10:00:00-08:00", "purpose": "reply",
    "facts": [{"field": "appointment.start", "value": "2026-12-02T15:00:00-08:00"}],
}
texts = [json.loads(line)["text"] for line in open(path, encoding="utf-8")]
line = lambda text: json.dumps({"id": 0, "draft": text, "context": setting})
rounds = 6
out = subprocess.run([binary, "check"], input="\n".join(map(line, texts * rounds)), capture_output=True, text=True).stdout
reviews = [json.loads(one) for one in out.splitlines()][len(texts):]
micros = sorted(review["micros"] for review in reviews)
pick = lambda share: micros[int(len(micros) * share)]
print(f"{len(texts)} texts, {rounds - 1} rounds: p50 {pick(0.5)} us, p99 {pick(0.99)} us; "
      f"{dict(collections.Counter(review['verdict'] for review in reviews[:len(texts)]))}")
