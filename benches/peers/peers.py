"""Runs open detectors of identifiers beside `anteroom detect` over one labelled file and prints a table.

usage: peers.py ANTEROOM_BINARY [FILE.jsonl]
Lines of the file: {"id","text","spans":[{"start","end","label"}]}, offsets in code points. Spans whose
"group" is "clinical" count in the column clinical, all others as identifiers.
Each peer is installed by name into its own environment under .cache/peers (ignored by git); one that
cannot be installed or does not run says so, and the others go on.
"""
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CACHE = os.path.join(ROOT, ".cache", "peers")
INSTALL_SECONDS, RUN_SECONDS = 420, 240

# name, interpreter, packages, runner: prints per line {"found":[[start,end]],"us":..}, then {"rss":MB}
PROLOGUE = """
import json, resource, sys, time
texts = [json.loads(line)["text"] for line in open(sys.argv[1], encoding="utf-8")]
def go(find):
    find(texts[0])
    for text in texts:
        began = time.perf_counter()
        found = [[int(a), int(b)] for a, b in find(text)]
        print(json.dumps({"found": found, "us": (time.perf_counter() - began) * 1e6}))
    print(json.dumps({"rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
"""
PRESIDIO = PROLOGUE + """
import spacy
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import SpacyNlpEngine
class Blank(SpacyNlpEngine):
    def __init__(self):
        super().__init__()
        self.nlp = {"en": spacy.blank("en")}
engine = AnalyzerEngine(nlp_engine=Blank(), supported_languages=["en"])
go(lambda text: [(it.start, it.end) for it in engine.analyze(text=text, language="en")])
"""
SCRUBADUB = PROLOGUE + """
import scrubadub
scrubber = scrubadub.Scrubber()
go(lambda text: [(it.beg, it.end) for it in scrubber.iter_filth(text)])
"""
PHILTER = PROLOGUE + """
import os, philter_ucsf
from philter_ucsf import Philter
home = os.path.dirname(philter_ucsf.__file__)
os.chdir(home)
found = [os.path.join(d, f) for d, _, fs in os.walk(home) for f in fs if f == "philter_delta.json"]
config = {"verbose": False, "run_eval": False, "freq_table": False, "filters": found[0],
          "finpath": "/tmp/", "foutpath": "/tmp/", "outformat": "i2b2", "anno_folder": "/tmp/",
          "anno_suffix": "", "xml": "/tmp/none.json", "coords": "/tmp/none.json", "eval_out": "/tmp/",
          "cachepos": None, "ucsfformat": False}
philter = Philter(config)
def find(text):
    import tempfile
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "a.txt"), "w") as out:
            out.write(text)
        philter.finpath = folder + "/"
        philter.map_coordinates(in_path=folder + "/", allowed_exclude_list="exclude")
        coords = philter.exclude_map.get_coords(os.path.join(folder, "a.txt"))
        return list(coords.items() if hasattr(coords, "items") else coords)
go(find)
"""
REDACT_TOML = """[package]
name = "peer-redact"
version = "0.0.0"
edition = "2021"
[dependencies]
redact-core = "0.12"
serde_json = "1"
[workspace]
"""
REDACT_MAIN = """use std::time::Instant;
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let engine = redact_core::AnalyzerEngine::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = row["text"].as_str().unwrap();
        let began = Instant::now();
        let result = engine.analyze(text, None).unwrap();
        let us = began.elapsed().as_secs_f64() * 1e6;
        let at = |byte: usize| text.char_indices().take_while(|(place, _)| *place < byte).count();
        let found: Vec<_> = result.detected_entities.iter().map(|it| [at(it.start), at(it.end)]).collect();
        println!("{}", serde_json::json!({ "found": found, "us": us }));
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let kb: f64 = status.lines().find(|l| l.starts_with("VmHWM")).unwrap().split_whitespace().nth(1).unwrap().parse().unwrap();
    println!("{}", serde_json::json!({ "rss": kb / 1024.0 }));
}
"""


class Unable(Exception):
    """A peer that cannot run here, and why."""


def call(command, seconds, **more):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, **more)
    except subprocess.TimeoutExpired as late:
        raise Unable(f"took longer than {seconds} s") from late
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise Unable(lines[-1][:110] if lines else f"exit {done.returncode}")
    return done.stdout


def python_peer(name, packages, runner, interpreter=sys.executable):
    # A shim can be on the path of an interpreter that is not there.
    missing = shutil.which(interpreter) is None or subprocess.run(
        [interpreter, "--version"], capture_output=True
    ).returncode
    if missing:
        raise Unable(f"needs {os.path.basename(interpreter)}, which is not installed")
    home = os.path.join(CACHE, name)
    python = os.path.join(home, "bin", "python")
    if not os.path.exists(os.path.join(home, "ready")):
        call([interpreter, "-m", "venv", home], 120)
        call([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages], INSTALL_SECONDS)
        open(os.path.join(home, "ready"), "w").close()
    return lambda path: call([python, "-W", "ignore", "-c", runner, os.path.abspath(path)], RUN_SECONDS)


