//! Pictures that an image model looks at, from the post service to what is decided about them.
//!
//! The model of these tests is made here, of three operations in the shape of Open-NSFW: it takes red for nudity. Another one is
//! tried where `MODERATION_IMAGE_MODEL` names it.
use std::collections::HashMap;
use std::io::Cursor;
use std::path::Path as FilePath;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use clap::{Args, Command, FromArgMatches};
use image::{ImageFormat, Rgb, RgbImage};
use prost::Message;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};
use tract_onnx::pb::{
    self, AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TypeProto, ValueInfoProto,
};
use uuid::Uuid;

use super::network::NudityModel;
use super::preparation::{SIDE, prepare};
use super::schedulers::NudityReader;
use super::services::NuditySettings;
use crate::SERVICE;
use crate::core::ground::worker::{Outcome, Worker};
use crate::core::testing::{Platform, new_user};
use crate::pictures::events::{MEDIA_DELETED, MEDIA_READY};
use crate::pictures::services::PictureSettings;
use crate::pictures::tests::{admin, block_hash, judge_again, picture, state};
use crate::reports::tests::new_moderator;
use crate::settings::Settings;

/// Colours that the model takes for nudity, for what may be, and for none.
const RED: [u8; 3] = [255, 0, 0];
const REDDISH: [u8; 3] = [141, 60, 60];
const BLUE: [u8; 3] = [0, 0, 255];

