"""Lists the tests that the last `make test` skipped, by reason, with their number.

    python3 tools/test_skipped.py BUILD             the list
    python3 tools/test_skipped.py BUILD --strict    and an error if a test was skipped for want of anything but a CUDA
                                                    device (with --without-records: or of third parties' records)
    python3 tools/test_skipped.py BUILD --regex     for ctest -R: the C++ tests that wait for third parties' records
"""

import argparse
import collections
import pathlib
import re
import sys

RECORDS = "needs third parties' records"
NO_DEVICE = "no CUDA device"
RUN = re.compile(r"^\d+/\d+ Test: (.*)$", re.M)
SKIP = re.compile(r"^\S+:\d+: Skipped\n(.*)$", re.M)
PYTEST = re.compile(r"^SKIPPED \[(\d+)\] ([^:]+):\d+: (.*)$", re.M)


def cpp_tests(build):
    """(name, reason or None) of each test of ctest's last run."""
    log = build / "Testing/Temporary/LastTest.log"
    text = log.read_text(errors="replace") if log.exists() else ""
    starts = list(RUN.finditer(text))
    for start, following in zip(starts, [*starts[1:], None]):
        output = text[start.end():following.start() if following else len(text)]
        skip = SKIP.search(output)
        yield start.group(1), skip.group(1) if skip else None


def python_tests(build):
    """(file, number, reason) of each line of pytest's summaries."""
    for log in sorted(build.glob("test_*.log")):
        for match in PYTEST.finditer(log.read_text(errors="replace")):
            yield match.group(2), int(match.group(1)), match.group(3)


def suite_of(name):
    """Numbers/TokenizerParity.G60Dictionary/shared -> TokenizerParity"""
    return re.sub(r"^\w+/", "", name).split(".")[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--without-records", action="store_true")
    parser.add_argument("--regex", action="store_true")
    options = parser.parse_args()
    cpp = list(cpp_tests(options.build))
    if options.regex:
        # Without the value of the parameter, which may hold an address.
        names = [re.sub(r"\W", ".", name.split("  #")[0]) for name, reason in cpp if reason and reason.startswith(RECORDS)]
        print("^(" + "|".join(names) + ")")
        return 0
    reasons = collections.defaultdict(collections.Counter)
    for name, reason in cpp:
        if reason:
            reasons[reason][suite_of(name)] += 1
    for name, number, reason in python_tests(options.build):
        reasons[reason][name] += number
    total = sum(sum(places.values()) for places in reasons.values())
    print(f"Skipped: {total} tests ({sum(1 for _, reason in cpp if reason)} of {len(cpp)} in C++)")
    for reason, places in sorted(reasons.items(), key=lambda item: -sum(item[1].values())):
        print(f"{sum(places.values()):5}  {reason}")
        print("       " + ", ".join(f"{place} {number}" for place, number in sorted(places.items())))
    allowed = [NO_DEVICE] + ([RECORDS] if options.without_records else [])
    wrong = [reason for reason in reasons if not reason.startswith(tuple(allowed))]
    if options.strict and wrong:
        print("These tests may not be skipped here: " + "; ".join(wrong), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
