"""How much `anteroom detect` finds, and how much it raises falsely, over public labelled sets: one table.

usage: quality.py BINARY DATA_DIR [--part all|tune|held] [--set NAME]... [--misses SET [N]] [--json]

DATA_DIR holds NAME.jsonl files, one object a line: {"id", "text", "spans": [{"start", "end", "label"}],
"labels": {...}}, offsets in Unicode code points. A set that is missing is skipped and said so.

recall   labelled spans of this kind that a finding touches
leak     texts with identifiers of which at least one span is wholly missed
alarms   texts that hold nothing of the kind (clinic_texts_200: nothing at all), with a finding all the same
stray    findings of the kind that touch no labelled span, of all findings of the kind

Every set is cut in five by what repeats in it (template, dialogue, else the row): `--part held` is one
fifth, on which nothing may be tuned or trained; `--part tune` is the rest.
"""
import argparse
import collections
import hashlib
import json
import os
import re
import subprocess
import sys

IDENTIFIERS = {
    "name", "geographic", "date", "phone", "fax", "email", "ssn", "mrn", "health_plan", "account", "license",
    "vehicle", "device", "url", "ip", "biometric", "photo", "other_unique", "age_over_89",
}
# Countries and states are no identifiers by themselves (45 CFR 164.514(b)(2)(i)(B)).
WIDE = set("""australia austria belgium brazil canada cyprus denmark estonia finland france germany greece hungary
iceland ireland italy latvia mexico netherlands norway poland portugal slovenia spain sweden switzerland tunisia
uruguay greenlander nan""".split()) | {
    "czech republic", "cyprus (greek)", "new zealand", "south africa", "united kingdom", "united states", "greenland"}
NO_DAY = re.compile(r"(19|20)\d\d|(mon|tues|wednes|thurs|fri|satur|sun)day|\d{1,2}:\d\d(:\d\d)?( ?[ap]m)?", re.I)


def safe_harbor(row, span):
    """Is the span of presidio_synth_v2 an identifier under Safe Harbor?"""
    words, label = row["text"][span["start"]:span["end"]], span["label"]
    if label in ("ORGANIZATION", "TITLE", "NRP"):
        return False
    if label == "AGE":
        return words.isdigit() and int(words) > 89
    if label == "GPE":
        return words.lower() not in WIDE and not re.fullmatch("[A-Z]{2}", words)
    if label == "DATE_TIME":
        return not NO_DAY.fullmatch(words)
    return True


def of(*labels):
    return lambda row, span: span["label"] in labels


def group(name):
    return lambda row, span: span.get("group") == name


def identifier(finding):
    return finding["category"] in IDENTIFIERS


def clinical(finding):
    return not identifier(finding)


def named(category):
    return lambda finding: finding["category"] == category


def anything(finding):
    return True


def every(row):
    return True


def doctors_system(row):
    return row["labels"]["speaker"] == "system" and row["labels"]["kind"] in ("doctor", "dentist")


# set, what is measured, rows, spans wanted, findings that count, which numbers are a promise
MEASURES = [
    ("clinic_texts_200", "identifiers", every, group("id"), anything, {"leak": 2, "alarms": 2}),
    ("clinic_texts_200", "clinical", every, group("clinical"), clinical, {"recall": 97}),
    ("presidio_synth_v2", "Safe Harbor", every, safe_harbor, identifier, {"leak": 5, "alarms": 5}),
    ("presidio_synth_v2", "names", every, of("PERSON"), named("name"), {}),
    ("presidio_synth_v2", "places", every,
     lambda row, span: span["label"] in ("GPE", "STREET_ADDRESS", "ZIP_CODE") and safe_harbor(row, span),
     named("geographic"), {}),
    ("uon_appointments", "names", every, of("PATIENT_NAME"), anything, {"recall": 99}),
    ("uon_appointments", "reasons", every, of("APPT_REASON"), clinical, {"recall": 97}),
    ("bc5cdr", "clinical", every, of("Chemical", "Disease"), clinical, {"recall": 75}),
    ("bc5cdr", "diseases", every, of("Disease"), clinical, {}),
    ("bc5cdr", "chemicals", every, of("Chemical"), clinical, {}),
    ("sgd_appointments", "system turns on doctors", doctors_system, of(), anything, {"alarms": 1}),
    ("benign_clinc150", "harmless requests", every, of(), anything, {"alarms": 1}),
    ("names_wnut17", "persons", every, of("person"), named("name"), {}),
]


