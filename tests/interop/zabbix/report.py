"""One line for each case, in the manner of tests/run, which counts them."""

import difflib
import threading
import traceback


class Report:
    def __init__(self):
        self.lock = threading.Lock()
        self.counts = {"ok": 0, "FAILED": 0, "SKIPPED": 0}

    def line(self, word, name, detail=""):
        with self.lock:
            self.counts[word] += 1
            print(f"{word:<7} {name}", flush=True)
            for line in str(detail).splitlines()[:40]:
                print(f"    {line[:400]}", flush=True)

    def check(self, name, good, detail=""):
        if good:
            self.line("ok", name)
        else:
            self.line("FAILED", name, detail() if callable(detail) else detail)
        return good

    def same(self, name, got, expected):
        lines = difflib.unified_diff(*([repr(row) for row in (rows if isinstance(rows, list) else [rows])]
                                       for rows in (expected, got)), "expected", "got", lineterm="")
        return self.check(name, got == expected, "\n".join(lines))

    def skip(self, name, reason):
        self.line("SKIPPED", f"{name}: {reason}")

    def run(self, name, function, *arguments):
        """Runs what makes checks of its own; what it throws is one more that failed."""
        try:
            function(*arguments)
        except Exception:
            self.line("FAILED", name, traceback.format_exc())
