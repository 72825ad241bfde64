//! A training from end to end on a tiny base model, and the backward pass against differences of the loss.
use std::path::Path;

use super::layout::Layout;
use super::network::Embeddings;
use super::*;
use crate::text_model::Calibration;
use crate::text_model::TextModel;
use crate::text_model::artefact::Dimensions;
use crate::text_model::artefact::writing::floats_to_bytes;
use crate::text_model::mini_lm::MiniLm;

fn tiny_network(dropout: f32) -> (Network, Vec<f32>) {
    let dimensions = Dimensions { width: 16, inner: 32, layers: 2, heads: 2, positions: 12, words: 20 };
    let mut dice = Dice::new(&[7]);
    let mut numbers =
        |count: usize, spread: f32| -> Vec<f32> { (0..count).map(|_| (dice.unit() - 0.5) * spread).collect() };
    let embeddings = Embeddings {
        words: numbers(20 * 16, 2.0),
        positions: numbers(12 * 16, 1.0),
        norm: vec![1.0; 16],
        norm_bias: vec![0.0; 16],
    };
    let layout = Layout::new(&dimensions);
    let mut weights = numbers(layout.size, 0.7);
    for places in &layout.layers {
        for place in [&places.norm1, &places.norm2] {
            weights[place.clone()].iter_mut().for_each(|weight| *weight += 1.0);
        }
    }
    (Network { dimensions, layout, embeddings, dropout }, weights)
}

fn example(targets: [(f32, f32); HEADS], class: Option<(usize, f32)>) -> Example {
    Example {
        source: "templates",
        text: String::new(),
        targets,
        class,
        group: None,
        function: None,
        is_dev: false,
        share: 1.0,
        disguised: 0.0,
    }
}

/// Every weight's gradient is the slope that two nearby losses show, dropout included.
#[test]
fn gradients_are_the_slopes_of_the_loss() {
    let (network, weights) = tiny_network(0.1);
    let texts: [&[u32]; 3] = [&[1, 5, 7, 2], &[3, 4], &[6, 8, 9, 10, 11, 12, 13]];
    let rows = [
        example([(1.0, 1.0), (0.0, 0.5), (0.0, 0.0), (1.0, 2.0), (0.0, 1.0)], Some((0, 2.2))),
        example([(0.0, 1.0), (1.0, 1.5), (1.0, 1.0), (0.0, 0.0), (0.0, 0.1)], None),
        example([(0.0, 0.7), (0.0, 0.7), (0.0, 0.3), (0.0, 1.0), (1.0, 1.0)], Some((2, 1.0))),
    ];
    let truths: Vec<&Example> = rows.iter().collect();
    let run = |weights: &[f32], gradients: &mut [f32]| {
        network.learn(weights, &texts, |outputs| loss(outputs, &truths, 1.0), Dice::new(&[11]), gradients)
    };
    let mut gradients = vec![0.0; weights.len()];
    let first = run(&weights, &mut gradients);
    assert!(first > 1.0, "{first}");
    let mut unused = vec![0.0; weights.len()];
    let mut dice = Dice::new(&[13]);
    // Along one weight the loss changes by less than a float can hold, hence many are moved at once.
    for place in network.layout.matrices().into_iter().chain(std::iter::once(0..weights.len())) {
        for _ in 0..3 {
            let direction: Vec<f32> = (0..weights.len())
                .map(|at| if place.contains(&at) { if dice.unit() < 0.5 { 1.0 } else { -1.0 } } else { 0.0 })
                .collect();
            let moved =
                |by: f32| weights.iter().zip(&direction).map(|(weight, way)| weight + by * way).collect::<Vec<_>>();
            let step = 2e-3 / f32::from(u16::try_from(place.len()).unwrap()).sqrt();
            let slope = (run(&moved(step), &mut unused) - run(&moved(-step), &mut unused)) / (2.0 * step);
            let expected: f32 = gradients.iter().zip(&direction).map(|(gradient, way)| gradient * way).sum();
            let length = gradients[place.clone()].iter().map(|gradient| gradient * gradient).sum::<f32>().sqrt();
            assert!((slope - expected).abs() < 0.02 * length + 1e-3, "{place:?}: {slope} and {expected}, of {length}");
        }
    }
}

