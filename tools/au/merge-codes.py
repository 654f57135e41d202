#!/usr/bin/env python3
"""Joins two files of codes by eye into one row a picture, for train-au --photos and train-net --codes.

    tools/au/merge-codes.py labels.csv annotator/models/photo-codes.csv -o codes.csv

Both are image,AU1,...: levels 0..3, empty where nobody could tell; a column `doubt` names AUs ("AU2 AU15"; 1: all) whose
codes are left out. Pictures are those of the first file. An AU that the first file hardly has (--second) is taken from the
second one where that says anything; every other cell is the first file's, and the second fills what it leaves empty. Prints
how many pictures are known for and show each AU, and how often the two disagree.
"""
import argparse
import collections
import csv
import sys


def read(path):
    """Rows by image, without what is doubted; columns are the file's AUs."""
    rows = {}
    with open(path, newline="", encoding="utf-8-sig") as file:
        for row in csv.DictReader(file):
            doubt = (row.pop("doubt", "") or "").split()
            image = row.pop("image")
            if image in rows:
                sys.exit(f"merge-codes: {path}: {image} stands there twice")
            for au in row:
                if au in doubt or "1" in doubt:
                    row[au] = ""
            rows[image] = row
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first")
    parser.add_argument("second_file", metavar="second")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--second", default="9,10,14,17,18,20,23,24,28", help="AUs of which the second file knows more")
    a = parser.parse_args()
    first, second = read(a.first), read(a.second_file)
    preferred = {f"AU{n}" for n in a.second.split(",")}
    columns = {au for rows in (first, second) for row in rows.values() for au in row}
    aus = sorted(columns, key=lambda name: int(name[2:]))
    known, present, apart = collections.Counter(), collections.Counter(), collections.Counter()
    with open(a.output, "w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["image"] + aus)
        for image, row in first.items():
            more = second.get(image, {})
            cells = []
            for au in aus:
                one, other = row.get(au, ""), more.get(au, "")
                apart[au] += one != "" and other != "" and (one == "0") != (other == "0")
                cell = (other or one) if au in preferred else (one or other)
                known[au] += cell != ""
                present[au] += cell not in ("", "0")
                cells.append(cell)
            out.writerow([image] + cells)
    for au in aus:
        print(f"{au:5} known {known[au]:5}  present {present[au]:5}  the two disagree {apart[au]}")


if __name__ == "__main__":
    main()
