"""What the scripts here share that measure something and write it down in spec/evidence, with the commit measured."""
import collections
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
EVIDENCE = ROOT / "spec" / "evidence"
# The modules whose lines and mutants are counted. The model is a check of the package and no part of it.
MODULES = ["digest", "context", "package", "capi"]
LEFT_OUT = "src/package/model/"


def output(command, unless=None):
    """What a command prints; what it says beside is passed on. Where it fails, that ends this program, unless it says why it may."""
    done = subprocess.run(list(map(str, command)), cwd=ROOT, text=True, capture_output=True, check=False)
    if done.returncode != 0 and unless and unless in done.stderr:
        return ""
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{done.stderr}")
    sys.stderr.write(done.stderr)
    return done.stdout


def head():
    return output(["git", "rev-parse", "HEAD"]).strip()


def is_committed():
    """Whether everything is, but for what was measured."""
    return all(line[3:].startswith("spec/evidence/") for line in output(["git", "status", "--porcelain"]).splitlines())


def measured():
    """The commit that is measured."""
    if not is_committed():
        sys.exit("what is measured must be committed")
    return head()


def is_measured(name):
    return bool(re.match(rf"src/({'|'.join(MODULES)})/", name)) and not name.startswith(LEFT_OUT)


def measured_files():
    return [name for name in output(["git", "ls-files", "src"]).split() if is_measured(name)]


def write(place, text):
    """Nobody reads half of it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    part = place.with_suffix(".part")
    part.write_text(text)
    part.rename(place)


def write_json(place, value):
    write(place, json.dumps(value, indent=1) + "\n")


def ended(told):
    """Ends this program: well, or with what does not hold, of which the first lines say enough."""
    more = [f"and {len(told) - 20} more"] if len(told) > 20 else []
    sys.exit("\n".join([*told[:20], *more]) or None)


def unreasoned(missing, reasons, what):
    """Where what is missing (each as often as it is) and what has a reason (with it) are not the same, in lines."""
    reasoned = collections.Counter(key for key, _ in reasons)
    told = [f"{key}: {what}, and no reason is given" for key, times in sorted(missing.items()) if times > reasoned[key]]
    told += [f"{key}: not {what}: no reason is needed" for key, times in sorted(reasoned.items()) if times > missing[key]]
    return told


def empty(reasons):
    """The reasons that say nothing, in lines."""
    return [f"{key}: an empty reason" for key, why in reasons if not why.strip()]
