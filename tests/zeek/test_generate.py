#!/usr/bin/env python3
"""The generator of the Management framework's table refuses tables that contradict themselves."""

import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import Tap

SOURCE = pathlib.Path(sys.argv[1])
TABLE = (SOURCE / "management.tsv").read_text(encoding="utf-8")


def generate(table):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "management.tsv").write_text(table, encoding="utf-8")
        run = subprocess.run([sys.executable, SOURCE / "generate.py", folder / "management.tsv", folder / "out.c"],
                             capture_output=True, text=True)
        return run, (folder / "out.c").exists()


def changed(old, new):
    """The first place alone: rows of several events are the same."""
    assert old in TABLE, old
    return TABLE.replace(old, new, 1)


# What is wrong, the table, and what is said about it.
CASES = {
    "a column is missing": (changed("what\tname\t", "what\t"), "columns"),
    "a cell is missing": (changed("\treqid\tstring\t", "\treqid\t"), "cells"),
    "space around a cell": (changed("\treqid\tstring\t", "\treqid\tstring \t"), "cells"),
    "something else": (changed("\nrecord\t", "\nrecords\t"), "neither"),
    "a field of nothing": (changed("\nevent\t", "\n\tfield\tstring" + 5 * "\t" + "\nevent\t"), "belongs"),
    "a field twice": (changed("\tlisten_port\tport", "\tname\tport"), "twice"),
    "an event twice": (changed("API::deploy_response", "API::deploy_request"), "twice"),
    "an event of no module": (changed("Agent::API::notify_log", "Agents::API::notify_log"), "constants"),
    "an unknown type": (changed("\tforce\tbool\t", "\tforce\tboolean\t"), "not a type"),
    "a vector of such": (changed("\taction\tvector of string", "\taction\tvector of strings"), "not a type"),
    "a default of another type": (changed("\tforce\tbool\tF", "\tforce\tbool\t{}"), "default"),
    "a default that is not the first": (changed("Management::Role\tManagement::NONE",
                                                "Management::Role\tManagement::NODE"), "default"),
    "a default of a record": (changed("\tconfig\tManagement::Configuration\t",
                                      "\tconfig\tManagement::Configuration\t{}"), "default"),
    "an optional argument": (changed("\tforce\tbool\tF", "\tforce\tbool\toptional"), "always there"),
    "a later field in the midst": (changed("\tscripts\tvector of string\toptional\t",
                                           "\tscripts\tvector of string\toptional\t7.0"), "at the end"),
    "a later field that is wanted": (changed("\tmetrics_port\tport\toptional\t7.0",
                                             "\tmetrics_port\tport\t\t7.0"), "at the end"),
    "data without Results": (changed("API::deploy_request\t\t", "API::deploy_request\tstring\toptional"),
                             "Results"),
    "Results without data": (changed("API::restart_response\tany\toptional", "API::restart_response\t\t"),
                             "Results"),
    "any type elsewhere": (changed("\tforce\tbool\tF", "\tforce\tany\t"), "any type"),
    "a vector of any type": (changed("\tdata\tany\t", "\tdata\tvector of any\t"), "any type"),
    "a record in itself": (changed("\tname\tstring\t\t\t\t\tof all nodes one",
                                   "\tname\tset of Management::Node" + 5 * "\t"), "in itself"),
    "a Result in a Result": (changed("API::deploy_response\tManagement::NodeOutputs",
                                     "API::deploy_response\tvector of Management::Result"), "in itself"),
}


def check(tap):
    run, made = generate(TABLE)
    tap.check("the table is sound", run.returncode == 0 and made, run.stderr)
    for name, (table, said) in CASES.items():
        run, made = generate(table)
        tap.check(name, run.returncode != 0 and not made and said in run.stderr
                  and "Traceback" not in run.stderr, run.stderr or "accepted")


if __name__ == "__main__":
    tap = Tap()
    tap.run(check)
    sys.exit(tap.end())
