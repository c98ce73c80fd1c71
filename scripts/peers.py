"""What the scripts share that time Sepal beside others: running programs, and tables in docs/BENCHMARKS.md."""

import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOCUMENT = os.path.join(ROOT, "docs", "BENCHMARKS.md")


def run(words, **options):
    """Standard output of a program, which has to end well."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"{os.path.basename(sys.argv[0])}: {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def pinned(threads):
    """Words in front of a command that keep it to as many cores as threads."""
    return ["taskset", "-c", ",".join(str(core) for core in range(threads))]


def replace_table(name, lines, document=DOCUMENT):
    """Puts the lines between the marks of that name in the document."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    with open(document, encoding="utf-8") as file:
        text = file.read()
    before, rest = text.split(begin)
    after = rest.split(end)[1]
    with open(document, "w", encoding="utf-8") as file:
        file.write(before + begin + "\n" + "\n".join(lines) + "\n" + end + after)


def commit():
    return run(["git", "-C", ROOT, "describe", "--always", "--dirty"]).strip()


def compiler(build):
    """What the build folder's compiler calls itself."""
    with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as cache:
        path = next(line.split("=", 1)[1].strip() for line in cache if line.startswith("CMAKE_CXX_COMPILER:"))
    return run([path, "--version"]).splitlines()[0]
