#!/usr/bin/env python3
"""The generator of the eStreamer tables refuses tables that contradict themselves."""

import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from tap import Tap

SOURCE = pathlib.Path(sys.argv[1])
LAYOUTS = (SOURCE / "layouts.tsv").read_text(encoding="utf-8")
RECORDS = (SOURCE / "records.tsv").read_text(encoding="utf-8")
EVENT_TYPES = (SOURCE / "event_types.tsv").read_text(encoding="utf-8")
METADATA = (SOURCE / "metadata.tsv").read_text(encoding="utf-8")
IDS = (SOURCE / "ids.tsv").read_text(encoding="utf-8")


def generate(**tables):
    """Runs it with these in the place of the tables of those names."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        inputs = []
        for name, text in {"layouts": LAYOUTS, "records": RECORDS, "event_types": EVENT_TYPES,
                           "metadata": METADATA, "ids": IDS, **tables}.items():
            inputs.append(folder / (name + ".tsv"))
            inputs[-1].write_text(text, encoding="utf-8")
        run = subprocess.run([sys.executable, SOURCE / "generate.py", *inputs, folder / "out.c"],
                             capture_output=True, text=True)
        return run, (folder / "out.c").exists()


def replaced(text, old, new):
    assert text.count(old) == 1, (old, text.count(old))
    return text.replace(old, new)


def layout(old, new):
    return {"layouts": replaced(LAYOUTS, old, new)}


def record(old, new):
    return {"records": replaced(RECORDS, old, new)}


def event_type(old, new):
    return {"event_types": replaced(EVENT_TYPES, old, new)}


def metadata(old, new):
    return {"metadata": replaced(METADATA, old, new)}


def identity(old, new):
    return {"ids": replaced(IDS, old, new)}


# What is wrong, the table, and what is said about it.
CASES = {
    "a column is missing": (layout("container\tname\t", "container\t"), "columns"),
    "a cell is missing": (layout("s2/6\tinteger\tinternal\t1\tvalue\tu32\t\n",
                                 "s2/6\tinteger\tinternal\t1\tvalue\tu32\n"), "cells"),
    "space around a cell": (record("2\tPacket Data\t", "2\tPacket Data \t"), "cells"),
    "a field twice": (layout("record/4\tPriority\tall\t2\tname_length\tu16",
                             "record/4\tPriority\tall\t2\tpriority_id\tu16"), "twice"),
    "a word of our own": (layout("s2/6\tinteger\tinternal\t1\tvalue\t",
                                 "s2/6\tinteger\tinternal\t1\textra\t"), "word"),
    "another word of our own": (layout("s2/6\tinteger\tinternal\t1\tvalue\t",
                                       "s2/6\tinteger\tinternal\t1\tblock_type\t"), "word"),
    "not snake_case": (layout("s2/6\tinteger\tinternal\t1\tvalue\t",
                              "s2/6\tinteger\tinternal\t1\tValue\t"), "snake_case"),
    "out of order": (layout("record/4\tPriority\tall\t2\t", "record/4\tPriority\tall\t3\t"), "order"),
    "two names": (layout("record/4\tPriority\tall\t2\t", "record/4\tPriorities\tall\t2\t"), "name"),
    "two versions": (layout("record/4\tPriority\tall\t2\t", "record/4\tPriority\t5.0\t2\t"), "versions"),
    "a layout in two places": (
        {"layouts": LAYOUTS + "record/4\tPriority\tall\t4\tmore\tu8\t\n"}, "together"),
    "an unknown wire type": (layout("s2/6\tinteger\tinternal\t1\tvalue\tu32",
                                    "s2/6\tinteger\tinternal\t1\tvalue\tu24"), "wire type"),
    "no such block": (layout("s2/6\tinteger\tinternal\t1\tvalue\tu32",
                             "s2/6\tinteger\tinternal\t1\tvalue\tlist<2/99>"), "2/99"),
    "a block of the other series": (layout("s2/6\tinteger\tinternal\t1\tvalue\tu32",
                                           "s2/6\tinteger\tinternal\t1\tvalue\tlist<1/7>"), "1/7"),
    "a length behind its field": (layout("record/4\tPriority\tall\t2\tname_length\tu16",
                                         "record/4\tPriority\tall\t2\tname_size\tu16"),
                                  "name_length"),
    "a length of another width": (layout("record/4\tPriority\tall\t2\tname_length\tu16",
                                         "record/4\tPriority\tall\t2\tname_length\tu8"),
                                  "name_length"),
    "a length that comes before another field ends": (
        layout("record/3\tClassification (version 1)\tup to 4.6\t5\tdescription\t"
               "utf8[description_length]\t\n",
               "record/3\tClassification (version 1)\tup to 4.6\t5\tdescription\t"
               "utf8[description_length]\t\n"
               "record/3\tClassification (version 1)\tup to 4.6\t6\tagain\tutf8[name_length]\t\n"),
        "name_length"),
    "two lengths at once": (
        layout("record/4\tPriority\tall\t2\tname_length\tu16\t\n"
               "record/4\tPriority\tall\t3\tname\tutf8[name_length]\t\n",
               "record/4\tPriority\tall\t2\tname_length\tu16\t\n"
               "record/4\tPriority\tall\t3\tother_length\tu16\t\n"
               "record/4\tPriority\tall\t4\tname\tutf8[name_length]\t\n"
               "record/4\tPriority\tall\t5\tother\tutf8[other_length]\t\n"), "two lengths"),
    "something behind the rest": (
        layout("s2/1\tblob\tall\t1\tdata\tbytes[rest]\t\n",
               "s2/1\tblob\tall\t1\tdata\tbytes[rest]\t\ns2/1\tblob\tall\t2\tmore\tu8\t\n"), "rest"),
    "a block in itself": (layout("s2/6\tinteger\tinternal\t1\tvalue\tu32",
                                 "s2/6\tinteger\tinternal\t1\tvalue\tblock<2/6>"), "contain"),
    "a container of no kind": (
        {"layouts": LAYOUTS + "s3/1\tblock\tall\t1\tvalue\tu8\t\n"}, "s3/1"),
    "a layout that no record uses": (
        {"layouts": LAYOUTS + "record/999\tnew\tall\t1\tvalue\tu8\t\n"}, "record/999"),
    "a record of no layout": (record("4\tPriority\tmetadata\tstruct\trecord/4\t",
                                     "4\tPriority\tmetadata\tstruct\trecord/44\t"), "record/44"),
    "a structure without a layout": (record("4\tPriority\tmetadata\tstruct\trecord/4\t",
                                            "4\tPriority\tmetadata\tstruct\t\t"), "one layout"),
    "a payload of no kind": (record("4\tPriority\tmetadata\tstruct\t",
                                    "4\tPriority\tmetadata\ts3\t"), "payload"),
    "a header of no kind": (record("4\tPriority\tmetadata\tstruct\t",
                                   "4\tPriority\tmetadata\tlong+struct\t"), "payload"),
    "a block of another series than the payload": (
        record("110\tIntrusion Event Extra Data\textra_data\ts2\ts2/4",
               "110\tIntrusion Event Extra Data\textra_data\ts1\ts2/4"), "series"),
    "a layout for nothing": (record("19\tHost Timeout\tdiscovery\tdiscovery+none\t\t",
                                    "19\tHost Timeout\tdiscovery\tdiscovery+none\ts1/7\t"), "layout"),
    "an older form of nothing": (record("6\tRNA Event (version 1)\tdiscovery\tdiscovery+s1\t\t\t",
                                        "6\tRNA Event (version 1)\tdiscovery\tdiscovery+s1\t\ts1/95\t"),
                                 "older form"),
    "record types out of order": (record("\n4\tPriority\t", "\n1\tPriority\t"), "ascend"),
    "a code of no category": (event_type("12\tintrusion\t11\t", "12\tintrusions\t11\t"), "intrusions"),
    "two codes of a category": (event_type("12\tintrusion\t11\t", "13\tintrusion\t11\t"), "two codes"),
    "a layout of another category": (event_type("7.1+\ts2/85\t", "7.1+\ts2/80\t"), "s2/80"),
    "versions out of order": (event_type("12\tintrusion\t11\t", "12\tintrusion\t10\t"), "ascend"),
    "a release of no kind": (event_type("s2/85\t7.1\t", "s2/85\t7\t"), "release"),
    "two versions in a set": (event_type("s2/81\t\t", "s2/81\t7.1\t"), "two versions"),
    "a set without one code": (event_type("s2/85\t7.1\t", "s2/85\t\t"), "lacks"),
    "a name from an event": (metadata("\n4\trecord/4\t", "\n2\trecord/4\t"), "not metadata"),
    "metadata out of order": (metadata("\n63\tstruct", "\n61\tstruct"), "not ascend"),
    "metadata of no layout": (metadata("\n4\trecord/4\t", "\n4\trecord/44\t"), "record/44"),
    "an id that is no field": (metadata("record/4\tpriority_id\t", "record/4\tid\t"), "the id is"),
    "a name that is no field": (metadata("priority_id\tname\t", "priority_id\ttitle\t"), "the name is"),
    "a name of four fields": (
        metadata("os_vendor,os_name,os_version", "os_vendor,os_name,os_version,os_name"), "the name is"),
    "a name that is a number": (metadata("priority_id\tname\t", "priority_id\tname_length\t"), "text"),
    "an id that is a list": (metadata("s2/39\tioc_id\tevent_type", "s2/18\tip_addresses\tname"), "an id"),
    "an id of another size": (metadata("record/62_legacy\tuser_id\t", "record/62_legacy\tuser_id,user_id\t"),
                              "an id"),
    "an id that is too long": (metadata("s2/40\tsha256\t", "s2/40\tsha256,disposition\t"), "an id"),
    "a field in two places": ({"ids": IDS + "device_id\t123\t\t\t\t\n"}, "together"),
    "a field of no layout": ({"ids": IDS + "devices\t123\t\t\t\t\n"}, "up to 3 fields"),
    "a part of no layout": (identity("\nrule_id\t66\tgenerator_id,", "\nrule_id\t66\tgenerator,"), "up to 3 fields"),
    "an id that nothing names": (identity("\npolicy_id\t69\t", "\npolicy_id\t57\t"), "57"),
    "an id that has another size": (identity("\npolicy_id\t69\t", "\npolicy_id\t117\t"), "an id of 117"),
    "an id of no category": (identity("\tdiscovery\t\ta system user", "\tdiscoveries\t\ta system user"),
                             "discoveries"),
    "an id of metadata": (identity("\tdiscovery\t\ta system user", "\tmetadata\t\ta system user"), "metadata"),
    "a condition without a number": (identity("source_type=1", "source_type"), "condition"),
    "a condition on text": (identity("source_type=1", "username=1"), "condition"),
    "a condition out of range": (identity("source_type=1", "source_type=256"), "condition"),
}


def check(tap):
    run, made = generate()
    tap.check("the tables are sound", run.returncode == 0 and made, run.stderr)
    for name, (tables, said) in CASES.items():
        run, made = generate(**tables)
        tap.check(name, run.returncode != 0 and not made and said in run.stderr
                  and "Traceback" not in run.stderr, run.stderr or "accepted")


if __name__ == "__main__":
    tap = Tap()
    tap.run(check)
    sys.exit(tap.end())
