#!/usr/bin/env python3
"""Measures the points of faces with MediaPipe's face mesh, for `auforge gan eval --judge mesh:POINTS`.

    python3 -m venv venv && venv/bin/pip install mediapipe==0.10.14 h5py
    venv/bin/python tools/gan/mesh_points.py pictures/ -o points.h5

Every .png and .jpg below the folder is a row, keyed by its path there without the ending ("AU12_1/photo7"). Those of
the folder `original` are measured a second time, in other crops, as rows of `again`: how far the two are apart is what
the judge takes for noise. Needs no network: these wheels bring the model (0.10.14 was used; from
0.10.30 on they do not). The layout of the file is described in docs/judging-edits.md.
"""
import argparse
import os
import sys

import cv2
import h5py
import mediapipe
import numpy

# The attention model's 71 points around an eye as numbers of the refined mesh: lids (corners 0 and 8), three rings
# around them, and the brow. From MediaPipe's published graph tensors_to_face_landmarks_with_attention.
EYE = {
    'eye_l': [33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173, 130, 25, 110, 24, 23, 22, 26,
              112, 243, 247, 30, 29, 27, 28, 56, 190, 226, 31, 228, 229, 230, 231, 232, 233, 244, 113, 225, 224, 223,
              222, 221, 189, 35, 124, 46, 53, 52, 65, 143, 111, 117, 118, 119, 120, 121, 128, 245, 156, 70, 63, 105,
              66, 107, 55, 193],
    'eye_r': [263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398, 359, 255, 339, 254, 253,
              252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414, 446, 261, 448, 449, 450, 451, 452, 453, 464, 342,
              445, 444, 443, 442, 441, 413, 265, 353, 276, 283, 282, 295, 372, 340, 346, 347, 348, 349, 350, 357, 465,
              383, 300, 293, 334, 296, 336, 285, 417],
}
MESH = 468
# Each picture is measured in five crops and the points are averaged, which leaves a third of one crop's noise; `again` is
# measured in another five. (scale, degrees, shift in x and y as a share of the picture's width)
CROPS = [(1, 0, 0, 0), (1.03, 0, .015, -.012), (.96, 0, -.009, .018), (1.02, 3, .009, -.013), (.98, -3, -.013, .009)]
OTHER_CROPS = [(1.05, 2, .022, .004), (1.01, -2, -.018, -.013), (.95, 1, .004, .022), (1.04, -1, -.004, -.022),
               (.99, 4, .013, .013)]


class Mesh:
    """mesh(bgr, crops) -> [468, 2] in pixels (centres at .5), or None where there is no face."""

    def __init__(self):
        self.model = mediapipe.solutions.face_mesh.FaceMesh(
            static_image_mode=True, refine_landmarks=True, max_num_faces=1, min_detection_confidence=0.3)

    def __call__(self, bgr, crops):
        found = [points for points in (self.of_crop(bgr, *crop) for crop in crops) if points is not None]
        return numpy.mean(found, axis=0) if len(found) > len(crops) // 2 else None

    def of_crop(self, bgr, scale, degrees, right, down):
        height, width = bgr.shape[:2]
        there = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, scale)
        there[:, 2] += (right * width, down * width)
        moved = cv2.warpAffine(bgr, there, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        result = self.model.process(numpy.ascontiguousarray(moved[:, :, ::-1]))
        if not result.multi_face_landmarks:
            return None
        points = result.multi_face_landmarks[0].landmark[:MESH]
        back = cv2.invertAffineTransform(there)
        # The matrix takes whole numbers for the pixels' centres.
        points = numpy.array([(p.x * width - .5, p.y * height - .5) for p in points])
        return (points @ back[:, :2].T + back[:, 2] + .5).astype(numpy.float32)


def pictures(folder):
    for parent, folders, files in os.walk(folder):
        # Of pictures that were edited back no movement is asked.
        folders[:] = sorted(name for name in folders if parent != folder or not name.endswith('_back'))
        for name in sorted(files):
            stem, ending = os.path.splitext(name)
            if ending.lower() in ('.png', '.jpg', '.jpeg'):
                path = os.path.join(parent, name)
                yield os.path.relpath(os.path.join(parent, stem), folder), path


def measure(folder):
    mesh, rows = Mesh(), {}

    def add(key, path, points):
        if key in rows:
            sys.exit(f'{path}: another picture of that name with another ending; keep one')
        rows[key] = points

    for key, path in pictures(folder):
        bgr = cv2.imread(path)
        if bgr is None:
            sys.exit(f'{path}: cannot be read as a picture')
        add(key, path, mesh(bgr, CROPS))
        if key.startswith('original/'):
            add('again/' + key[len('original/'):], path, mesh(bgr, OTHER_CROPS))
    return rows


def write(path, rows):
    keys = sorted(rows)
    flag = numpy.array([rows[k] is not None for k in keys], numpy.float32)
    mesh = numpy.stack([rows[k] if rows[k] is not None else numpy.zeros((MESH, 2), numpy.float32) for k in keys])
    with h5py.File(path, 'w') as out:
        out.attrs['made_by'] = numpy.bytes_(f'mesh_points.py, mediapipe {mediapipe.__version__}')
        out['key'] = numpy.array([k.encode() for k in keys])
        out['flag'] = flag
        out['mesh'] = mesh
        for name, numbers in EYE.items():
            out[name] = mesh[:, numbers]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('folder', help='as `auforge gan eval --write-pictures` writes it')
    parser.add_argument('-o', '--output', required=True, help='HDF5 file to write')
    arguments = parser.parse_args()
    rows = measure(arguments.folder)
    if not rows:
        sys.exit(f'{arguments.folder}: no .png or .jpg below it')
    write(arguments.output, rows)
    missed = sorted(k for k, points in rows.items() if points is None)
    print(f'{arguments.output}: {len(rows)} pictures, {len(missed)} without a face' +
          (': ' + ', '.join(missed[:5]) if missed else ''))


if __name__ == '__main__':
    main()
