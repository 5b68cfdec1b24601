"""The fuzz targets: their names, their seeds, and the programs that cargo-fuzz builds of them."""
from recorded import ROOT

TARGETS = sorted(file.stem for file in (ROOT / "fuzz" / "fuzz_targets").glob("*.rs"))
# Under AddressSanitizer.
BUILD = ["cargo", "+nightly", "fuzz", "build"]


def program(target):
    return ROOT / "fuzz" / "target" / "x86_64-unknown-linux-gnu" / "release" / target


def seeded_by(target):
    """`differential` takes what `operations` takes."""
    return "operations" if target == "differential" else target


def seeds(target):
    return ROOT / "fuzz" / "corpus" / seeded_by(target)
