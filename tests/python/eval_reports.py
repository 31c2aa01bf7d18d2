"""Reads the reports of `anteroom eval` with the parsers of others: junitparser and sarif-tools."""

import html.parser
import json
import pathlib
import sys

from junitparser import JUnitXml
from sarif.loader import load_sarif_file

folder = pathlib.Path(sys.argv[1])

xml = JUnitXml.fromfile(str(folder / "r.xml"))
assert (xml.tests, xml.failures, xml.errors) == (4, 1, 1), (xml.tests, xml.failures, xml.errors)
by_name = {}
for suite in xml:
    for case in suite:
        kinds = [type(result).__name__ for result in case.result]
        by_name[f"{suite.name}/{case.name}"] = kinds
assert by_name == {
    "aside/one": ["Skipped"],
    'error/<odd> & "quoted"': ["Error"],
    "failing/one": ["Failure"],
    "passing/one": [],
}, by_name

sarif = load_sarif_file(str(folder / "r.sarif"))
assert sarif.get_distinct_tool_names() == ["anteroom"], sarif.get_distinct_tool_names()
records = sarif.get_records()
places = sorted((it["Location"], it["Line"], it["Severity"]) for it in records)
assert places == [("evals/error.yaml", 4, "warning"), ("evals/failing.yaml", 4, "error")], places
raw = json.loads((folder / "r.sarif").read_text())
assert raw["version"] == "2.1.0" and raw["$schema"].startswith("https://")
import jsonschema

schema = json.loads(pathlib.Path("tests/schemas/sarif-schema-2.1.0.json").read_text())
jsonschema.Draft7Validator(schema).validate(raw)
ids = {rule["id"] for rule in raw["runs"][0]["tool"]["driver"]["rules"]}
assert ids == {result["ruleId"] for result in raw["runs"][0]["results"]}, ids

whole = json.loads((folder / "r.json").read_text())
assert whole["count"] == {"passed": 1, "failed": 1, "errors": 1, "skipped": 1}, whole["count"]
lines = [json.loads(line) for line in (folder / "r.jsonl").read_text().splitlines()]
assert [line["status"] for line in lines] == ["skipped", "error", "failed", "passed"], lines

page = (folder / "r.html").read_text()
assert "&lt;odd&gt; &amp; &quot;quoted&quot;" in page and "<script" not in page
assert "<mark>" in page and len(page) < 1_000_000
open_tags = []
VOID = {"meta", "link", "br", "hr", "img", "input", "wbr"}


class Balance(html.parser.HTMLParser):
    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            open_tags.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert open_tags and open_tags.pop() == tag, tag


Balance().feed(page)
assert not open_tags, open_tags
assert "| suite |" in (folder / "r.md").read_text()
