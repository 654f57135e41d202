#!/usr/bin/env python3
"""How far faces move whose Action Units people have coded: medians of the judge's measures (docs/judging-edits.md) by level.

    tools/gan/coded_movements.py --codes labels.csv --mesh mesh.h5

labels.csv: a column of names, then AU1, AU2, … with 0 absent, 1 slight, 2 marked, 3 severe. mesh.h5: MediaPipe's points by the
same names (datasets key, flag, mesh, eye_l, eye_r). Of AU1 only faces without AU4 count, which pulls the other way.
"""
import argparse
import csv

import h5py
import numpy as np

MEASURES = [("AU1", "inner brow"), ("AU2", "outer brow"), ("AU4", "inner brow"), ("AU4", "gap of brows"), ("AU5", "lids"),
            ("AU12", "mouth width"), ("AU12", "corners"), ("AU15", "corners"), ("AU25", "lip gap"), ("AU26", "jaw"),
            ("AU45", "lids")]


def measures(mesh, left, right):
    """All measures of one face in inter-ocular distances; arrays [468, 2] and [71, 2] of pixels."""
    a, b = mesh[33], mesh[263]
    eyes = np.linalg.norm(b - a)
    along = (b - a) / eyes
    up = np.array([along[1], -along[0]])

    def height(p):
        return p @ up / eyes

    def apart(p, q):
        return np.linalg.norm(p - q) / eyes

    def over_corners(point):
        return np.mean([height(e[point]) - (height(e[0]) + height(e[8])) / 2 for e in (left, right)])

    return {
        "inner brow": over_corners(68),
        "outer brow": over_corners(64),
        "gap of brows": apart(left[68], right[68]),
        "lids": np.mean([apart(e[4], e[12]) for e in (left, right)]),
        "mouth width": apart(mesh[61], mesh[291]),
        "corners": (height(mesh[61]) + height(mesh[291])) / 2 - height(mesh[0]),
        "lip gap": apart(mesh[13], mesh[14]),
        "jaw": apart(mesh[1], mesh[152]),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--codes", required=True, metavar="CSV")
    parser.add_argument("--mesh", required=True, metavar="H5")
    arguments = parser.parse_args()
    with h5py.File(arguments.mesh) as f:
        keys = [k.decode() if isinstance(k, bytes) else str(k) for k in f["key"][:]]
        seen, mesh, left, right = (f[name][:] for name in ("flag", "mesh", "eye_l", "eye_r"))
    faces = {k: measures(mesh[i], left[i], right[i]) for i, k in enumerate(keys) if seen[i] > 0}
    with open(arguments.codes, newline="") as f:
        rows = list(csv.DictReader(f))
    name = next(iter(rows[0]))
    print("AU    measure        absent, then moved from there: slight, marked, severe (faces)")
    for au, measure in MEASURES:
        cells, absent = [], None
        for level in "0123":
            values = [faces[r[name]][measure] for r in rows
                      if r[name] in faces and r.get(au) == level and (au != "AU1" or r.get("AU4") == "0")]
            if not values:
                cells.append("-")
            elif level == "0":
                absent = np.median(values)
                cells.append(f"{absent:.3f} ({len(values)})")
            else:
                cells.append(f"{np.median(values) - absent:+.3f} ({len(values)})")
        print(f"{au:<5} {measure:<14} " + "   ".join(cells))


if __name__ == "__main__":
    main()