/// A batch is learned to the same bits whether or not the training was interrupted, and a checkpoint of other options is refused.
#[test]
fn an_interrupted_training_ends_where_the_other_does() {
    let (network, weights) = tiny_network(0.1);
    let rows = [
        example([(1.0, 1.0), (0.0, 0.5), (0.0, 0.0), (1.0, 2.0), (0.0, 1.0)], Some((0, 2.2))),
        example([(0.0, 1.0), (1.0, 1.5), (1.0, 1.0), (0.0, 0.0), (0.0, 0.1)], None),
    ];
    let batches: Vec<Vec<Item>> = (0..40)
        .map(|step| (0..5).map(|at| (vec![1, 3 + at + step % 4, 4 + at % 2 * 9, 2], (at % 2) as usize)).collect())
        .collect();
    let plan = Plan {
        steps: batches.len(),
        rate: 3e-3,
        matrices: network.layout.matrices(),
        heads_from: network.layout.heads.start,
    };
    let run = |progress: &mut Progress, batches: &[Vec<Item>]| {
        learn(&network, progress, &plan, batches, &rows, |_| Ok(()), 5).unwrap();
    };
    let mut whole = Progress::new(weights.clone());
    run(&mut whole, &batches);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.checkpoint");
    assert_eq!(Progress::load(&file, "recipe", weights.len()).unwrap(), None);
    let mut half = Progress::new(weights.clone());
    run(&mut half, &batches[..17]);
    assert_ne!(half.weights, whole.weights);
    half.save(&file, "recipe").unwrap();
    let mut resumed = Progress::load(&file, "recipe", weights.len()).unwrap().unwrap();
    run(&mut resumed, &batches);
    assert!(resumed == whole, "the same bits");
    let error = Progress::load(&file, "another recipe", weights.len()).unwrap_err().to_string();
    assert!(error.ends_with("belongs to a training with other options or data; delete it to begin anew"), "{error}");
    // It has learned something: the loss of a batch falls.
    let loss_of = |weights: &[f32]| {
        let mut gradients = vec![vec![0.0; weights.len()]; SHARDS];
        gradients_of(&network, weights, &batches[0], &rows, (5, 0), &mut gradients)
    };
    assert!(loss_of(&whole.weights) < 0.8 * loss_of(&weights), "{} {}", loss_of(&whole.weights), loss_of(&weights));
}

