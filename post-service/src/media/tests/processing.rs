//! The worker: what becomes of good pictures, and which it refuses.
use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, GenericImageView, ImageEncoder, ImageFormat, Rgba, RgbaImage};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::{encoded, get, gradient, library, picture, process_all, ready, state, upload, url, worker};
use crate::SERVICE;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, new_user};
use crate::media::Purpose;
use crate::media::events::MEDIA_READY;
use crate::media::processing::models::LeasedMedia;
use crate::media::processing::schedulers::{AT_ONCE, MediaWorker};
use crate::media::processing::services::{MediaRefusal, process};

/// A JPEG with EXIF data: an orientation, and a text that stands for a position.
fn jpeg_with_exif(image: &DynamicImage, orientation: u8) -> Vec<u8> {
    let mut exif = b"II\x2a\x00\x08\x00\x00\x00\x02\x00\x0e\x01\x02\x00\x0c\x00\x00\x00\x26\x00\x00\x00\x12\x01\x03\x00\x01\x00\x00\x00".to_vec();
    exif.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0, 0]);
    exif.extend_from_slice(b"GPS in Bern\x00");
    let mut file = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut file, 95);
    encoder.set_exif_metadata(exif).unwrap();
    image.write_with_encoder(encoder).unwrap();
    file
}

/// A baseline JPEG of one block in four channels, as programs for print write it: each has the middle value.
fn cmyk_jpeg() -> Vec<u8> {
    let mut file = vec![0xff, 0xd8];
    // Adobe's mark without a transform of colours.
    file.extend_from_slice(&[0xff, 0xee, 0, 14]);
    file.extend_from_slice(b"Adobe\x00\x64\x00\x00\x00\x00\x00");
    file.extend_from_slice(&[0xff, 0xdb, 0, 67, 0]);
    file.extend_from_slice(&[1; 64]);
    file.extend_from_slice(&[0xff, 0xc0, 0, 20, 8, 0, 8, 0, 8, 4]);
    for channel in 1..=4 {
        file.extend_from_slice(&[channel, 0x11, 0]);
    }
    // Two tables of one code each: no difference, and the end of a block.
    for class in [0x00, 0x10] {
        file.extend_from_slice(&[0xff, 0xc4, 0, 20, class, 1]);
        file.extend_from_slice(&[0; 15]);
        file.push(0);
    }
    file.extend_from_slice(&[0xff, 0xda, 0, 14, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0]);
    file.extend_from_slice(&[0x00, 0xff, 0xd9]);
    file
}

/// A PNG whose head says that it is that large, and that holds next to nothing.
fn png_that_claims(width: u32, height: u32) -> Vec<u8> {
    let mut file = picture(2, 2);
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc(&file[12..29]);
    file[29..33].copy_from_slice(&sum.to_be_bytes());
    file
}

/// The checksum of a chunk of a PNG.
fn crc(bytes: &[u8]) -> u32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { 0xedb8_8320 ^ (sum >> 1) } else { sum >> 1 })
    };
    !bytes.iter().fold(u32::MAX, step)
}

fn animation(frames: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = GifEncoder::new(&mut file);
    for frame in 0..frames {
        let shade = u8::try_from(frame * 40).unwrap();
        encoder.encode_frame(Frame::new(RgbaImage::from_pixel(12, 8, Rgba([shade, 0, 0, 255])))).unwrap();
    }
    drop(encoder);
    file
}

/// A large picture gets a thumbnail and a medium rendition, a blurhash and a perceptual hash, and an event says so once.
#[sqlx::test(migrations = false)]
async fn a_picture_becomes_ready_with_its_renditions_and_its_event(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, her) = new_user();
    let id = ready(&platform, &anna, "POST", &picture(2_160, 1_080)).await;
    let media = state(&platform, &anna, &id).await;
    assert_eq!((&media["status"], &media["width"], &media["height"]), (&json!("READY"), &json!(2_160), &json!(1_080)));
    assert_eq!(media["blurhash"].as_str().unwrap().len(), 28, "4 × 3 waves");
    for (name, width, height) in [("thumbnail", 320, 160), ("medium", 1_080, 540)] {
        let (status, headers, file) = get(&platform, url(&media[name])).await;
        assert_eq!((status.as_u16(), headers["content-type"].to_str().unwrap()), (200, "image/jpeg"));
        let shown = image::load_from_memory_with_format(&file, ImageFormat::Jpeg).unwrap();
        assert_eq!(shown.dimensions(), (width, height));
    }
    assert_eq!(media.get("original"), None);
    assert_eq!(worker(&platform).step().await.unwrap(), Outcome::Idle(Duration::from_secs(2)), "once");
    let events = platform.published(MEDIA_READY).await;
    assert_eq!(events.len(), 1);
    let event = &events[0];
    assert_eq!((&event["media_id"], &event["owner_id"]), (&json!(id), &json!(her)));
    assert_eq!((&event["purpose"], &event["width"], &event["version"]), (&json!("POST"), &json!(2_160), &json!(2)));
    assert_eq!((event["sha256"].as_str().unwrap().len(), event["perceptual_hash"].as_str().unwrap().len()), (64, 16));
}

