#!/usr/bin/env python3
"""Counts the test cases of a run of `meson test`: tally.py BUILD_DIR

Prints each case or program that failed or was skipped, then a line: passed failed skipped. A program counts
one for each case that it reports, by Check or in TAP; one that ended badly counts at least one as failed,
whatever it reported.
"""

import json
import pathlib
import re
import sys

CHECK = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)", re.M)
TAP = re.compile(r"^(ok|not ok)\b(.*)$", re.M)


def cases(output):
    """The numbers of cases that passed, failed and were skipped, as the program reports them."""
    checks = [tuple(map(int, match)) for match in CHECK.findall(output)]
    if checks:
        failed = sum(failures + errors for _, failures, errors in checks)
        return sum(total for total, _, _ in checks) - failed, failed, 0
    passed = failed = skipped = 0
    for word, rest in TAP.findall(output):
        if "# SKIP" in rest.upper():
            print(f"SKIPPED{rest}")
            skipped += 1
        elif word == "ok":
            passed += 1
        else:
            failed += 1
    return passed, failed, skipped


def main():
    log = pathlib.Path(sys.argv[1]) / "meson-logs" / "testlog.json"
    totals = [0, 0, 0]
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        test = json.loads(line)
        output = test.get("stdout") or ""
        passed, failed, skipped = cases(output)
        good = test["result"] in ("OK", "EXPECTEDFAIL")
        if test["result"] == "SKIP":
            skipped = max(skipped, 1)
        elif good and failed:
            print(f"{test['name']}: says that all is well, but reports {failed} failed")
        elif good and passed + skipped == 0:
            passed = 1
        elif not good:
            failed = max(failed, 1)
            print(f"{test['name']}: {test['result']} (exit code {test.get('returncode')})")
            lines = (output + (test.get("stderr") or "")).splitlines()
            lines = [line for line in lines if not line.startswith("ok ")]
            if len(lines) > 60:
                lines[40:-20] = ["..."]
            for shown in lines:
                print(f"    {shown[:300]}")
        totals = [total + more for total, more in zip(totals, (passed, failed, skipped))]
    print(*totals)


main()
