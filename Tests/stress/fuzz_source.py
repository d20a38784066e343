"""Mutated sources of the standard library: compile() never crashes, and agrees with CPython 3.11 on what is a syntax error.

    braid Tests/stress/fuzz_source.py --seconds 60 --seed 1          compares sys.executable with python3.11
    python3.11 Tests/stress/fuzz_source.py --braid build/free-threaded/braid --keep found/

Each round takes a piece of some module, changes it (tokens and characters swapped, deleted, doubled, replaced; lines indented, joined, cut off)
and has both interpreters compile it, many pieces to a process. A crash, a hang, or disagreement on whether there is an error fails the run;
a different message or position is counted and the first ones are shown. --keep writes the sources that differ to files.
"""
import argparse
import collections
import glob
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time

ORACLE = "/usr/bin/python3.11"
LIBRARY = "/usr/lib/python3.11"
BATCH = 150

TOKEN = re.compile(r"""[rRbBuUfF]{0,2}(?:'''.*?'''|\"\"\".*?\"\"\"|'[^'\\\n]*'|"[^"\\\n]*")|\#[^\n]*|\w+|[ \t]+|\n|[-+*/%@&|^<>=!:]=|->|//|\*\*|<<|>>|\.\.\.|.""",
                   re.S)
STATEMENT = re.compile(r"\s*(def|class|if|for|while|try|with|async|@|return|import|from|assert|raise|match|global|[\w.]+(, [\w.]+)* [-+*]?=) ?")
SPICE = ["(", ")", "[", "]", "{", "}", ":", ",", "=", "==", ":=", "*", "**", "->", ".", "...", ";", "@", "\\", "\n", " ", "\t", "\f", "#", "'", '"', '"""',
         "if", "else", "elif", "for", "in", "while", "try", "except", "except*", "finally", "with", "as", "def", "class", "lambda", "return", "yield",
         "yield from", "await", "async", "import", "from", "global", "nonlocal", "del", "assert", "raise", "pass", "break", "continue", "not", "and",
         "or", "is", "None", "True", "match", "case", "_", "print", "exec", "x", "f'{x}'", "f'{'", "f'{x!z}'", "f'{a:{b}}'", "b'x'", "u'x'", "0", "1.5", "1j", "0x", "1_000", "09", "1__0",
         "$", "?", "!", "!=", "<>", "\u00e9", "\u20ac", "\xa0", "\0", "~", "%", "|", "&", "^", "<<", ">>=", "//=", "@="]


# ---- the interpreter under test: reads sources, writes what becomes of them ----

def outcome(source):
    try:
        compile(source, "<fuzz>", "exec")
    except SyntaxError as e:
        return [type(e).__name__, e.msg, e.lineno, e.offset, e.end_lineno, e.end_offset, e.text]
    except (ValueError, OverflowError, RecursionError, MemoryError) as e:
        return [type(e).__name__, str(e)]
    return ["fine"]


def child(sources_path, results_path):
    import warnings
    warnings.simplefilter("ignore")
    with open(sources_path, encoding="utf-8", errors="surrogatepass") as file:
        sources = json.load(file)
    with open(results_path, "w", encoding="utf-8", errors="surrogatepass") as file:
        for source in sources:
            file.write(json.dumps(outcome(source)) + "\n")
            file.flush()


# ---- mutations ----

def piece(rng, text):
    """A statement, mostly, with its block and some of what follows, moved to the left."""
    lines = text.splitlines(keepends=True)
    start = rng.randrange(len(lines))
    for _ in range(60):
        if STATEMENT.match(lines[start]):
            break
        start = max(0, start - 1)
    margin = len(lines[start]) - len(lines[start].lstrip())
    size = rng.choice((1, 3, 8, 20, 50))
    end = start + 1
    while end < len(lines) and (end < start + size or lines[end].strip()[:1] in ")]}\"'") and end < start + 2 * size:
        if lines[end].strip() and len(lines[end]) - len(lines[end].lstrip()) < margin:
            break
        end += 1
    return "".join(line[margin:] if not line[:margin].strip() else line for line in lines[start:end])