def redact_peer():
    home = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "peer-redact")
    os.makedirs(os.path.join(home, "src"), exist_ok=True)
    for place, text in (("Cargo.toml", REDACT_TOML), ("src/main.rs", REDACT_MAIN)):
        with open(os.path.join(home, place), "w", encoding="utf-8") as out:
            out.write(text)
    call(["cargo", "build", "-q", "--release", "--manifest-path", os.path.join(home, "Cargo.toml"),
          "--target-dir", os.path.join(home, "target")], INSTALL_SECONDS)
    return lambda path: call([os.path.join(home, "target", "release", "peer-redact"), os.path.abspath(path)], RUN_SECONDS)


def anteroom_peer(binary):
    """One line at a time over a pipe: the time holds the pipe and the JSON as well."""
    def run(path):
        rows = [json.loads(line) for line in open(path, encoding="utf-8")]
        child = subprocess.Popen([binary, "detect"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        out, asked = [], [rows[0], *rows]
        for row in asked:
            began = time.perf_counter()
            child.stdin.write(json.dumps({"id": 1, "text": row["text"]}) + "\n")
            child.stdin.flush()
            answer = json.loads(child.stdout.readline())
            us = (time.perf_counter() - began) * 1e6
            out.append(json.dumps({"found": [[it["start"], it["end"]] for it in answer["findings"]], "us": us}))
        with open(f"/proc/{child.pid}/status", encoding="utf-8") as status:
            peak = next(line for line in status if line.startswith("VmHWM"))
        child.stdin.close()
        child.wait()
        return "\n".join([*out[1:], json.dumps({"rss": int(peak.split()[1]) / 1024})])
    return run


def score(rows, lines):
    found = [line for line in lines if "found" in line]
    if len(found) != len(rows):
        raise Unable(f"answered {len(found)} of {len(rows)} texts")
    hit = total = leaks = holding = benign = alarms = right = said = clinical = touched = 0
    for row, line in zip(rows, found):
        meets = lambda span: any(a < span["end"] and span["start"] < b for a, b in line["found"])
        own = [it for it in row["spans"] if it.get("group") != "clinical"]
        total += len(own)
        hit += sum(map(meets, own))
        holding += bool(own)
        leaks += any(not meets(it) for it in own)
        other = [it for it in row["spans"] if it.get("group") == "clinical"]
        clinical += len(other)
        touched += sum(map(meets, other))
        said += len(line["found"])
        right += sum(any(a < it["end"] and it["start"] < b for it in row["spans"]) for a, b in line["found"])
        if not row["spans"]:
            benign += 1
            alarms += bool(line["found"])
    times = sorted(line["us"] for line in found)
    share = lambda one, all_: f"{100 * one / all_:.0f}" if all_ else "-"
    rss = next(line["rss"] for line in lines if "rss" in line)
    return [share(hit, total), share(leaks, holding), share(right, said), share(alarms, benign),
            share(touched, clinical), f"{statistics.median(times):.0f}",
            f"{times[min(len(times) - 1, len(times) * 99 // 100)]:.0f}", f"{rss:.0f}"]


def main():
    binary = sys.argv[1]
    path = sys.argv[2] if len(sys.argv) > 2 else os.path.join(ROOT, "evals", "guardrail", "peers.jsonl")
    rows = [json.loads(line) for line in open(path, encoding="utf-8")]
    os.makedirs(CACHE, exist_ok=True)
    peers = [
        ("anteroom", lambda: anteroom_peer(binary)),
        ("presidio-analyzer, blank spaCy", lambda: python_peer("presidio", ["presidio-analyzer"], PRESIDIO)),
        ("philter-ucsf", lambda: python_peer("philter", ["philter-ucsf", "setuptools<81"], PHILTER, "python3.10")),
        ("scrubadub", lambda: python_peer("scrubadub", ["scrubadub"], SCRUBADUB)),
        ("redact-core", redact_peer),
    ]
    print(f"{len(rows)} texts of {os.path.relpath(path, ROOT)}")
    print("peer".ljust(32) + "".join(it.rjust(11) for it in
          ["recall %", "leak %", "precis. %", "alarms %", "clinical %", "p50 us", "p99 us", "RSS MB"]))
    for name, make in peers:
        try:
            lines = [json.loads(line) for line in make()(path).splitlines() if line.startswith("{")]
            print(name.ljust(32) + "".join(it.rjust(11) for it in score(rows, lines)), flush=True)
        except (Unable, OSError, ValueError, StopIteration) as why:
            print(name.ljust(32) + f"  cannot run here: {why}", flush=True)


main()
