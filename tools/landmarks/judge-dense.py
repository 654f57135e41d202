#!/usr/bin/env python3
"""Judges the dense points of 'auforge annotate --dense' against true ones, beside what the 68 points alone say.

Usage: judge-dense.py --truth FOLDER --shards SHARD ... --fit-truth FOLDER --fit-shards SHARD ...

--truth      folder of dense_*.csv (points-from-mesh.py, or 'synth faces --images') of faces that nothing has learnt from
--shards     their shards by 'auforge annotate --dense'
--fit-truth  the same of faces that may be learnt from; given twice: both are learnt from
--fit-shards their shards, dense or not

Prints for the nets and for a ridge regression from the 68 points to the dense ones, fitted on the second set and its mirror
images: the mean distance of a point by that of the eyes, of all faces and of those that look aside (an iris more than .1 of
the eye's width off its middle), and the median gap between the lids, by the eye's width, of eyes whose true gap is below .1
and that can be seen.

Needs Python 3 with h5py and numpy. Exits with 0 when done, 2 on wrong usage, 3 when nothing can be judged.
"""
import argparse
import csv
import glob
import os
import sys

import h5py
import numpy as np

POINTS = 82
RIDGE = 1e-3
SHUT, ASIDE = .1, .1  # of the eye's width
PARTS = {"lids": [*range(16), *range(21, 37)], "iris' middle": [16, 37], "irises": [*range(16, 21), *range(37, 42)],
         "outer lips": list(range(42, 62)), "inner lips": list(range(62, 82))}
# What each point is in the mirror image.
MIRROR_68 = [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
             41, 40, *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65]
MIRROR_DENSE = [*range(21, 42), *range(21)] + [first + (10 - i if i <= 10 else 30 - i) for first in (42, 62) for i in range(20)]


def key_of(name):
    return os.path.splitext(os.path.basename(name))[0]


def read_truth(folders):
    """key -> 82 x 2 points and whether each can be seen."""
    truth = {}
    for path in sorted(p for folder in folders for p in glob.glob(os.path.join(folder, "dense_*.csv"))):
        with open(path, newline="") as file:
            for row in list(csv.reader(file))[1:]:
                numbers = np.array([float(value) if value else np.nan for value in row[1:]])
                # An empty field of sight is not known: of photographs.
                truth[key_of(row[0])] = numbers[:2 * POINTS].reshape(POINTS, 2), ~(numbers[2 * POINTS:] <= 0)
    return truth


def read_shards(paths):
    """key -> the surest face's 68 points, and its dense ones or None."""
    faces = {}
    for path in paths:
        with h5py.File(path) as file:
            keys = [key_of(k.decode()) for k in file["samples/key"][:]]
            dense = file["faces/landmarks_dense"][:] if "landmarks_dense" in file["faces"] else None
            columns = zip(file["faces/sample"][:], file["faces/detector_score"][:], file["faces/landmarks"][:])
            for i, (sample, score, points) in enumerate(columns):
                key = keys[sample]
                if key not in faces or score > faces[key][2]:
                    faces[key] = points.astype(float), None if dense is None else dense[i].astype(float), score
    return faces


def eyes_frame(points):
    """Middle of the eyes, and the map to coordinates along and across their line in its length."""
    right, left = points[36:42].mean(0), points[42:48].mean(0)
    x, y = left - right
    return (right + left) / 2, np.array([[x, y], [-y, x]]) / (x * x + y * y)


def fit_ridge(pairs):
    """68 points -> 82, of pairs of both; the eyes' frame takes out place, size and turn."""
    inputs, outputs = [], []
    for points, dense in pairs:
        middle, turn = eyes_frame(points)
        x, y = (points - middle) @ turn.T, (dense - middle) @ turn.T
        inputs += [x.ravel(), (x * [-1, 1])[MIRROR_68].ravel()]
        outputs += [y.ravel(), (y * [-1, 1])[MIRROR_DENSE].ravel()]
    inputs, outputs = np.array(inputs), np.array(outputs)
    mean_in, mean_out = inputs.mean(0), outputs.mean(0)
    centred = inputs - mean_in
    damping = RIDGE * len(inputs) * centred.var(0).mean() * np.eye(centred.shape[1])
    weights = np.linalg.solve(centred.T @ centred + damping, centred.T @ (outputs - mean_out))

    def predict(points):
        middle, turn = eyes_frame(points)
        answer = mean_out + (((points - middle) @ turn.T).ravel() - mean_in) @ weights
        return answer.reshape(POINTS, 2) @ np.linalg.inv(turn).T + middle

    return predict


def lid_gap(dense, eye):
    first = 21 * eye
    across = [np.linalg.norm(dense[first + upper] - dense[first + 16 - upper]) for upper in (3, 5)]
    return np.mean(across) / np.linalg.norm(dense[first] - dense[first + 8])


def looks_aside(dense):
    for first in (0, 21):
        width = dense[first + 8] - dense[first]
        if abs((dense[first + 16] - (dense[first] + dense[first + 8]) / 2) @ width) > ASIDE * width @ width:
            return True
    return False


def report(title, keys, truth, methods):
    print(f"{title}: {len(keys)} faces")
    for name, points in methods.items():
        errors = []
        for key in keys:
            true = truth[key][0]
            eyes = np.linalg.norm(true[:16].mean(0) - true[21:37].mean(0))
            errors.append(np.linalg.norm(points(key) - true, axis=1) / eyes)
        mean = np.mean(errors, 0)
        print(f"  {name:<20}" + "".join(f"  {part} {mean[indices].mean():.4f}" for part, indices in PARTS.items()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--truth", required=True)
    parser.add_argument("--shards", nargs="+", required=True)
    parser.add_argument("--fit-truth", action="append", required=True)
    parser.add_argument("--fit-shards", nargs="+", required=True)
    args = parser.parse_args()
    truth, fit_truth = read_truth([args.truth]), read_truth(args.fit_truth)
    faces, fit_faces = read_shards(args.shards), read_shards(args.fit_shards)
    keys = [key for key in truth if key in faces and faces[key][1] is not None]
    pairs = [(fit_faces[key][0], fit_truth[key][0]) for key in fit_truth if key in fit_faces and key not in truth]
    if not keys or not pairs:
        print("judge-dense.py: no face has both true points and those of 'annotate --dense'" if not keys else
              "judge-dense.py: no face to fit the regression on", file=sys.stderr)
        return 3
    regression = fit_ridge(pairs)
    methods = {"from the 68 points": lambda key: regression(faces[key][0]), "annotate --dense": lambda key: faces[key][1]}
    report("all", keys, truth, methods)
    aside = [key for key in keys if min(lid_gap(truth[key][0], eye) for eye in (0, 1)) > SHUT and looks_aside(truth[key][0])]
    if aside:
        report("looking aside", aside, truth, methods)
    shut = [(key, eye) for key in keys for eye in (0, 1)
            if lid_gap(truth[key][0], eye) < SHUT and truth[key][1][21 * eye:21 * eye + 16].all()]
    if shut:
        gaps = {"truth": lambda key: truth[key][0], **methods}
        print(f"shut eyes: {len(shut)}, median gap by the eye's width"
              + "".join(f"  {name} {np.median([lid_gap(points(key), eye) for key, eye in shut]):.3f}" for name, points in gaps.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