def mutate(rng, text):
    tokens = TOKEN.findall(text)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if not tokens:
            break
        i, j = rng.randrange(len(tokens)), rng.randrange(len(tokens))
        what = rng.randrange(12)
        if what == 0:
            tokens[i], tokens[j] = tokens[j], tokens[i]
        elif what == 1:
            del tokens[i]
        elif what == 2:
            tokens.insert(i, tokens[i])
        elif what == 3:
            tokens[i] = rng.choice(SPICE)
        elif what == 4:
            tokens.insert(i, rng.choice(SPICE))
        elif what == 5:
            tokens[i] = tokens[j]
        elif what == 6:
            tokens[min(i, j):max(i, j)] = []
        elif what == 7:
            del tokens[i:]
        elif what == 8 and tokens[i]:
            k = rng.randrange(len(tokens[i]))
            tokens[i] = tokens[i][:k] + tokens[i][k + 1:]
        elif what == 9:
            k = rng.randrange(len(tokens[i]) + 1)
            tokens[i] = tokens[i][:k] + rng.choice(SPICE) + tokens[i][k:]
        elif what == 10:
            blanks = [k for k, t in enumerate(tokens) if t.isspace()]
            if blanks:
                tokens[rng.choice(blanks)] = rng.choice(("", " ", "\t", "\n", "    ", "\\\n", "        \t"))
        else:
            near = min(len(tokens) - 1, i + 1)
            tokens[i], tokens[near] = tokens[near], tokens[i]
    return "".join(tokens)


# ---- comparing ----

def run(program, sources, folder):
    """The outcomes; a source that kills or hangs the interpreter gets ["crash", how] and the others go on behind it."""
    results = []
    inputs, outputs = os.path.join(folder, "in"), os.path.join(folder, "out")
    while len(results) < len(sources):
        with open(inputs, "w", encoding="utf-8", errors="surrogatepass") as file:
            json.dump(sources[len(results):], file)
        how = None
        try:
            done = subprocess.run([program, os.path.abspath(__file__), "--child", inputs, outputs], capture_output=True, text=True, timeout=120,
                                  errors="replace")
            if done.returncode:
                how = f"status {done.returncode}: {done.stderr[-300:]}"
        except subprocess.TimeoutExpired:
            how = "hang"
        with open(outputs, encoding="utf-8", errors="surrogatepass") as file:
            results += [json.loads(line) for line in file.read().split("\n")[:-1]]
        if how is not None:
            results.append(["crash", how])
        elif len(results) < len(sources):
            results.append(["crash", "no result"])
    return results[:len(sources)]


class Tally:
    def __init__(self, keep):
        self.keep, self.counts, self.shown = keep, collections.Counter(), collections.Counter()

    def add(self, kind, source, ours, theirs):
        self.counts[kind] += 1
        number = self.counts[kind]
        if self.keep:
            with open(os.path.join(self.keep, f"{kind}-{number}.py"), "w", encoding="utf-8", errors="surrogatepass", newline="") as file:
                file.write(source)
        key = (kind, str(ours[:2]), str(theirs[:2]))
        self.shown[key] += 1
        if self.shown[key] == 1:
            where = theirs[2] if len(theirs) > 2 and theirs[2] else ours[2] if len(ours) > 2 else 0
            lines = source.split("\n")[max(0, (where or 1) - 2):(where or 1) + 1]
            print(f"{kind} {number}:\n  here   {ours}\n  oracle {theirs}\n" + "".join(f"    | {line}\n" for line in lines), flush=True)


def compare(sources, ours, theirs, tally):
    for source, a, b in zip(sources, ours, theirs):
        tally.counts["sources"] += 1
        tally.counts["errors"] += b[0] != "fine"
        if a == b:
            tally.counts["same"] += 1
        elif a[0] == "crash":
            tally.add("crash", source, a, b)
        elif b[0] == "crash":
            tally.counts["oracle crashed"] += 1
        elif (a[0] == "fine") != (b[0] == "fine"):
            tally.add("verdict", source, a, b)
        elif a[:2] != b[:2]:
            tally.add("message", source, a, b)
        else:
            tally.add("place", source, a, b)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--braid", default=sys.executable)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--threads", type=int, help="not used: this is one process at a time")
    parser.add_argument("--keep", help="folder for the sources that differ")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(*options.child)
    if not os.path.exists(ORACLE):
        return print("nothing to compare with")
    print(f"seed {options.seed}", flush=True)
    rng, tally = random.Random(options.seed), Tally(options.keep)
    if options.keep:
        os.makedirs(options.keep, exist_ok=True)
    files = sorted(glob.glob(LIBRARY + "/*.py") + glob.glob(LIBRARY + "/test/test_[a-h]*.py") + glob.glob(LIBRARY + "/*/*.py"))
    end = time.monotonic() + options.seconds
    with tempfile.TemporaryDirectory() as folder:
        while time.monotonic() < end:
            sources = []
            while len(sources) < BATCH:
                with open(rng.choice(files), encoding="utf-8", errors="replace", newline="") as file:
                    text = file.read()
                if text.strip():
                    sources += [mutate(rng, piece(rng, text)) for _ in range(10)]
            compare(sources, run(options.braid, sources, folder), run(ORACLE, sources, folder), tally)
    print(", ".join(f"{name}: {count}" for name, count in sorted(tally.counts.items())))
    if tally.counts["crash"] or tally.counts["verdict"]:
        sys.exit(1)


main()
