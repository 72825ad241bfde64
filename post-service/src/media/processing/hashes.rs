//! Two short descriptions of a picture: a blurhash, which is shown until it is loaded, and a perceptual hash, by which pictures that
//! look alike are found.
use image::DynamicImage;
use image::imageops::FilterType;

/// The waves of a blurhash across and down: as its authors recommend for photographs.
const WAVES: (u32, u32) = (4, 3);
/// The longer side, in pixels, of what a blurhash is computed of: it has four waves, more pixels change nothing that is seen.
const BLURRED: u32 = 32;

/// The blurhash of a picture; none when it cannot be computed.
pub fn blurhash(image: &DynamicImage) -> Option<String> {
    let small = image.thumbnail(BLURRED, BLURRED).to_rgba8();
    blurhash::encode(WAVES.0, WAVES.1, small.width(), small.height(), small.as_raw()).ok()
}

/// The difference hash of a picture: whether brightness grows from each of 9 × 8 fields to its right neighbour, 64 bits from the
/// left upper corner on. Scaling, compression and small changes leave most of them.
/// <https://www.hackerfactor.com/blog/index.php?/archives/529-Kind-of-Like-That.html>
pub fn perceptual_hash(image: &DynamicImage) -> u64 {
    let fields = image.resize_exact(9, 8, FilterType::Triangle).to_luma8();
    let mut hash = 0;
    for y in 0..8 {
        for x in 0..8 {
            let grows = fields.get_pixel(x, y).0[0] < fields.get_pixel(x + 1, y).0[0];
            hash = hash << 1 | u64::from(grows);
        }
    }

    hash
}