/// A photograph is turned as the camera was held, and says nothing of where that was.
#[test]
fn a_photograph_is_turned_and_loses_its_metadata() {
    for (orientation, size) in [(1, (40, 20)), (3, (40, 20)), (6, (20, 40)), (8, (20, 40))] {
        let file = jpeg_with_exif(&gradient(40, 20), orientation);
        assert!(file.windows(3).any(|bytes| bytes == b"GPS"));
        let made = process(&file, "image/jpeg", Purpose::Post).unwrap();
        assert_eq!((made.width, made.height), size, "orientation {orientation}");
        for rendition in &made.renditions {
            assert!(!rendition.content.windows(3).any(|bytes| bytes == b"GPS"), "{}", rendition.name);
            assert!(!rendition.content.windows(4).any(|bytes| bytes == b"Exif"), "{}", rendition.name);
        }
        if orientation == 6 {
            // What was left above is right above after a quarter turn: blue grows to the left.
            let shown = image::load_from_memory(&made.renditions[1].content).unwrap().to_rgb8();
            assert!(shown.get_pixel(1, 20).0[2] > shown.get_pixel(18, 20).0[2], "it is turned the other way");
        }
    }
}

/// Pictures of unusual kinds become ones that every browser shows.
#[test]
fn unusual_pictures_are_shown_like_others() {
    let kind = |file: &[u8], kind: &str| {
        let made = process(file, kind, Purpose::Post).unwrap();
        (made.width, made.height, made.renditions[1].content_type)
    };
    assert_eq!(kind(&picture(1, 1), "image/png"), (1, 1, "image/jpeg"));
    let deep = encoded(&DynamicImage::ImageRgb16(gradient(9, 5).to_rgb16()), ImageFormat::Png);
    assert_eq!(kind(&deep, "image/png"), (9, 5, "image/jpeg"));
    assert_eq!(kind(&cmyk_jpeg(), "image/jpeg"), (8, 8, "image/jpeg"));
    let grey = encoded(&DynamicImage::ImageLuma8(gradient(7, 7).to_luma8()), ImageFormat::Jpeg);
    assert_eq!(kind(&grey, "image/jpeg"), (7, 7, "image/jpeg"));
    let webp = encoded(&gradient(6, 4), ImageFormat::WebP);
    assert_eq!(kind(&webp, "image/webp"), (6, 4, "image/jpeg"));
    let clear = DynamicImage::ImageRgba8(RgbaImage::from_pixel(5, 5, Rgba([9, 9, 9, 100])));
    assert_eq!(kind(&encoded(&clear, ImageFormat::Png), "image/png"), (5, 5, "image/webp"));
    let opaque = DynamicImage::ImageRgba8(RgbaImage::from_pixel(5, 5, Rgba([9, 9, 9, 255])));
    assert_eq!(kind(&encoded(&opaque, ImageFormat::Png), "image/png"), (5, 5, "image/jpeg"), "nothing shines through");
}

/// An animation keeps its frames beside the renditions of its first one; an avatar does not move.
#[test]
fn an_animation_keeps_its_frames() {
    let file = animation(3);
    let made = process(&file, "image/gif", Purpose::Post).unwrap();
    let names: Vec<_> = made.renditions.iter().map(|rendition| (rendition.name, rendition.content_type)).collect();
    assert_eq!(names[..2], [("thumbnail", "image/jpeg"), ("medium", "image/jpeg")]);
    assert_eq!(names[2], ("original", "image/gif"));
    let decoder = image::codecs::gif::GifDecoder::new(Cursor::new(&made.renditions[2].content)).unwrap();
    assert_eq!(image::AnimationDecoder::into_frames(decoder).collect_frames().unwrap().len(), 3);
    assert_eq!(process(&file, "image/gif", Purpose::Avatar).unwrap().renditions.len(), 2);
}

/// An avatar is the square in the middle, a banner is left as it is.
#[test]
fn an_avatar_is_cut_square() {
    let made = process(&picture(60, 20), "image/png", Purpose::Avatar).unwrap();
    assert_eq!((made.width, made.height), (20, 20));
    let shown = image::load_from_memory(&made.renditions[1].content).unwrap().to_rgb8();
    let left = shown.get_pixel(1, 10).0[0];
    assert!((75..105).contains(&left), "red of {left} at its left side, a third of the way");
    assert_eq!(process(&picture(60, 20), "image/png", Purpose::Banner).unwrap().width, 60);
}

