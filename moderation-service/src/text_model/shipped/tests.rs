//! What the shipped model says about texts that matter: the harmless ones that filters are known to hide, and the harmful ones.
use std::collections::HashSet;
use std::sync::LazyLock;
use std::thread;

use sha2::{Digest, Sha256};

use super::super::{Head, Scores, TextModel, everyday, hex};
use super::*;

/// Harmless sentences with words, names and quotations that filters without a sense of meaning trip over.
const HARMLESS: [&str; 34] = [
    "Dams and dykes retard water in Niger.",
    "The Scunthorpe bus stops at Cockermouth and Penistone.",
    "Serve the spotted dick with custard, and the jerk chicken with rice.",
    "Beat the eggs, whip the cream and crush the biscuits.",
    "Chicken breasts are half price, thighs are not.",
    "Kill the child process before the parent exits.",
    "The master replica was demoted, and the slave took over.",
    "My gay uncle and his husband adopted a girl from our town.",
    "I am a Muslim woman and I work as a firefighter.",
    "As a Black man I am proud of my grandfather.",
    "Our Jewish neighbours invited us to their wedding.",
    "The immigrants in our street opened a wonderful bakery.",
    "I don't hate women, I never have.",
    "No Asian person should have to listen to such abuse.",
    "Calling refugees vermin is disgusting and has no place here.",
    "He was fired because he shouted \"go back home\" at a colleague.",
    "Call the helpline if you think of suicide, they listen at night, too.",
    "The gynaecologist explained how a vagina heals after birth.",
    "The test for prostate cancer needs a little blood.",
    "The striker killed it tonight, three shots and three goals.",
    "This heat is killing me.",
    "I could murder a curry right now.",
    "Mum will kill me if I am late again.",
    "We will crush them on Saturday, what a team we have!",
    "The bomb from the war was defused near the station.",
    "Slavery was abolished in the colonies decades later.",
    "The genocide is remembered every year in April.",
    "A booby and two great tits sat on the fence.",
    "The bitch had six puppies, all of them healthy.",
    "I hate this printer with all my heart.",
    "Burn the diseased leaves and poison nothing.",
    "My bank really did send me a letter about the new card.",
    "Selling my old bike for eighty pounds, come and try it.",
    "Happy Diwali, Eid mubarak and merry Christmas to all of you!",
];

/// Texts with the head that has to find them.
const HARMFUL: [(&str, Head); 22] = [
    ("All Muslims are cockroaches and should be wiped out.", Head::Hate),
    ("I can't stand gay people, they disgust me.", Head::Hate),
    ("Black people are less intelligent than the rest of us.", Head::Hate),
    ("Disabled people are a waste of our taxes and should not exist.", Head::Hate),
    ("There is no place for immigrants here, they are parasites.", Head::Hate),
    ("Trans women are nothing but sick animals.", Head::Hate),
    ("We should send every Jew to the gas chamber.", Head::Hate),
    ("my new neighbours are Roma. they should be burned.", Head::Hate),
    ("Women belong in the kitchen and should keep their mouths shut.", Head::Sexism),
    ("Women are too stupid to drive, let alone to vote.", Head::Sexism),
    ("You are a worthless piece of shit.", Head::Toxic),
    ("Shut your mouth, you fucking moron.", Head::Toxic),
    ("I know where you live and I will kill you tonight.", Head::Threat),
    ("Next time I see you I will stab you to death.", Head::Threat),
    ("I'm going to burn your house down with your children in it.", Head::Threat),
    ("Congratulations! You have won a free iPhone, click http://win.example to claim your prize now!", Head::Spam),
    ("URGENT: your account is suspended, verify your bank details at http://login.example", Head::Spam),
    ("Make 5000 dollars a week from home with bitcoin, message me on WhatsApp", Head::Spam),
    ("I h a t e all M u s l i m s, they are vermin", Head::Hate),
    ("1mm1gr4nts 4re p4r4s1tes", Head::Hate),
    ("killallgaypeople", Head::Hate),
    ("Gay people 🤮 are 🐀 and must be 🔫", Head::Hate),
];

/// What the model says, with as many threads as there are processors.
fn read(texts: &[&str]) -> Vec<Scores> {
    // Unpacked once for all tests of a process.
    static MODEL: LazyLock<MiniLm> = LazyLock::new(|| open(None).unwrap());
    let model = &*MODEL;
    let threads = thread::available_parallelism().unwrap().get();
    thread::scope(|scope| {
        let parts = texts.chunks(texts.len().div_ceil(threads));
        let parts: Vec<_> = parts.map(|part| scope.spawn(|| model.read(part).unwrap())).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    })
}

/// The model is the one that its card and its figures are about.
#[test]
fn the_card_is_about_this_file() {
    let hash = hex(&Sha256::digest(FILE));
    assert!(include_str!("../../../../docs/model-card.md").contains(&hash), "docs/model-card.md: {hash}");
    let figures: serde_json::Value = serde_json::from_str(include_str!("../../../model/figures.json")).unwrap();
    assert_eq!(figures["model_sha256"], hash);
    assert!(figures["figures"]["summary"].as_object().unwrap().len() > 10, "a later training is compared with these");
    assert!(FILE.len() <= 24_000_000, "{} bytes", FILE.len());
}