def part_of(name, row):
    """One fifth is held out, by what repeats in the set."""
    labels = row.get("labels") or {}
    key = labels.get("template_id", labels.get("dialogue"))
    key = row["id"] if key is None else key
    return "held" if hashlib.sha256(f"{name}/{key}".encode()).digest()[0] % 5 == 0 else "tune"


def detect(binary, rows):
    lines = "".join(json.dumps({"id": n, "text": row["text"]}) + "\n" for n, row in enumerate(rows))
    done = subprocess.run([binary, "detect"], input=lines, capture_output=True, text=True, check=False)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    if len(answers) != len(rows):
        sys.exit(f"{binary} detect answered {len(answers)} of {len(rows)} texts: {done.stderr.strip()[:300]}")
    return [answer["findings"] for answer in answers]


def meets(one, other):
    return one["start"] < other["end"] and other["start"] < one["end"]


def measure(rows, wanted, counts, bare):
    """The numbers of one measure, and what was missed or found falsely."""
    total = hit = holding = leaking = free = alarmed = said = stray = 0
    missed, false = [], []
    for row, found in rows:
        spans = [span for span in row["spans"] if wanted(row, span)]
        found = [it for it in found if counts(it)]
        lost = [span for span in spans if not any(meets(span, it) for it in found)]
        wild = [it for it in found if not any(meets(it, span) for span in row["spans"])]
        total, hit = total + len(spans), hit + len(spans) - len(lost)
        holding, leaking = holding + bool(spans), leaking + bool(lost)
        said, stray = said + len(found), stray + len(wild)
        missed += [(row, span) for span in lost]
        false += [(row, it) for it in wild]
        if not (row["spans"] if bare else spans):
            free, alarmed = free + 1, alarmed + bool(wild)
    share = lambda one, all_: round(100 * one / all_, 2) if all_ else None
    return {"spans": total, "recall": share(hit, total), "leak": share(leaking, holding), "texts": len(rows),
            "alarms": share(alarmed, free), "stray": share(stray, said)}, missed, false


def show(rows, most):
    for row, it in rows[:most]:
        words = row["text"][it["start"]:it["end"]]
        print(f"  {it.get('label') or it.get('category')}: [{words}] in {row['text'][:160]!r}")


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("binary")
    args.add_argument("data_dir")
    args.add_argument("--part", choices=["all", "tune", "held"], default="all")
    args.add_argument("--set", action="append", help="only this set; may be given again")
    args.add_argument("--misses", nargs="+", metavar=("SET", "N"), help="print what a set's measures missed")
    args.add_argument("--json", action="store_true", help="one object a line instead of the table")
    args = args.parse_args()
    wanted_sets = [args.misses[0]] if args.misses else args.set
    if not args.json:
        print(f"{'set':20}{'measure':26}{'texts':>7}{'spans':>7}{'recall':>8}{'leak':>8}{'alarms':>8}{'stray':>8}  promise")
    answers = {}
    for name, what, keeps, wanted, counts, promise in MEASURES:
        if wanted_sets and name not in wanted_sets:
            continue
        path = os.path.join(args.data_dir, name + ".jsonl")
        if not os.path.exists(path):
            print(f"{name:20}{what:26}skipped: {name}.jsonl is not in the data folder", file=sys.stderr)
            continue
        if name not in answers:
            rows = [json.loads(line) for line in open(path, encoding="utf-8")]
            rows = [row for row in rows if args.part in ("all", part_of(name, row))]
            answers[name] = list(zip(rows, detect(args.binary, rows)))
        numbers, missed, false = measure([it for it in answers[name] if keeps(it[0])], wanted, counts,
                                         name == "clinic_texts_200")
        if args.json:
            print(json.dumps({"set": name, "measure": what, "part": args.part, **numbers}))
            continue
        cell = lambda key: f"{'-' if numbers[key] is None else numbers[key]:>8}"
        kept = [f"{key} {'>=' if key == 'recall' else '<='} {value}: "
                + ("kept" if (numbers[key] >= value if key == "recall" else numbers[key] <= value) else "MISSED")
                for key, value in promise.items() if numbers[key] is not None]
        print(f"{name:20}{what:26}{numbers['texts']:>7}{numbers['spans']:>7}"
              + "".join(map(cell, ["recall", "leak", "alarms", "stray"])) + "  " + ", ".join(kept), flush=True)
        if args.misses:
            most = int(args.misses[1]) if len(args.misses) > 1 else 40
            print(" missed:", dict(collections.Counter(span["label"] for _, span in missed)))
            show(missed, most)
            print(" stray:", dict(collections.Counter(it["category"] for _, it in false)))
            show(false, most)


main()
