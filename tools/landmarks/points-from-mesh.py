#!/usr/bin/env python3
"""Makes points_00000.csv, dense_00000.csv and pictures for 'auforge train-landmarks --photos' and 'auforge train-dense
--photos' from a face mesh found by a teacher.

Usage: points-from-mesh.py --mesh mesh.h5 [--check SHARD ...] [--without LIST] -o FOLDER TAR...

mesh.h5 holds, for the pictures KEY.jpg of the tars, in their pixels: key [N], flag [N] (how sure the teacher is of a
face), mesh [N,468,2], lips [N,80,2], eye_l and eye_r [N,71,2], iris_l and iris_r [N,5,2] (MediaPipe's face mesh with attention: lips and eyes are
found more exactly than the mesh has them). The 68 points are those of the mesh that lie nearest to iBUG's, moved by what
remains in the mean on frontal photographs (docs/landmarks.md); the outline of heads that are turned is left out, since
the mesh does not follow it, and so are faces of which the teacher is unsure. The dense points are the teacher's own.

--check   shards of the same pictures by 'auforge annotate': a face whose inner points differ from theirs by more than .08
          inter-ocular distances in the median is left out
--without a file of keys to leave out, one a line: those to judge by

Needs Python 3 with h5py and numpy. Exits with 0 when done, 2 on wrong usage, 3 when nothing is left.
"""
import argparse
import csv
import os
import sys
import tarfile

LEAST_FLAG = 0.99
MOST_DIFFERENCE = 0.08  # inter-ocular distances
MOST_TURN = 0.25        # of the nose from the middle of the outline, in half widths: about 15 degrees

# Mesh vertices that the refined outputs replace.
LIPS = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409, 78, 95, 88, 178, 87, 14,
        317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415, 76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306,
        184, 74, 73, 72, 11, 302, 303, 304, 408, 62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268,
        271, 272, 407]
# Of each refined eye: 0..15 the lids (corner, lower lid, corner, upper lid), 62..69 the brow.
RIGHT_EYE = {33: 0, 7: 1, 163: 2, 144: 3, 145: 4, 153: 5, 154: 6, 155: 7, 133: 8, 246: 9, 161: 10, 160: 11, 159: 12,
             158: 13, 157: 14, 173: 15, 156: 63, 70: 64, 63: 65, 105: 66, 66: 67, 107: 68, 55: 69, 193: 70}
LEFT_EYE = {263: 0, 249: 1, 390: 2, 373: 3, 374: 4, 380: 5, 381: 6, 382: 7, 362: 8, 466: 9, 388: 10, 387: 11, 386: 12,
            385: 13, 384: 14, 398: 15, 383: 63, 300: 64, 293: 65, 334: 66, 296: 67, 336: 68, 285: 69, 417: 70}

# iBUG point -> mesh vertex.
VERTEX = [127, 234, 93, 132, 58, 136, 149, 148, 152, 377, 378, 365, 288, 361, 323, 454, 356,
          70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 168, 197, 5, 4, 98, 97, 2, 326, 327,
          33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
          61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87]
# What remains on 1,314 frontal photographs, in inter-ocular distances along the eyes and across them (median, made
# symmetric; both edges of an eye or mouth moved alike, so that closed ones stay closed): right half and middle.
OFFSET = {0: (-.015, -.007), 1: (-.010, .048), 2: (.005, .099), 3: (.015, .134), 4: (.043, .146), 5: (-.008, .024),
          6: (-.062, -.012), 7: (-.096, .001), 8: (0, .026), 17: (-.019, .080), 18: (.015, .015), 19: (.065, .009),
          20: (.077, .021), 21: (.053, .069), 27: (0, .034), 28: (0, -.008), 29: (0, -.040), 30: (0, .014),
          31: (.060, 0), 32: (.012, -.001), 33: (0, .025), 36: (.013, .021), 37: (.034, .012), 38: (.015, .012),
          39: (-.028, .012), 40: (-.015, .012), 41: (.002, .012), 48: (-.020, .014), 49: (-.036, .025), 50: (.009, .014),
          51: (0, .019), 57: (0, .007), 58: (0, .005), 59: (-.052, -.017), 60: (.011, .018), 61: (-.015, .010),
          62: (0, .010), 66: (0, .010), 67: (-.019, .010)}
# Dense points (features/dense_points.h): the corner, the upper lid, the other corner, the lower lid of each refined eye; the
# iris' middle and rim, outermost first, in either iris; the lips' outer and inner ring.
LIDS = [0, 9, 10, 11, 12, 13, 14, 15, 8, 7, 6, 5, 4, 3, 2, 1]
RIGHT_IRIS, LEFT_IRIS = [0, 3, 2, 1, 4], [0, 1, 2, 3, 4]
LIP_RINGS = [0, *range(11, 20), 10, *range(9, 0, -1), 20, *range(31, 40), 30, *range(29, 20, -1)]
MIRROR = [16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 27, 28, 29, 30,
          35, 34, 33, 32, 31, 45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40, 54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56,
          55, 64, 63, 62, 61, 60, 67, 66, 65]


def offsets(np):
    table = np.zeros((68, 2))
    for point, (x, y) in OFFSET.items():
        table[point] = (x, y)
        table[MIRROR[point]] = (-x, y) if MIRROR[point] != point else (x, y)
    return table


