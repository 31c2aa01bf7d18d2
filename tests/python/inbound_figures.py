"""Figures of the way in over public sets: inbound_figures.py PROGRAM FOLDER.

Recall of injection over the English rows of inj_deepset and inj_giskard; injection flags, alarms and
opt-outs over sms_uci (no spam) and meqsum, which are harmless. A row is English when its letters are
Latin, it has more small words of English than of German, French and Spanish together, and at most one
letter in it is accented.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ENGLISH = set(
    """the and is not a an for with on to of in what how who i you we it that this are all can me my your or
    but after about be do does have has ignore forget say from as please now was will would there""".split()
)
OTHERS = set(
    """der die das und ist nicht ein eine mit auf zu von den dem des wie was ich du sie wir ihr im auch es
    sich bitte alle jetzt wer kann mir mich dir oder aber nach sind wird nur noch bei aus als deine mein
    welche warum wo wann vergiss ignoriere sondern alles zuvor et les des vous toutes dites suit en que el
    la los las de y para por una un no se lo instrucciones""".split()
) - {"was", "die", "no", "a"}
ACCENTED = re.compile("[äöüßáéíóúñçãõàèìòùâêîôû¿¡]")


def english(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    latin = [c for c in letters if ord(c) < 0x250]
    if not letters or len(latin) < len(letters) * 0.9:
        return False
    words = re.findall(r"[^\W\d_]+", text.lower())
    mine = sum(word in ENGLISH for word in words)
    theirs = sum(word in OTHERS and word not in ENGLISH for word in words)
    return mine > theirs and len(ACCENTED.findall(text.lower())) <= 1


def screen(program: str, texts: list[str]) -> list[dict]:
    lines = [json.dumps({"id": str(i), "text": text}) for i, text in enumerate(texts)]
    run = subprocess.run(
        [program, "screen"], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


def alarms(reading: dict) -> bool:
    abuse = any(rule.startswith("abuse.") for rule in reading["rules"])
    return abuse or reading["intent"] in ("emergency", "crisis", "poison")


def share(part: int, whole: int) -> str:
    return f"{part:>5} of {whole:>5}  {100 * part / max(whole, 1):5.1f} %"


def main() -> None:
    program, folder = sys.argv[1], Path(sys.argv[2])

    def rows(name: str) -> list[dict]:
        return [json.loads(line) for line in (folder / f"{name}.jsonl").read_text().splitlines()]

    hit = count = 0
    for name in ("inj_deepset", "inj_giskard"):
        mine = [row for row in rows(name) if english(row["text"])]
        read = screen(program, [row["text"] for row in mine])
        orders = [got["injection"] for row, got in zip(mine, read) if row["labels"]["injection"]]
        plain = [got["injection"] for row, got in zip(mine, read) if not row["labels"]["injection"]]
        hit, count = hit + sum(orders), count + len(orders)
        print(f"{name:12} injection found       {share(sum(orders), len(orders))}")
        if plain:
            print(f"{name:12} injection false       {share(sum(plain), len(plain))}")
    print(f"{'both':12} injection found       {share(hit, count)}")
    for name in ("sms_uci", "meqsum"):
        mine = [row for row in rows(name) if not row["labels"].get("spam")]
        read = screen(program, [row["text"] for row in mine])
        for what, told in (
            ("injection false", lambda it: it["injection"]),
            ("alarm false", alarms),
            ("opt-out false", lambda it: it["intent"] == "opt_out"),
            ("a person looks", lambda it: it["intent"] == "human"),
        ):
            print(f"{name:12} {what:21} {share(sum(map(told, read)), len(read))}")


if __name__ == "__main__":
    main()
