"""Files of every kind that claim, unfold or repeat far more than they weigh, by who reads them."""

from collections.abc import Callable

from tests.abuse.inputs.bombs.annotations import (
    boxes_of_one_picture,
    coco_of_deep_objects,
    coco_of_empty_lists,
    coco_of_long_names,
    coco_of_outlines,
    cub_of_one_long_class,
    points_of_many_pictures,
    runs_of_zeros,
)
from tests.abuse.inputs.bombs.archives import (
    zip_in_zip,
    zip_of_many,
    zip_of_one_bomb,
    zip_of_overlaps,
    zip_that_leads_out,
    zip_that_lies,
)
from tests.abuse.inputs.bombs.pictures import (
    bmp_that_claims_much,
    gif_of_a_large_canvas,
    gif_of_many_frames,
    jpeg_of_many_coefficients,
    jpeg_of_many_exifs,
    large_and_packed,
    many_chunks,
    png_of_many_frames,
    png_of_opacity,
    ppm_that_claims_much,
    profile_of_zeros,
    text_of_zeros,
    tiff_of_huge_tags,
    tiff_of_many_pages,
    tiff_that_leads_back,
    webp_of_a_large_canvas,
    webp_of_many_frames,
    webp_of_one_colour,
)
from tests.abuse.inputs.bombs.texts import (
    csv_of_many_columns,
    csv_of_many_lines,
    csv_of_one_cell,
    eps_of_zeros,
    json_of_many_lists,
    json_of_many_names,
    json_of_surrogates,
    pdf_of_deep_lists,
    pdf_of_zeros,
    pdf_that_leads_round,
    svg_of_laughs,
    svg_of_many_attributes,
    svg_of_one_long_name,
)
from tests.abuse.inputs.bombs.weights import (
    array_of_huge_shape,
    font_of_far_tables,
    font_that_claims_much,
    hdf5,
    npz,
    pickle_of_a_huge_claim,
    pickle_of_decimal_digits,
    pickle_of_deep_tuples,
    pickle_of_marks,
    pickle_of_memos,
    pickle_of_one_long_number,
    pickle_that_doubles,
    safetensors_named_twice,
    safetensors_of_deep_lists,
    safetensors_of_huge_sizes,
    safetensors_of_long_shapes,
    safetensors_of_many,
    torch_zip_of_many,
    torch_zip_of_zeros,
    zarr,
)

Maker = Callable[[], bytes]
PICTURES: tuple[Maker, ...] = (
    profile_of_zeros, text_of_zeros, many_chunks, large_and_packed, tiff_that_leads_back,
    tiff_of_many_pages, tiff_of_huge_tags, gif_of_many_frames, gif_of_a_large_canvas,
    bmp_that_claims_much, ppm_that_claims_much, webp_of_a_large_canvas, webp_of_one_colour,
    jpeg_of_many_exifs, jpeg_of_many_coefficients, png_of_opacity, png_of_many_frames,
    webp_of_many_frames, zip_of_one_bomb, zip_that_lies, zip_of_overlaps, zip_in_zip, zip_of_many,
    zip_that_leads_out,
)  # fmt: skip
DATA_SETS: tuple[Maker, ...] = (
    zip_of_one_bomb,
    zip_that_lies,
    zip_of_overlaps,
    zip_in_zip,
    zip_of_many,
    zip_that_leads_out,
)
ANNOTATIONS: tuple[Maker, ...] = (
    boxes_of_one_picture, coco_of_deep_objects, coco_of_empty_lists, coco_of_long_names,
    coco_of_outlines, cub_of_one_long_class, points_of_many_pictures, runs_of_zeros,
    json_of_many_names, csv_of_one_cell, csv_of_many_columns,
)  # fmt: skip
RECIPES: tuple[Maker, ...] = (
    text_of_zeros, many_chunks, tiff_that_leads_back, tiff_of_huge_tags, pdf_of_zeros,
    pdf_that_leads_round, pdf_of_deep_lists, svg_of_many_attributes, svg_of_laughs,
    svg_of_one_long_name, eps_of_zeros, json_of_many_lists, json_of_many_names,
)  # fmt: skip
POINTS: tuple[Maker, ...] = (
    json_of_many_lists, json_of_many_names, json_of_surrogates, csv_of_one_cell,
    csv_of_many_columns, csv_of_many_lines, hdf5, npz,
)  # fmt: skip
WEIGHTS: tuple[Maker, ...] = (
    safetensors_of_many, safetensors_of_deep_lists, safetensors_of_long_shapes,
    safetensors_of_huge_sizes, safetensors_named_twice, torch_zip_of_zeros, torch_zip_of_many,
    pickle_of_deep_tuples, pickle_of_one_long_number, pickle_of_decimal_digits,
    pickle_of_a_huge_claim, pickle_of_memos, pickle_of_marks, pickle_that_doubles,
    array_of_huge_shape, hdf5, zarr, npz, zip_of_overlaps, zip_in_zip,
)  # fmt: skip
FONTS: tuple[Maker, ...] = (font_that_claims_much, font_of_far_tables)
