"""Figures of a running practice: start, memory, webhook answers, inbound to outbound.

Usage: figures.py BINARY   (prints a table; a raw fdatasync probe stands beside, for machines are noisy)
"""

import os
import sys
import tempfile
import threading
import time

from practice import Practice

WEBHOOKS = 2_000
CLIENTS = 8
ROUND_TRIPS = 300


def quantiles(values):
    values = sorted(values)
    pick = lambda q: values[min(len(values) - 1, int(len(values) * q))] * 1000
    return f"{pick(0.50):.2f} | {pick(0.99):.2f} | {values[-1] * 1000:.2f}"


def fsync_probe(folder):
    """Append and fdatasync of 4 KiB, the floor of everything that commits."""
    took = []
    with open(os.path.join(folder, "probe"), "wb", buffering=0) as file:
        for _ in range(300):
            began = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return took


with tempfile.TemporaryDirectory() as folder:
    print("| figure | p50 ms | p99 ms | max ms |\n|---|---|---|---|")
    print(f"| raw append + fdatasync | {quantiles(fsync_probe(folder))} |")
    binary = sys.argv[1]
    practice = Practice(binary, folder)
    size = os.path.getsize(binary) / 1e6
    time.sleep(2)
    idle = practice.rss_mb()

    patients = [f"+14155550{n}" for n in range(111, 123)]
    count = 0
    for body in ("Hello", "YES"):
        for patient in patients:
            practice.text(patient, body)
            count += 1
            practice.twilio.wait(count)
    took = []
    connection = practice.connect()
    for number in range(ROUND_TRIPS):
        # Each patient within the limit that tells a person from a machine.
        patient = patients[number % len(patients)]
        if number and number % (len(patients) * 16) == 0:
            break
        began = time.perf_counter()
        practice.text(patient, "When is my appointment?", connection)
        count += 1
        at, _ = practice.twilio.wait(count)[count - 1]
        took.append(at - began)
    print(f"| inbound webhook to outbound request, offline model, {len(took)} texts | {quantiles(took)} |")

    quiet = [practice.text(patients[number % 12], "thanks", connection) for number in range(200)]
    print(f"| webhook answer, one client | {quantiles(quiet)} |")

    def flood(pause, first):
        """Each text a first contact; with a pause, arrivals as a busy day has them."""
        answers = [[] for _ in range(CLIENTS)]

        def client(mine, index):
            own = practice.connect()
            for number in range(WEBHOOKS // CLIENTS):
                sender = f"+1{first + index * 250 + number}"
                mine.append(practice.text(sender, "What are your hours?", own))
                time.sleep(pause)

        threads = [threading.Thread(target=client, args=(mine, index)) for index, mine in enumerate(answers)]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        spent = time.perf_counter() - began
        flat = [one for mine in answers for one in mine]
        how = f"{len(flat) / spent:.0f}/s" + ("" if pause else ", as fast as they can")
        print(f"| webhook answer, {CLIENTS} clients, {how} | {quantiles(flat)} |")
        return len(flat)

    count = len(practice.twilio.sent) + flood(CLIENTS / 100, 4155552000)
    practice.twilio.wait(count, 120)
    count += flood(0, 4155556000)
    practice.twilio.wait(count, 120)
    print(f"| raw append + fdatasync, after | {quantiles(fsync_probe(folder))} |")
    print(f"\nstart to /readyz {practice.ready_after * 1000:.0f} ms; binary {size:.1f} MB; "
          f"resident idle {idle:.1f} MB, after the load {practice.rss_mb():.1f} MB")
    sys.exit(practice.stop())