/// A file that is small and would be huge once it is decoded is refused by its head.
#[test]
fn decompression_bombs_are_refused_before_they_are_decoded() {
    let refused = |file: &[u8]| process(file, "image/png", Purpose::Post).unwrap_err();
    assert_eq!(refused(&png_that_claims(20_001, 2)), MediaRefusal::TooManyPixels, "one side");
    assert_eq!(refused(&png_that_claims(8_000, 8_000)), MediaRefusal::TooManyPixels);
    assert_eq!(refused(&png_that_claims(u32::MAX >> 1, u32::MAX >> 1)), MediaRefusal::TooManyPixels);
    let mut deep = Cursor::new(Vec::new());
    let pixels = vec![0; 6_000 * 4_000 * 8];
    image::codecs::png::PngEncoder::new(&mut deep)
        .write_image(&pixels, 6_000, 4_000, image::ExtendedColorType::Rgba16)
        .unwrap();
    let deep = deep.into_inner();
    assert!(deep.len() < 1_000_000, "{} bytes", deep.len());
    assert_eq!(refused(&deep), MediaRefusal::TooMuchMemory, "192 MB of 24 megapixels");
}

/// What breaks off anywhere is refused, and never shown with a grey rest.
#[test]
fn a_file_that_breaks_off_is_refused() {
    let photograph = jpeg_with_exif(&gradient(64, 64), 1);
    let files = [
        (photograph, "image/jpeg"),
        (picture(64, 64), "image/png"),
        (encoded(&gradient(64, 64), ImageFormat::WebP), "image/webp"),
        (animation(2), "image/gif"),
    ];
    for (file, kind) in &files {
        assert!(process(file, kind, Purpose::Post).is_ok(), "{kind}");
        for share in [1, 3, 5, 9] {
            let part = &file[..file.len() * share / 10];
            assert_eq!(
                process(part, kind, Purpose::Post).unwrap_err(),
                MediaRefusal::NotReadable,
                "{share}/10 of {kind}"
            );
        }
    }
    let garbage = [&files[1].0[..40], &[7; 400]].concat();
    assert_eq!(process(&garbage, "image/png", Purpose::Post).unwrap_err(), MediaRefusal::NotReadable);
}

/// Pictures that look alike have hashes that are alike.
#[test]
fn perceptual_hashes_of_pictures_that_look_alike_are_near() {
    let hash = |file: &[u8], kind: &str| process(file, kind, Purpose::Post).unwrap().perceptual_hash;
    let rings = |width: u32, height: u32, waves: f32| -> DynamicImage {
        image::RgbImage::from_fn(width, height, |x, y| {
            #[expect(clippy::cast_precision_loss, reason = "pixels are few")]
            let (x, y) = (x as f32 / width as f32 - 0.3, y as f32 / height as f32 - 0.6);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255")]
            let shade = ((x.hypot(y) * waves).sin() * 127.0 + 128.0) as u8;
            image::Rgb([shade, shade, shade])
        })
        .into()
    };
    let one = hash(&encoded(&rings(600, 400, 12.0), ImageFormat::Png), "image/png");
    let smaller = hash(&encoded(&rings(300, 200, 12.0), ImageFormat::Jpeg), "image/jpeg");
    let another = hash(&encoded(&rings(600, 400, 31.0), ImageFormat::Png), "image/png");
    assert!((one ^ smaller).count_ones() <= 6, "{one:x} {smaller:x}");
    assert!((one ^ another).count_ones() >= 12, "{one:x} {another:x}");
}

/// A refusal has its reason, and the file is gone.
#[sqlx::test(migrations = false)]
async fn a_refused_picture_says_why_and_cannot_be_shown(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let broken = &picture(64, 64)[..60];
    let id = ready(&platform, &anna, "POST", broken).await;
    let media = state(&platform, &anna, &id).await;
    assert_eq!((&media["status"], &media["reason"]), (&json!("REFUSED"), &json!("NOT_READABLE")));
    let post = json!({ "content": "x", "types": [], "media": [id] });
    assert_eq!(platform.call("POST", "/posts", Some(&anna), Some(post)).await.status, 400);
    assert_eq!(platform.published(MEDIA_READY).await, [json!(null); 0]);
    let kept = sqlx::query_scalar!(
        r#"select count(*) as "kept!" from media_blob where doomed_at is null and id = any(select original from media)"#
    );
    assert_eq!(kept.fetch_one(&platform.app.db).await.unwrap(), 0);
}