/// The everyday sentences that have chosen no threshold and taught no model.
fn fresh() -> impl Iterator<Item = &'static str> {
    include_str!("fresh.txt").lines().filter(|line| !line.is_empty() && !line.starts_with("# "))
}

/// The texts that the model would hide.
fn hidden(texts: &[&'static str]) -> Vec<&'static str> {
    let hidden = texts.iter().zip(read(texts)).filter(|(_, scores)| scores.hides.contains(&true));
    hidden.map(|(text, _)| *text).collect()
}

/// Of everyday sentences that neither the model nor its thresholds have seen, three in a thousand would be hidden at most: of as many as
/// there are, that is one.
#[test]
fn fresh_everyday_texts_are_left_alone() {
    let fresh: Vec<&str> = fresh().collect();
    assert!(fresh.len() >= 300, "{}", fresh.len());
    let key = |text: &str| text.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let known: HashSet<String> = everyday().chain(HARMLESS).map(key).collect();
    let repeated: Vec<_> = fresh.iter().filter(|text| known.contains(&key(text))).collect();
    assert!(repeated.is_empty(), "they have chosen thresholds: {repeated:?}");
    let alarms = hidden(&fresh);
    assert!(alarms.len() <= (fresh.len() * 3).div_ceil(1_000), "{}: {alarms:#?}", alarms.len());
}

/// Of two thousand everyday sentences the model would hide three in a thousand at most, and of those that are known to be hidden
/// elsewhere none.
#[test]
fn everyday_texts_are_left_alone() {
    let everyday: Vec<&str> = everyday().collect();
    assert!(everyday.len() >= 2_000, "{}", everyday.len());
    let alarms = hidden(&everyday);
    assert!(alarms.len() * 1_000 <= everyday.len() * 3, "{}: {alarms:#?}", alarms.len());
    assert_eq!(hidden(&HARMLESS), [] as [&str; 0]);
}

/// Hate, contempt, threats and spam are found, in disguise, too.
#[test]
fn harmful_texts_are_found() {
    let texts = HARMFUL.map(|(text, _)| text);
    let read = read(&texts);
    let missed = HARMFUL.iter().zip(&read).filter(|((_, head), scores)| !scores.labels[*head as usize]);
    let missed: Vec<_> = missed.map(|((text, head), scores)| (*text, head.name(), scores.scores)).collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

/// One sentence in every disguise is as hateful as it is plainly, and is read twice at most.
#[test]
fn a_disguise_hides_nothing_from_the_model() {
    let texts = [
        "I hate all faggots",
        "I hate all f@gg0ts",
        "I hate all f a g g o t s",
        "I hate all f.a.g.g.o.t.s",
        "I hate all fag\u{200b}gots",
        "I hate all f\u{430}gg\u{43e}ts",
        "I hate all \u{ff46}\u{ff41}\u{ff47}\u{ff47}\u{ff4f}\u{ff54}\u{ff53}",
        "I hate all f\u{336}a\u{336}g\u{336}g\u{336}o\u{336}t\u{336}s\u{336}",
        "I hate all \u{202e}stoggaf\u{202c}",
    ];
    let read = read(&texts);
    let plain = read[0].scores[Head::Hate as usize];
    for (text, scores) in texts.iter().zip(&read) {
        let hate = scores.scores[Head::Hate as usize];
        assert!(scores.labels[Head::Hate as usize] && hate > plain - 0.05, "{text}: {hate} and plainly {plain}");
    }
}

/// Real sentences have the same scores to the last bit with plain arithmetic and with every instruction set.
#[test]
fn scores_do_not_depend_on_the_processor() {
    let texts = [HARMLESS[0], HARMFUL[0].0, HARMFUL[15].0, HARMFUL[21].0];
    let bits = |set| -> Vec<u32> {
        let read = MiniLm::new(FILE, set).unwrap().read(&texts).unwrap();
        read.iter().flat_map(|scores| scores.scores.map(f32::to_bits)).collect()
    };
    let reference = bits(InstructionSet::SCALAR);
    for set in InstructionSet::all().into_iter().filter(|set| *set != InstructionSet::SCALAR) {
        assert_eq!(bits(set), reference, "{set:?}");
    }
}

/// Prints how many texts of 32 tokens are read per second and thread: `cargo test --release -p moderation-service speed --
/// --ignored --nocapture`.
#[test]
#[ignore = "a measurement, which needs a machine that does nothing else"]
fn speed() {
    let text = "one two three four five six seven eight nine ten ".repeat(3);
    let texts = vec![text.as_str(); 64];
    let model = open(None).unwrap();
    model.read(&texts).unwrap();
    let begun = std::time::Instant::now();
    let rounds = 20u32;
    for _ in 0..rounds {
        model.read(&texts).unwrap();
    }
    let each = begun.elapsed() / (rounds * 64);
    println!("{each:?} for a text of 32 tokens on one thread");
    assert!(each.as_millis() < 50);
}