/// A model of Open-NSFW's shape that takes red for nudity: the mean of all pixels, a weight of its last channel, softmax.
fn red_model(weight: f32) -> Vec<u8> {
    let node = |operation: &str, input: &[&str], output: &str, attribute: Vec<AttributeProto>| NodeProto {
        op_type: operation.to_owned(),
        name: operation.to_owned(),
        input: input.iter().map(|&name| name.to_owned()).collect(),
        output: vec![output.to_owned()],
        attribute,
        ..NodeProto::default()
    };
    let ints = |name: &str, ints: &[i64]| AttributeProto {
        name: name.to_owned(),
        r#type: pb::attribute_proto::AttributeType::Ints.into(),
        ints: ints.to_vec(),
        ..AttributeProto::default()
    };
    let int = |name: &str, i: i64| AttributeProto {
        name: name.to_owned(),
        r#type: pb::attribute_proto::AttributeType::Int.into(),
        i,
        ..AttributeProto::default()
    };
    let value = |name: &str, sides: &[usize]| {
        let dim = sides.iter().map(|&side| pb::tensor_shape_proto::Dimension {
            value: Some(pb::tensor_shape_proto::dimension::Value::DimValue(i64::try_from(side).unwrap())),
            ..Default::default()
        });
        let tensor = pb::type_proto::Tensor {
            elem_type: pb::tensor_proto::DataType::Float.into(),
            shape: Some(pb::TensorShapeProto { dim: dim.collect() }),
        };
        let r#type = TypeProto { value: Some(pb::type_proto::Value::TensorType(tensor)), ..TypeProto::default() };
        ValueInfoProto { name: name.to_owned(), r#type: Some(r#type), ..ValueInfoProto::default() }
    };
    let weights = TensorProto {
        name: "weights".to_owned(),
        dims: vec![3, 2],
        data_type: pb::tensor_proto::DataType::Float.into(),
        float_data: vec![0.0, 0.0, 0.0, 0.0, 0.0, weight],
        ..TensorProto::default()
    };
    let graph = GraphProto {
        name: "red".to_owned(),
        node: vec![
            node("ReduceMean", &["picture"], "mean", vec![ints("axes", &[1, 2]), int("keepdims", 0)]),
            node("MatMul", &["mean", "weights"], "weighed", Vec::new()),
            node("Softmax", &["weighed"], "scores", vec![int("axis", 1)]),
        ],
        initializer: vec![weights],
        input: vec![value("picture", &[1, SIDE, SIDE, 3])],
        output: vec![value("scores", &[1, 2])],
        ..GraphProto::default()
    };
    let operations = OperatorSetIdProto { domain: String::new(), version: 9 };
    let model =
        ModelProto { ir_version: 4, opset_import: vec![operations], graph: Some(graph), ..ModelProto::default() };
    model.encode_to_vec()
}

/// A file of one colour.
fn file(colour: [u8; 3], format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    RgbImage::from_pixel(64, 48, Rgb(colour)).write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// What the stub of the post service has, by id; none: it answers 503.
type Files = Arc<Mutex<HashMap<Uuid, Option<Vec<u8>>>>>;

struct World {
    platform: Platform,
    files: Files,
    folder: tempfile::TempDir,
}

impl World {
    /// The service with a model that takes red for nudity, beside a stub of the post service.
    async fn start(database: PgConnectOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("red.onnx");
        std::fs::write(&model, red_model(0.1)).unwrap();
        let files = Files::default();
        let producers = format!("post-service={}", start_post_service(files.clone()).await);
        let settings = ["--moderation-image-model", model.to_str().unwrap(), "--producers", &producers];
        let platform = Platform::start(&SERVICE, database, &settings).await;
        Self { platform, files, folder }
    }

    /// A person's picture is ready, and the post service has this file of it.
    async fn upload(&self, owner: Uuid, file: Option<Vec<u8>>) -> Value {
        let picture = picture(owner, u64::from(Uuid::now_v7().as_fields().0) << 32 | 0x0f0f);
        self.files.lock().unwrap().insert(id(&picture), file);
        self.platform.consume(MEDIA_READY, &picture).await;
        picture
    }

    fn reader(&self) -> NudityReader {
        let settings = Settings::from_arg_matches(&self.platform.settings()).unwrap();
        let model = NudityModel::open(&settings.nudity.moderation_image_model.unwrap()).unwrap();
        NudityReader::new(&self.platform.app, settings.pictures, Arc::new(model)).unwrap()
    }

    /// Lets the worker look at all that is due.
    async fn look(&self) {
        let mut reader = self.reader();
        while reader.step().await.unwrap() == Outcome::Busy {}
    }

    /// The score of a picture, the model's name, and whether it waits.
    async fn scored(&self, picture: &Value) -> (Option<f64>, Option<String>, bool) {
        let row = format!(
            "select nudity, split_part(nudity_model, '@', 1) as model, score_at is not null as waits
            from picture where id = '{}'",
            id(picture)
        );
        let row = self.platform.app.db.fetch_one(AssertSqlSafe(row)).await.unwrap();
        (row.get("nudity"), row.get("model"), row.get("waits"))
    }

    async fn execute(&self, statement: &'static str) {
        self.platform.app.db.execute(statement).await.unwrap();
    }
}

fn id(picture: &Value) -> Uuid {
    picture["media_id"].as_str().unwrap().parse().unwrap()
}

async fn start_post_service(files: Files) -> String {
    let answer = async move |headers: HeaderMap, Path(id): Path<Uuid>| -> Response {
        assert_eq!(headers["authorization"], "Bearer operator");
        match files.lock().unwrap().get(&id).cloned() {
            Some(Some(file)) => file.into_response(),
            Some(None) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().route("/internal/media/{id}", get(answer));
    tokio_util::task::TaskTracker::new().spawn(async { axum::serve(listener, router).await });
    url
}

/// A picture that most likely shows nudity is held until a person has looked, one that may is shown to a person, another one is left
/// alone; the score, the model and the rule are in what moderators and the owner read.
#[sqlx::test(migrations = false)]
async fn pictures_are_judged_by_what_they_show(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database).await;
    let ((anna, her), (moderator, _)) = (new_user(), new_moderator());
    let red = world.upload(her, Some(file(RED, ImageFormat::WebP))).await;
    let reddish = world.upload(her, Some(file(REDDISH, ImageFormat::Png))).await;
    let blue = world.upload(her, Some(file(BLUE, ImageFormat::Jpeg))).await;
    assert_eq!(state(&world.platform, &red).await.0, "VISIBLE", "none has looked");
    world.look().await;

    assert_eq!(state(&world.platform, &red).await, (json!("HELD"), Some("SEXUAL_NUDITY".to_owned())));
    for picture in [&reddish, &blue] {
        assert_eq!(state(&world.platform, picture).await, (json!("VISIBLE"), None));
    }
    let (score, model, waits) = world.scored(&reddish).await;
    assert!(score.is_some_and(|score| (0.8..0.95).contains(&score)), "{score:?}");
    assert_eq!((model.as_deref(), waits), (Some("red.onnx"), false));
    let queue = world.platform.call("GET", "/moderation/queue?type=MEDIA", Some(&moderator), None).await.body;
    let queued: Vec<&Value> = queue.as_array().unwrap().iter().map(|item| &item["id"]).collect();
    assert_eq!(queued, [&red["media_id"], &reddish["media_id"]], "the most urgent first");

    let statement = world.platform.call("GET", "/me/moderation/decisions", Some(&anna), None).await.body[0].clone();
    let decision = format!("/moderation/decisions/{}", statement["decision_id"].as_str().unwrap());
    let decision = world.platform.call("GET", &decision, Some(&moderator), None).await.body;
    let path = format!("/moderation/analyses/{}", decision["analysis"].as_str().unwrap());
    let analysis = world.platform.call("GET", &path, Some(&moderator), None).await.body;
    assert!(analysis["model_version"].as_str().unwrap().starts_with("red.onnx@"), "{analysis}");
    assert!(analysis["signals"]["picture"]["nudity"].as_f64().unwrap() > 0.99, "{analysis}");
    assert_eq!(analysis["matched"][0]["rule"], "nudity", "{analysis}");
    let stats = world.platform.call("GET", "/moderation/stats", Some(&moderator), None).await.body;
    assert_eq!(stats["image_model"], analysis["model_version"]);
    let exported = world.platform.personal_data_of(her, "pictures").await;
    assert!(exported.iter().all(|picture| picture["nudity"].is_f64()), "{exported:?}");

    // What a person has decided about it, no score changes; a blocked copy keeps the reason of its entry.
    let path = format!("/moderation/subjects/MEDIA/{}/decisions", id(&red));
    let allow = json!({ "actions": [{ "action": "ALLOW" }], "reason": "OTHER_RULES" });
    assert_eq!(world.platform.call("POST", &path, Some(&moderator), Some(allow)).await.status, 201);
    let hash = u64::from_str_radix(blue["perceptual_hash"].as_str().unwrap(), 16).unwrap();
    block_hash(&world.platform, hash, "SEXUAL_INTIMATE_IMAGE").await;
    world.execute("update picture set score_at = now(), is_due = true").await;
    world.look().await;
    judge_again(&world.platform).await;
    assert_eq!(state(&world.platform, &red).await.0, "VISIBLE");
    assert_eq!(state(&world.platform, &blue).await, (json!("HIDDEN"), Some("SEXUAL_INTIMATE_IMAGE".to_owned())));
}

/// While the post service is away pictures wait, however often they are tried; what it has not, what is no picture and what three
/// processes did not survive is given up, without a score.
#[sqlx::test(migrations = false)]
async fn faults_lose_no_picture(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database).await;
    let (_, her) = new_user();
    let red = world.upload(her, None).await;
    for _ in 0..5 {
        let mut reader = world.reader();
        assert_eq!(reader.step().await.unwrap(), Outcome::Busy);
        assert!(
            reader.step().await.unwrap_err().to_string().contains("could not be fetched"),
            "the post service is away"
        );
        assert_eq!(reader.step().await.unwrap(), Outcome::Idle(Duration::from_secs(2)), "it waits");
        world.execute("update picture set score_at = now()").await;
    }
    world.files.lock().unwrap().insert(id(&red), Some(file(RED, ImageFormat::Png)));
    world.look().await;
    assert_eq!(state(&world.platform, &red).await.0, "HELD");

    let broken = world.upload(her, Some(b"RIFF\x04\0\0\0WEBP".to_vec())).await;
    let large = world.upload(her, Some(vec![0; 9 << 20])).await;
    let missing = world.upload(her, None).await;
    world.files.lock().unwrap().remove(&id(&missing));
    let deadly = world.upload(her, Some(file(RED, ImageFormat::Png))).await;
    let tries = format!("update picture set score_tries = 3 where id = '{}'", id(&deadly));
    world.platform.app.db.execute(AssertSqlSafe(tries)).await.unwrap();
    world.look().await;
    for picture in [&broken, &large, &missing, &deadly] {
        assert_eq!(world.scored(picture).await, (None, Some("red.onnx".to_owned()), false));
        assert_eq!(state(&world.platform, picture).await.0, "VISIBLE");
    }
}

/// Another model scores all pictures anew and what followed from the first one's score ends; a new version of a picture waits again.
#[sqlx::test(migrations = false)]
async fn another_model_scores_all_pictures_anew(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database).await;
    let red = world.upload(new_user().1, Some(file(RED, ImageFormat::Png))).await;
    world.look().await;
    assert_eq!(state(&world.platform, &red).await.0, "HELD");
    let blind = world.folder.path().join("blind.onnx");
    std::fs::write(&blind, red_model(0.0)).unwrap();
    let settings = PictureSettings { moderation_picture_distance: 5 };
    let model = Arc::new(NudityModel::open(&blind).unwrap());
    let mut reader = NudityReader::new(&world.platform.app, settings, model).unwrap();
    while reader.step().await.unwrap() == Outcome::Busy {}
    assert_eq!(world.scored(&red).await, (Some(0.5), Some("blind.onnx".to_owned()), false));
    assert_eq!(state(&world.platform, &red).await.0, "VISIBLE");

    let mut newer = red.clone();
    newer["version"] = json!(2);
    world.platform.consume(MEDIA_READY, &newer).await;
    assert_eq!(world.scored(&red).await, (None, None, true));
}

/// A deleted picture is forgotten and its case closed, in whatever order its events are consumed; a decision about it stays.
#[sqlx::test(migrations = false)]
async fn deleted_pictures_are_forgotten(_: PgPoolOptions, database: PgConnectOptions) {
    let world = World::start(database).await;
    let ((_, her), (moderator, _)) = (new_user(), new_moderator());
    let red = world.upload(her, Some(file(RED, ImageFormat::Png))).await;
    let reddish = world.upload(her, Some(file(REDDISH, ImageFormat::Png))).await;
    let kept = world.upload(her, Some(file(REDDISH, ImageFormat::Png))).await;
    world.look().await;
    let delete = |picture: &Value| json!({ "media_id": picture["media_id"], "owner_id": her, "version": 9 });
    for picture in [&red, &reddish] {
        world.platform.consume(MEDIA_DELETED, &delete(picture)).await;
        world.platform.consume(MEDIA_READY, picture).await;
    }
    let early = picture(her, 0x77);
    world.platform.consume(MEDIA_DELETED, &delete(&early)).await;
    world.platform.consume(MEDIA_READY, &early).await;
    let held = world.platform.personal_data_of(her, "pictures").await;
    let held: Vec<&Value> = held.iter().map(|picture| &picture["id"]).collect();
    assert_eq!(held, [&kept["media_id"]]);
    let queue = world.platform.call("GET", "/moderation/queue?type=MEDIA", Some(&moderator), None).await.body;
    assert_eq!(queue.as_array().unwrap().len(), 1, "{queue}");
    assert_eq!(queue[0]["id"], kept["media_id"]);
    let analyses = "select count(*) as analyses from analysis where signals -> 'picture' ->> 'nudity' is not null";
    let analyses: i64 = world.platform.app.db.fetch_one(analyses).await.unwrap().get("analyses");
    assert_eq!(analyses, 2, "that of the one that is there, and the one that a decision refers to");
    let (_, reporter) = (new_user(), new_user());
    let report = json!({ "subject_type": "MEDIA", "subject_id": red["media_id"], "reason": "SEXUAL_NUDITY" });
    assert_eq!(world.platform.call("POST", "/reports", Some(&reporter.0), Some(report)).await.status, 404);
    let verified = world.platform.call("GET", "/moderation/log/verify", Some(&admin()), None).await.body;
    assert_eq!(verified["valid"], true, "{verified}");
}

/// A file that is no model, or one of another shape, is refused when the service starts, with what is wrong with it.
#[test]
fn files_that_are_no_such_model_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("model.onnx");
    let mut narrow = ModelProto::decode(&red_model(0.1)[..]).unwrap();
    let weights = &mut narrow.graph.as_mut().unwrap().initializer[0];
    (weights.dims, weights.float_data) = (vec![3, 1], vec![1.0; 3]);
    let nan = red_model(f32::NAN);
    let cut = &red_model(0.1)[..40];
    for (content, says) in [
        (&b"not a model"[..], "no ONNX model"),
        (cut, "model"),
        (&narrow.encode_to_vec(), "1 numbers instead of two"),
        (&nan, "NaN is no probability"),
    ] {
        std::fs::write(&file, content).unwrap();
        let refused = NudityModel::open(&file).err().map(|cause| format!("{cause:#}"));
        assert!(refused.as_ref().is_some_and(|cause| cause.contains(says)), "{says}: {refused:?}");
    }
    let missing = NudityModel::open(FilePath::new("/nowhere.onnx")).err().map(|cause| format!("{cause:#}"));
    assert!(missing.is_some_and(|cause| cause.starts_with("MODERATION_IMAGE_MODEL: /nowhere.onnx")));
}