/// A picture that takes too long, or ends its worker again and again, does not stand in the way of others.
#[sqlx::test(migrations = false)]
async fn a_picture_that_holds_a_worker_up_is_refused(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let slow = upload(&platform, &anna, "POST", &picture(1_500, 1_500)).await;
    let mut strict = worker(&platform).within(Duration::ZERO, Duration::from_secs(30));
    assert_eq!(strict.step().await.unwrap(), Outcome::Busy);
    assert_eq!(state(&platform, &anna, &slow).await["reason"], "TOO_SLOW");

    let deadly = upload(&platform, &anna, "POST", &picture(5, 5)).await;
    let id = Uuid::try_parse(&deadly).unwrap();
    for _ in 0..4 {
        // A worker takes it, and is killed; two minutes later the lease is over.
        let taken = LeasedMedia::take(&platform.app.db).await.unwrap().unwrap();
        assert_eq!(taken.id, id);
        let ended = sqlx::query!("update media set leased_until = now() - interval '1 second' where id = $1", id);
        ended.execute(&platform.app.db).await.unwrap();
    }
    process_all(&platform).await;
    assert_eq!(state(&platform, &anna, &deadly).await["reason"], "NOT_PROCESSED");
}

/// How often a picture counts as begun and not given back.
async fn attempts(platform: &Platform, id: &str) -> i32 {
    let id = Uuid::try_parse(id).unwrap();
    let query = sqlx::query_scalar!("select attempts from media where id = $1", id);
    query.fetch_one(&platform.app.db).await.unwrap()
}

/// Lets all pauses be over.
async fn pass(platform: &Platform) {
    let over =
        sqlx::query!("update media set leased_until = now() - interval '1 second' where leased_until is not null");
    over.execute(&platform.app.db).await.unwrap();
}

/// A picture that only waits, for a thread or for the machine, is not refused for it, however often that happens.
#[sqlx::test(migrations = false)]
async fn a_picture_is_not_refused_for_what_its_neighbours_take(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let id = upload(&platform, &anna, "POST", &picture(1_500, 1_500)).await;
    let threads = Arc::new(Semaphore::new(AT_ONCE));
    let mut worker = MediaWorker::new(&platform.app, &library(&platform), &threads);
    // Pictures that were given up keep their threads.
    let neighbours = threads.clone().try_acquire_many_owned(u32::try_from(AT_ONCE).unwrap()).unwrap();
    for _ in 0..6 {
        assert_eq!(worker.step().await.unwrap(), Outcome::Idle(Duration::from_secs(2)));
        assert_eq!(attempts(&platform, &id).await, 0, "it is not even taken");
    }
    drop(neighbours);
    // It has a thread, and the machine does not let that run.
    for _ in 0..6 {
        let mut worker = super::worker(&platform).within(Duration::from_mins(1), Duration::ZERO);
        let failure = format!("{:#}", worker.step().await.unwrap_err());
        assert!(failure.contains("the machine is overloaded"), "{failure}");
        assert_eq!(attempts(&platform, &id).await, 0, "it is given back as if it had not been taken");
        pass(&platform).await;
    }
    process_all(&platform).await;
    assert_eq!(state(&platform, &anna, &id).await["status"], "READY");
}

/// Of pictures that were at hand when their process died only one was the cause: each is begun again alone, and what has a place beside it
/// waits.
#[sqlx::test(migrations = false)]
async fn a_picture_whose_process_died_is_begun_again_alone(_: PgPoolOptions, database: PgConnectOptions) {
    let platform = Platform::start(&SERVICE, database, &[]).await;
    let (anna, _) = new_user();
    let innocent = upload(&platform, &anna, "POST", &picture(6, 5)).await;
    let taken = LeasedMedia::take(&platform.app.db).await.unwrap().unwrap();
    assert!(!taken.is_suspect(), "the first time it may be beside others");
    pass(&platform).await;
    let threads = Arc::new(Semaphore::new(AT_ONCE));
    let with = |patience| {
        let worker = MediaWorker::new(&platform.app, &library(&platform), &threads);
        worker.within(Duration::from_mins(1), patience)
    };
    let neighbour = threads.clone().try_acquire_owned().unwrap();
    for _ in 0..6 {
        let failure = format!("{:#}", with(Duration::ZERO).step().await.unwrap_err());
        assert!(failure.contains("it is not alone yet"), "{failure}");
        assert_eq!(attempts(&platform, &innocent).await, 1, "to wait for it is no attempt");
        pass(&platform).await;
    }
    drop(neighbour);
    assert_eq!(with(Duration::from_secs(30)).step().await.unwrap(), Outcome::Busy);
    assert_eq!(state(&platform, &anna, &innocent).await["status"], "READY");
}
