//! Makes of an upload what is served of it: decodes it within limits, turns it as the camera was held, cuts and scales it, and
//! encodes it anew. Nothing of the file but its pixels, and of an animation its frames, is in what comes out.
use std::io::Cursor;

use axum::body::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::error::{ImageError, LimitErrorKind};
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::gif::without_metadata;
use super::hashes::{blurhash, perceptual_hash};
use crate::media::Purpose;

/// The most pixels of a picture: what telephones take, and no more. Checked in the head of the file, before any is decoded.
const MAX_PIXELS: u64 = 40_000_000;
/// The longest side of a picture, in pixels.
const MAX_SIDE: u32 = 20_000;
/// The memory of a decoded picture, in bytes: 40 megapixels of three bytes.
const MAX_MEMORY: u64 = 128 * 1024 * 1024;
/// The longer sides of renditions, in pixels.
const THUMBNAIL: u32 = 320;
const MEDIUM: u32 = 1_080;
/// The quality of JPEGs: above it files grow, and nothing is seen of it.
const QUALITY: u8 = 82;

/// Why a picture is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaRefusal {
    /// It is broken, breaks off, or is of a kind that no decoder knows.
    NotReadable,
    TooManyPixels,
    TooMuchMemory,
    TooSlow,
    /// It has ended several workers.
    NotProcessed,
}

impl MediaRefusal {
    /// The word of the API.
    pub fn word(self) -> &'static str {
        match self {
            Self::NotReadable => "NOT_READABLE",
            Self::TooManyPixels => "TOO_MANY_PIXELS",
            Self::TooMuchMemory => "TOO_MUCH_MEMORY",
            Self::TooSlow => "TOO_SLOW",
            Self::NotProcessed => "NOT_PROCESSED",
        }
    }
}

impl From<ImageError> for MediaRefusal {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(cause) if matches!(cause.kind(), LimitErrorKind::DimensionError) => Self::TooManyPixels,
            ImageError::Limits(_) => Self::TooMuchMemory,
            _ => Self::NotReadable,
        }
    }
}

/// A file that is served of a picture.
#[derive(Debug)]
pub struct Rendition {
    pub name: &'static str,
    pub content_type: &'static str,
    pub content: Bytes,
    pub width: u32,
    pub height: u32,
}

/// All that is known of a picture.
#[derive(Debug)]
pub struct ProcessedImage {
    pub width: u32,
    pub height: u32,
    pub blurhash: Option<String>,
    pub perceptual_hash: u64,
    pub renditions: Vec<Rendition>,
}

/// Processes the content of an upload. Takes up to some seconds of one processor.
pub fn process(content: &[u8], content_type: &str, purpose: Purpose) -> Result<ProcessedImage, MediaRefusal> {
    let format = ImageFormat::from_mime_type(content_type).ok_or(MediaRefusal::NotReadable)?;
    if format == ImageFormat::Jpeg && !is_complete_jpeg(content) {
        return Err(MediaRefusal::NotReadable);
    }
    let mut image = decode(content, format)?;
    if purpose == Purpose::Avatar {
        image = square(&image);
    }
    let medium = scale(&image, MEDIUM);
    let thumbnail = scale(&medium, THUMBNAIL);
    let mut renditions = vec![encode("thumbnail", &thumbnail)?, encode("medium", &medium)?];
    if format == ImageFormat::Gif && purpose != Purpose::Avatar {
        let content = without_metadata(content).ok_or(MediaRefusal::NotReadable)?.into();
        let (width, height) = (image.width(), image.height());
        renditions.push(Rendition { name: "original", content_type: "image/gif", content, width, height });
    }
    Ok(ProcessedImage {
        width: image.width(),
        height: image.height(),
        blurhash: blurhash(&thumbnail),
        perceptual_hash: perceptual_hash(&thumbnail),
        renditions,
    })
}

/// Decodes the first frame, as the camera was held, with eight bits a channel.
fn decode(content: &[u8], format: ImageFormat) -> Result<DynamicImage, MediaRefusal> {
    let mut limits = Limits::no_limits();
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_SIDE), Some(MAX_SIDE));
    limits.max_alloc = Some(MAX_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(content), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(MediaRefusal::TooManyPixels);
    }
    if decoder.total_bytes() > MAX_MEMORY {
        return Err(MediaRefusal::TooMuchMemory);
    }
    // One that says nothing of it, or nonsense, is shown as it is.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    let is_opaque = !image.color().has_alpha() || image.to_rgba8().pixels().all(|pixel| pixel.0[3] == u8::MAX);
    Ok(if is_opaque { image.into_rgb8().into() } else { image.into_rgba8().into() })
}

/// The middle of a picture.
fn square(image: &DynamicImage) -> DynamicImage {
    let side = image.width().min(image.height());
    image.crop_imm((image.width() - side) / 2, (image.height() - side) / 2, side, side)
}

/// The picture with its longer side at most that long, in pixels; a smaller one stays as it is.
fn scale(image: &DynamicImage, side: u32) -> DynamicImage {
    if image.width().max(image.height()) <= side {
        return image.clone();
    }
    image.resize(side, side, FilterType::Triangle)
}

/// A JPEG, or a WebP where something is transparent.
fn encode(name: &'static str, image: &DynamicImage) -> Result<Rendition, MediaRefusal> {
    let mut content = Vec::new();
    let content_type = if image.color().has_alpha() {
        image.write_with_encoder(WebPEncoder::new_lossless(&mut content))?;
        "image/webp"
    } else {
        image.write_with_encoder(JpegEncoder::new_with_quality(&mut content, QUALITY))?;
        "image/jpeg"
    };
    let (width, height) = (image.width(), image.height());
    Ok(Rendition { name, content_type, content: content.into(), width, height })
}

/// Whether a JPEG has its end: decoders show one that breaks off as a picture whose rest is grey. Only the end of its own data
/// counts, and not that of a preview in its head.
fn is_complete_jpeg(content: &[u8]) -> bool {
    let mut rest = content.get(2..).unwrap_or_default();
    while let [0xff, marker, high, low, ..] = rest {
        if *marker == 0xff {
            rest = &rest[1..];
            continue;
        }
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(behind) = rest.get(2 + length..) else { return false };
        if *marker == 0xda {
            return behind.windows(2).any(|pair| pair == [0xff, 0xd9]);
        }
        rest = behind;
    }
    false
}