/// Writes a base model with the form of a real one and the size of a toy.
fn write_base(folder: &Path) {
    let (width, inner, words, mut dice) = (16, 32, 40, Dice::new(&[21]));
    let mut numbers = |name: String, count: usize, middle: f32| {
        (name, (0..count).map(|_| middle + (dice.unit() - 0.5) * 0.6).collect::<Vec<f32>>())
    };
    let mut tensors = vec![
        numbers("embeddings.word_embeddings.weight".to_owned(), words * width, 0.0),
        numbers("embeddings.position_embeddings.weight".to_owned(), 16 * width, 0.0),
        numbers("embeddings.token_type_embeddings.weight".to_owned(), 2 * width, 0.0),
        numbers("embeddings.LayerNorm.weight".to_owned(), width, 1.0),
        numbers("embeddings.LayerNorm.bias".to_owned(), width, 0.0),
    ];
    for layer in 0..2 {
        for (name, rows, columns) in [
            ("attention.self.query", width, width),
            ("attention.self.key", width, width),
            ("attention.self.value", width, width),
            ("attention.output.dense", width, width),
            ("intermediate.dense", inner, width),
            ("output.dense", width, inner),
        ] {
            tensors.push(numbers(format!("encoder.layer.{layer}.{name}.weight"), rows * columns, 0.0));
            tensors.push(numbers(format!("encoder.layer.{layer}.{name}.bias"), rows, 0.0));
        }
        for name in ["attention.output.LayerNorm", "output.LayerNorm"] {
            tensors.push(numbers(format!("encoder.layer.{layer}.{name}.weight"), width, 1.0));
            tensors.push(numbers(format!("encoder.layer.{layer}.{name}.bias"), width, 0.0));
        }
    }
    let bytes: Vec<(String, Vec<u8>)> =
        tensors.iter().map(|(name, numbers)| (name.clone(), floats_to_bytes(numbers))).collect();
    let views = bytes.iter().map(|(name, bytes)| {
        (
            name.as_str(),
            safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![bytes.len() / 4], bytes).unwrap(),
        )
    });
    std::fs::write(folder.join("model.safetensors"), safetensors::serialize(views, None).unwrap()).unwrap();
    let letters: Vec<String> = ('a'..='r')
        .map(|letter| {
            format!(
                "{letter}
##{letter}
"
            )
        })
        .collect();
    let letters = letters.concat();
    std::fs::write(folder.join("vocab.txt"), format!("[UNK]\n[CLS]\n[SEP]\n.\n{letters}")).unwrap();
    let config = serde_json::json!({
        "hidden_size": width, "intermediate_size": inner, "num_hidden_layers": 2, "num_attention_heads": 2,
        "max_position_embeddings": 16, "vocab_size": words, "hidden_act": "gelu",
    });
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

/// Small sets in the form of the real ones.
fn write_data(folder: &Path) {
    let sets: [(&str, &[&str]); 6] = [
        ("davidson", &["hate", "offensive", "neither"]),
        ("edos", &["sexist", "not sexist"]),
        ("misogyny", &["misogynistic", "not"]),
        ("hatemoji", &["hate", "not_hate"]),
        ("identity_templates", &["toxic", "nontoxic"]),
        ("sms_spam", &["spam", "ham"]),
    ];
    for (name, labels) in sets.into_iter().chain([("youtube_spam", &["spam", "ham"][..])]) {
        let rows: Vec<String> = (0..60)
            .map(|row| {
                let label = row % labels.len();
                format!("{} {name} {row} {}\t{}\n", ["bad", "fig", "old"][label], "go".repeat(row % 4), labels[label])
            })
            .collect();
        std::fs::write(folder.join(format!("{name}.tsv")), format!("text\tlabel\n{}", rows.concat())).unwrap();
    }
    let lexicon = "text,category_1,severity_description\nsnark,racial / ethnic slurs,Severe\n";
    std::fs::write(folder.join("profanity_lexicon.csv"), lexicon).unwrap();
}

/// The rows of both splits.
fn rows_of(report: &serde_json::Value) -> u64 {
    report["rows"].as_u64().unwrap() + report["dev_rows"].as_u64().unwrap()
}

