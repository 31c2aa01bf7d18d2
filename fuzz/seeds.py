#!/usr/bin/env python3
"""Writes what the fuzzer begins with: the drafts of the gold set, and its lines for the wire."""

import hashlib
import json
import pathlib

here = pathlib.Path(__file__).parent
gold = sorted((here.parent / "evals" / "guardrail").glob("*.jsonl"))


def keep(target: str, text: str) -> None:
    folder = here / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / hashlib.sha256(text.encode()).hexdigest()[:16]).write_text(text, encoding="utf-8")


for file in gold:
    for line in file.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if "draft" not in row:
            continue
        for target in ("detect", "review", "screen"):
            keep(target, row["draft"])
        keep("wire", json.dumps({key: row[key] for key in ("id", "draft", "context")}, ensure_ascii=False))