/// A picture is scaled, cut, turned to blue, green and red, and less the mean; transparency shows the colour below it.
#[test]
fn pictures_are_prepared_as_the_model_knows_them() {
    let prepared = prepare(&file([200, 100, 50], ImageFormat::Png)).unwrap();
    assert_eq!(prepared.len(), SIDE * SIDE * 3);
    for (found, expected) in prepared.iter().zip([50.0 - 104.0, 100.0 - 117.0, 200.0 - 123.0]) {
        assert!((found - expected).abs() <= 2.0, "{found} for {expected}");
    }
    // The left half of a wide picture is the left half of what is seen.
    let mut halves = RgbImage::from_pixel(400, 100, Rgb(BLUE));
    for (_, _, pixel) in halves.enumerate_pixels_mut().filter(|(x, ..)| *x < 200) {
        *pixel = Rgb(RED);
    }
    let mut wide = Cursor::new(Vec::new());
    halves.write_to(&mut wide, ImageFormat::Png).unwrap();
    let prepared = prepare(wide.get_ref()).unwrap();
    let (left, right) = (&prepared[..3], &prepared[(SIDE - 1) * 3..SIDE * 3]);
    assert!(left[2] > 100.0 && left[0] < 0.0 && right[0] > 100.0 && right[2] < 0.0, "{left:?} {right:?}");
    let mut endless = file(RED, ImageFormat::Png);
    endless[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    assert!(prepare(&endless).is_err(), "65,536 pixels a side");
}

/// A picture by a formula: its sides, and the colour of each pixel.
fn drawn(width: u32, height: u32, colour: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    RgbImage::from_fn(width, height, |x, y| Rgb(colour(x, y))).write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

/// Where `MODERATION_IMAGE_MODEL` names Open-NSFW, it says here what it says in onnxruntime behind Pillow, as its own package runs
/// it: a gradient, an ellipse on a ground of two tones of skin, and stripes. Without a model there is nothing to compare.
#[test]
fn open_nsfw_says_what_it_says_elsewhere() {
    let matches = NuditySettings::augment_args(Command::new("test")).try_get_matches_from(["test"]).unwrap();
    let Some(file) = NuditySettings::from_arg_matches(&matches).unwrap().moderation_image_model else { return };
    let model = NudityModel::open(&file).unwrap();
    assert!(model.version().ends_with("@864bb37bf886"), "another model than Open-NSFW: {}", model.version());
    let byte = |number: u32| u8::try_from(number).unwrap();
    let gradient = drawn(1080, 720, |x, y| [byte(x * 255 / 1080), byte(y * 255 / 720), 90]);
    let inside = |x: u32, y: u32| x.abs_diff(320).pow(2) * 2 + y.abs_diff(450).pow(2) < 160_000;
    let skin = drawn(640, 900, |x, y| if inside(x, y) { [205, 150, 120] } else { [224, 172, 140] });
    let stripes =
        drawn(800, 600, |x, y| if (x / 40 + y / 50).is_multiple_of(2) { [20, 90, 200] } else { [250, 240, 60] });
    for (name, picture, elsewhere) in
        [("gradient", gradient, 0.000_29), ("skin", skin, 0.133_96), ("stripes", stripes, 0.002_04)]
    {
        let score = model.score(&picture).unwrap();
        assert!((score - elsewhere).abs() <= 0.005, "{name}: {score} for {elsewhere}");
    }
}
