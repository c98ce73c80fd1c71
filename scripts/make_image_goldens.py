#!/usr/bin/env python3
"""Makes tests/formats/golden/*.npy: what Pillow gives for synthetic images, u8 [h, w, c] or [h, w].

The images follow a formula that tests/formats/image_test_data.h repeats, so that only results are stored.
Run it from anywhere; it needs Pillow and numpy. The stored files were made with Pillow 9.4.0 and numpy
1.24.2 (Debian 12); any Pillow since 3.3 resizes in the same way.
"""

import pathlib

import numpy
from PIL import Image, ImageOps

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "tests" / "formats" / "golden"


def pattern(h, w, c):
    """Gradients, a fine texture and hard edges."""
    y, x, k = numpy.meshgrid(numpy.arange(h), numpy.arange(w), numpy.arange(c), indexing="ij")
    values = x * 7 + y * 13 + k * 50 + (x * y) % 31 * 3 + ((x // 5 + y // 3) % 2) * 90
    return (values % 256).astype(numpy.uint8)


def image(h, w, c):
    pixels = pattern(h, w, c)
    return Image.fromarray(pixels[:, :, 0] if c == 1 else pixels)


def resized(picture, h, w):
    return picture.resize((w, h), Image.BILINEAR)


def save(name, picture):
    pixels = numpy.asarray(picture)
    numpy.save(FOLDER / f"{name}.npy", pixels[:, :, None] if pixels.ndim == 2 else pixels)


def crop(picture, h, w):
    """torchvision's Resize and CenterCrop; for a model that is not square, the image covers both sides."""
    cover_h, cover_w = round(h / 0.875), round(w / 0.875)
    if cover_h * picture.width >= cover_w * picture.height:
        full_h, full_w = cover_h, max(int(cover_h * picture.width / picture.height), cover_w)
    else:
        full_h, full_w = max(int(cover_w * picture.height / picture.width), cover_h), cover_w
    top, left = round((full_h - h) / 2.0), round((full_w - w) / 2.0)
    return resized(picture, full_h, full_w).crop((left, top, left + w, top + h))


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for h, w, c, to_h, to_w in [
        (37, 53, 3, 16, 16),  # both shrink, by odd ratios
        (16, 16, 3, 40, 25),  # both grow
        (64, 48, 1, 7, 50),  # one shrinks, one grows
        (120, 1, 3, 11, 3),  # a single column
        (20, 30, 3, 20, 13),  # one side stays
        (9, 300, 1, 9, 5),  # wide filters
    ]:
        save(f"resize_{h}x{w}x{c}_{to_h}x{to_w}", resized(image(h, w, c), to_h, to_w))
    for h, w, c, to_h, to_w in [
        (45, 60, 3, 28, 28),  # landscape into a square
        (61, 40, 3, 21, 21),  # portrait; what is cut off is odd
        (50, 50, 3, 14, 35),  # into a wide model
        (30, 90, 1, 35, 14),  # into a tall one
        (4, 16, 3, 10, 10),  # 2.5 rows are 2
        (4, 16, 1, 14, 14),  # 3.5 rows are 4
    ]:
        save(f"crop_{h}x{w}x{c}_{to_h}x{to_w}", crop(image(h, w, c), to_h, to_w))
        save(f"pad_{h}x{w}x{c}_{to_h}x{to_w}", ImageOps.pad(image(h, w, c), (to_w, to_h), Image.BILINEAR))
    save("luma_32x32x3", image(32, 32, 3).convert("L"))


if __name__ == "__main__":
    main()