def ibug(np, mesh, lips, right_eye, left_eye):
    """N x 68 x 2 points of iBUG's convention, and whether each head is turned."""
    refined = mesh.copy()
    for place, vertex in enumerate(LIPS):
        refined[:, vertex] = lips[:, place]
    for eye, indices in ((right_eye, RIGHT_EYE), (left_eye, LEFT_EYE)):
        for vertex, place in indices.items():
            refined[:, vertex] = eye[:, place]
    right = (refined[:, 33] + refined[:, 133]) / 2
    along = (refined[:, 362] + refined[:, 263]) / 2 - right  # its length: the inter-ocular distance
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    table = offsets(np)
    points = refined[:, VERTEX] + along[:, None] * table[None, :, :1] + across[:, None] * table[None, :, 1:]
    outline = (refined[:, 127] + refined[:, 356]) / 2
    half = np.linalg.norm(refined[:, 356] - refined[:, 127], axis=1) / 2
    nose = ((refined[:, 4] - outline) * along).sum(1) / np.linalg.norm(along, axis=1)
    return points, np.abs(nose) > MOST_TURN * half


def dense(np, mesh):
    """N x 82 x 2 dense points."""
    return np.concatenate([mesh['eye_l'][:][:, LIDS], mesh['iris_l'][:][:, RIGHT_IRIS], mesh['eye_r'][:][:, LIDS],
                           mesh['iris_r'][:][:, LEFT_IRIS], mesh['lips'][:][:, LIP_RINGS]], axis=1)


def header(names, points):
    return names + [f'{axis}{p}' for p in range(points) for axis in 'xy'] + [f'v{p}' for p in range(points)]


def checked(np, h5py, shards):
    """key -> 68 points of the surest face of the picture."""
    points = {}
    for path in shards:
        with h5py.File(path) as shard:
            keys = [key.decode() for key in shard['samples/key'][:]]
            for landmarks, sample, score in zip(shard['faces/landmarks'][:], shard['faces/sample'][:],
                                                shard['faces/detector_score'][:]):
                key = os.path.splitext(os.path.basename(keys[sample]))[0]
                if key not in points or score > points[key][1]:
                    points[key] = (landmarks, score)
    return {key: value[0] for key, value in points.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0], epilog=__doc__[__doc__.index('mesh.h5 holds'):],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--mesh', required=True)
    parser.add_argument('--check', nargs='*', default=[])
    parser.add_argument('--without')
    parser.add_argument('-o', '--output', required=True)
    parser.add_argument('tars', nargs='+')
    arguments = parser.parse_args()
    import h5py
    import numpy as np
    with h5py.File(arguments.mesh) as mesh:
        keys = [key.decode() for key in mesh['key'][:]]
        flag = mesh['flag'][:]
        points, turned = ibug(np, mesh['mesh'][:], mesh['lips'][:], mesh['eye_l'][:], mesh['eye_r'][:])
        close = dense(np, mesh)
    row_of = {key: row for row, key in enumerate(keys)}
    others = checked(np, h5py, arguments.check)
    without = set()
    if arguments.without:
        with open(arguments.without, encoding='utf-8') as lines:
            without = {line.strip() for line in lines}
    os.makedirs(arguments.output, exist_ok=True)
    written, closely, unsure, differ = [], [], 0, 0
    for path in arguments.tars:
        with tarfile.open(path) as tar:
            for member in tar:
                key, ending = os.path.splitext(os.path.basename(member.name))
                if ending not in ('.jpg', '.jpeg', '.png') or key not in row_of or key in without:
                    continue
                row = row_of[key]
                if flag[row] < LEAST_FLAG or not np.isfinite(points[row]).all() or not np.isfinite(close[row]).all():
                    unsure += 1
                    continue
                if key in others:
                    eyes = np.linalg.norm(points[row][[36, 39]].mean(0) - points[row][[42, 45]].mean(0))
                    distance = np.linalg.norm(points[row] - others[key], axis=1)[17:]
                    if np.median(distance) > MOST_DIFFERENCE * eyes:
                        differ += 1
                        continue
                with open(os.path.join(arguments.output, key + ending), 'wb') as picture:
                    picture.write(tar.extractfile(member).read())
                known = [not (turned[row] and point < 17) for point in range(68)]
                fields = [f'{v:.2f}' if known[p] else '' for p in range(68) for v in points[row][p]]
                written.append([key + ending, '', '', ''] + fields + [''] * 68)
                closely.append([key + ending] + [f'{v:.2f}' for v in close[row].ravel()] + [''] * close.shape[1])
    if not written:
        print('points-from-mesh: none of the pictures is in the mesh file', file=sys.stderr)
        return 3
    for name, names, count, rows in (('points', ['file', 'yaw', 'pitch', 'roll'], 68, written),
                                     ('dense', ['file'], close.shape[1], closely)):
        with open(os.path.join(arguments.output, name + '_00000.csv'), 'w', newline='', encoding='utf-8') as table:
            csv.writer(table, lineterminator='\n').writerows([header(names, count)] + rows)
    print(f'{len(written)} faces; {unsure} of which the teacher is unsure, {differ} that differ from --check left out')
    return 0


if __name__ == '__main__':
    sys.exit(main())
