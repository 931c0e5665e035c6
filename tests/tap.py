"""Results of a test program in Python, in TAP, which meson and tests/run read."""

import difflib
import sys
import traceback


class Tap:
    """Counts and prints results; a check that throws has failed."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, name, good, detail=""):
        self.count += 1
        if not good:
            self.failed += 1
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        if not good:
            for line in str(detail).splitlines()[:40]:
                print(f"# {line[:400]}")
        sys.stdout.flush()
        return good

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}")

    def same(self, name, got, expected):
        detail = ""
        if got != expected:
            detail = "\n".join(
                difflib.unified_diff(
                    str(expected).splitlines(), str(got).splitlines(), "expected", "got", lineterm=""
                )
            )
        return self.check(name, got == expected, detail)

    def run(self, function):
        """Runs a function that makes checks of its own; what it throws is one more that failed."""
        try:
            function(self)
        except Exception:
            self.check(function.__name__, False, traceback.format_exc())

    def end(self):
        print(f"1..{self.count}")
        return 1 if self.failed or self.count == 0 else 0