/// From a base model and sets to a file that the service reads: twice the same bytes, without the excluded rows, with figures. Each
/// training reads and measures all of the templates, so one of them serves several claims.
#[test]
fn a_training_makes_a_model_that_the_service_reads() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    for name in ["base", "data"] {
        std::fs::create_dir(place(name)).unwrap();
    }
    write_base(&place("base"));
    write_data(&place("data"));
    std::fs::write(place("exclude.tsv"), "BAD davidson   0\thate\nno row at all\n").unwrap();
    let training = |out: &str| Training {
        base: place("base"),
        data: place("data"),
        out: place(out),
        exclude: Some(place("exclude.tsv")),
        seed: 3,
        epochs: 0.05,
        batch: 16,
        rate: 1e-3,
        without_templates: false,
        extra: None,
        gate: None,
    };
    let gated = |out: &str, gate: &str| run(&Training { gate: Some(place(gate)), ..training(out) });
    run(&training("one.safetensors")).unwrap();
    // A model as good as the one before it is written.
    gated("two.safetensors", "one.json").unwrap();
    let file = std::fs::read(place("one.safetensors")).unwrap();
    assert!(file == std::fs::read(place("two.safetensors")).unwrap(), "the same bytes");
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(place("one.json")).unwrap()).unwrap();
    assert_eq!(report["excluded"], 1, "{report}");
    assert!(report["steps"].as_u64().unwrap() > 10 && report["dev_rows"].as_u64().unwrap() > 100, "{report}");
    let hate = &report["figures"]["heads"]["hate"]["sources"]["templates"];
    assert!(hate["rows"].as_u64().unwrap() > 100 && (0.0..=1.0).contains(&hate["auc"].as_f64().unwrap()), "{report}");

    // The 8-bit file says nearly what the network says.
    let base = BaseModel::read(&place("base"), DROPOUT, 3).unwrap();
    let tokenizer = Tokenizer::new(&base.vocabulary).unwrap();
    let progress =
        Progress::load(&place("one.checkpoint"), &report["recipe"].to_string(), base.weights.len()).unwrap().unwrap();
    let model = MiniLm::open(&place("one.safetensors")).unwrap();
    let heads: [Calibration; HEADS] = serde_json::from_value(report["heads"].clone()).unwrap();
    for text in ["bad old fig", "a", "go go go."] {
        let outputs = base.network.outputs(&progress.weights, &[&tokens(text, &tokenizer, base.longest_learned())]);
        let scores = model.read(&[text]).unwrap()[0].scores;
        for head in 0..HEADS {
            let exact = sigmoid(heads[head].slope * outputs[(0, head)] + heads[head].bias);
            assert!((exact - scores[head]).abs() < 0.02, "{text:?}, head {head}: {exact} and {}", scores[head]);
        }
    }
    // Rows of moderators are learned and measured beside the others.
    let decisions: Vec<String> =
        (0..64).map(|row| format!("a snag {row}\t{}\n", ["hate,toxic", "clean"][row % 2])).collect();
    std::fs::write(place("extra.tsv"), format!("text\tlabel\n{}", decisions.concat())).unwrap();
    let with_extra = |out: &str| Training { extra: Some(place("extra.tsv")), ..training(out) };
    run(&with_extra("three.safetensors")).unwrap();
    let more: serde_json::Value = serde_json::from_slice(&std::fs::read(place("three.json")).unwrap()).unwrap();
    assert_eq!(more["rows"].as_u64().unwrap() + more["dev_rows"].as_u64().unwrap(), 64 + rows_of(&report));
    assert!(more["figures"]["heads"]["hate"]["sources"]["moderators"]["rows"].as_u64().unwrap() > 0, "{more}");
    std::fs::write(place("extra.tsv"), "text\tlabel\na snag\trude\n").unwrap();
    let error = format!("{:#}", run(&with_extra("four.safetensors")).unwrap_err());
    assert!(error.ends_with("extra.tsv:2: the label \"rude\" is no head of the model and not clean"), "{error}");

    // One that falls behind is not, and the error names the figure. It was learned to the end before, and is only measured again.
    std::fs::copy(place("one.checkpoint"), place("five.checkpoint")).unwrap();
    let mut better = report.clone();
    better["figures"]["summary"]["hate.templates.auc"] = 1.2.into();
    std::fs::write(place("better.json"), better.to_string()).unwrap();
    let error = gated("five.safetensors", "better.json").unwrap_err().to_string();
    assert!(
        error.starts_with("no model is written, because it falls behind: hate.templates.auc from 1.200 to 0."),
        "{error}"
    );
    assert!(!place("five.safetensors").exists() && place("five.json").exists());
    // Figures that cannot be read are refused before anything is learned.
    let error = format!("{:#}", gated("six.safetensors", "extra.tsv").unwrap_err());
    assert!(error.contains("extra.tsv: expected"), "{error}");
    assert!(!place("six.checkpoint").exists(), "nothing was learned");

    let error = run(&Training { base: place("data"), ..training("seven.safetensors") }).unwrap_err();
    assert!(format!("{error:#}").contains("config.json"), "{error:#}");
}
