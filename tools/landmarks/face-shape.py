#!/usr/bin/env python3
"""Writes annotator/face_shape.cc: where the points of a mean face lie in space, and how faces differ.

  tools/landmarks/face-shape.py --face-model face.h5 -o annotator/face_shape.cc

The points are those of datasets/synthetic/landmark_points.cc on the ICT face model (auforge synth import-model). Identities
of the model are drawn from N(0, 1), weights of expressions with a standard deviation of 0.3; each face counts with its mirror
image. The modes are the principal components of that, as long as their standard deviation. Needs numpy and h5py.
"""

import argparse
import os
import re
import sys

import h5py
import numpy

MODES = 8
EXPRESSION = 0.3
STEP = 0.002  # cm, of the deltas in the file
# The outline's upper points slide over the skin when the head turns: the rest of the 68.
POINTS = list(range(5, 12)) + list(range(17, 68))
MIRRORED = (
    list(range(16, -1, -1)) + list(range(26, 16, -1)) + list(range(27, 31)) + list(range(35, 30, -1))
    + [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40] + list(range(54, 47, -1)) + list(range(59, 54, -1))
    + list(range(64, 59, -1)) + list(range(67, 64, -1))
)


def marked_points(path):
    """[(vertices, weights)] of the 68 points, as the renderer has them."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = text[text.index("kMarkedPoints{{"):]
    text = text[:text.index("}};")]
    found = re.findall(r"\{\{(\d+), (\d+), (\d+)\}, \{([\d.]+)F?, ([\d.]+)F?, ([\d.]+)F?\}\}", text)
    if len(found) != 68:
        sys.exit(f"{path}: {len(found)} points in kMarkedPoints; must be 68")
    return [([int(v) for v in row[:3]], [float(w) for w in row[3:]]) for row in found]


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--face-model", required=True, help="face.h5 of auforge synth import-model")
    parser.add_argument("-o", "--output", required=True)
    arguments = parser.parse_args()

    points = marked_points(os.path.join(here, "../../datasets/synthetic/landmark_points.cc"))

    def at_points(vertices):
        return numpy.stack([sum(vertices[v] * w for v, w in zip(*point)) for point in points])

    with h5py.File(arguments.face_model) as model:
        neutral = at_points(model["neutral"][:])
        identities = [at_points(delta * STEP) for delta in model["identities"]]
        expressions = [EXPRESSION * at_points(delta * STEP) for delta in model["expressions"]]
    down_and_away = numpy.array([1, -1, -1])  # x right, y down, z away from the camera
    mirror = lambda shapes: shapes[..., MIRRORED, :] * numpy.array([-1, 1, 1])
    neutral = (neutral - neutral[[36, 45]].mean(0)) * down_and_away
    neutral = (neutral + mirror(neutral)) / 2
    deltas = numpy.array(identities + expressions) * down_and_away
    deltas = numpy.concatenate([deltas, mirror(deltas)]) / numpy.sqrt(2)
    _, length, directions = numpy.linalg.svd(deltas[:, POINTS].reshape(len(deltas), -1), full_matrices=False)
    modes = (length[:MODES, None] * directions[:MODES]).reshape(MODES, len(POINTS), 3)

    lines = [
        "// Made by tools/landmarks/face-shape.py from the ICT face model (MIT; NOTICE).",
        '#include "annotator/face_shape.h"',
        "",
        "namespace auforge::annotator {",
        "",
        "const std::array<ShapePoint, kShapePoints> kFaceShape{{",
    ]
    for k, landmark in enumerate(POINTS):
        numbers = numpy.concatenate([neutral[landmark], modes[:, k].ravel()])
        triples = ["{" + ", ".join(f"{v:.3f}F" for v in row) + "}" for row in numbers.reshape(-1, 3) + 0.0]
        lines.append(f"    {{{landmark}, {triples[0]},")
        lines.append("     {{" + ",\n       ".join(", ".join(triples[1 + i:5 + i]) for i in range(0, MODES, 4)) + "}}},")
    lines += ["}};", "", "}  // namespace auforge::annotator", ""]
    with open(arguments.output, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


if __name__ == "__main__":
    main()
