//! Pictures that the tool makes itself, so that no file comes from elsewhere: PNGs with a gradient of two colours.
/// The sides of a picture, in pixels.
const WIDTH: u32 = 320;
const HEIGHT: u32 = 200;

/// A picture; another one for another number.
pub fn picture(number: u32) -> Vec<u8> {
    let (from, to) = (colour(number), colour(number.wrapping_add(7_919)));
    let places = (0..HEIGHT).flat_map(|y| (0..WIDTH).map(move |x| x + y));
    let pixels: Vec<u8> =
        places.flat_map(|place| [0, 1, 2].map(|channel| mix(from[channel], to[channel], place))).collect();
    encode(&pixels)
}

/// The PNG of rows of pixels.
fn encode(pixels: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, WIDTH, HEIGHT);
    encoder.set_color(png::ColorType::Rgb);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels));
    written.expect("memory takes every byte");
    file
}

/// A picture of tiles, which looks like no other: recognising one by its look takes no gradient for it.
pub fn mosaic(number: u32) -> Vec<u8> {
    let tile = |x: u32, y: u32| colour(number.wrapping_add((y / 25) * 1_009 + (x / 35) * 9_176_419 + 1));
    let pixels: Vec<u8> = (0..HEIGHT).flat_map(|y| (0..WIDTH).flat_map(move |x| tile(x, y))).collect();
    encode(&pixels)
}

/// A colour for a number: neighbours are far apart.
fn colour(number: u32) -> [u8; 3] {
    let [red, green, blue, _] = number.wrapping_mul(2_654_435_761).to_le_bytes();
    [red, green, blue]
}

/// The colour that lies that far on the way from one to the other.
fn mix(from: u8, to: u8, place: u32) -> u8 {
    let whole = WIDTH + HEIGHT;
    let mixed = (u32::from(from) * (whole - place) + u32::from(to) * place) / whole;
    u8::try_from(mixed).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_differ_by_their_numbers() {
        assert_ne!(picture(1), picture(2));
        assert_eq!(picture(1), picture(1));
        assert_ne!(mosaic(1), mosaic(2));
    }
}
