//! The metadata of an NFT as a document: canonical, so that the same content always gives the same bytes, and therefore the same
//! content identifier.
//!
//! The document follows the metadata schema of ERC-1155 (<https://eips.ethereum.org/EIPS/eip-1155#metadata>): `name`,
//! `description`, `properties`; `attributes` is what marketplaces show. It is written by the JSON Canonicalization Scheme (RFC
//! 8785): sorted keys, no blanks. The text itself is not in it, only its hash: what is in IPFS cannot be taken back, and a text
//! must be. Who has the text can prove that it is the one that was minted.
//!
//! The identifier (version 1) has the codec `raw` over the SHA-256 of the bytes: what `ipfs add --cid-version=1` gives for a file
//! of one block. A document has at most some 8 KiB, and a block 256 KiB.
use std::collections::BTreeSet;
use std::fmt::Write as _;

use cid::Cid;
use cid::multihash::Multihash;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::NftKind;
use crate::core::contract::timestamp::Timestamp;

/// The codec `raw` and the hash function SHA2-256, as multicodec numbers them: <https://github.com/multiformats/multicodec>.
const RAW: u64 = 0x55;
const SHA2_256: u64 = 0x12;

/// The post or comment that a document is built from.
#[derive(Clone, Debug)]
pub struct MintedContent {
    pub kind: NftKind,
    /// Of the NFT record.
    pub record_id: Uuid,
    /// Of the post or comment.
    pub subject_id: Uuid,
    pub created_by: Uuid,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// None of a comment.
    pub title: Option<String>,
    pub content: String,
    /// None of a comment.
    pub categories: Vec<String>,
}

impl MintedContent {
    /// Its metadata.
    pub fn metadata(&self) -> Value {
        let noun = match self.kind {
            NftKind::Post => "Post",
            NftKind::Comment => "Comment",
        };
        let title = self.title.as_deref().map(str::trim).filter(|title| !title.is_empty());
        // Python's str(datetime): a blank where RFC 3339 has a T, as in the record's description.
        let at = self.created_at.to_string().replace('T', " ");
        let categories: BTreeSet<&String> = self.categories.iter().collect();
        let mut attributes = vec![json!({ "trait_type": "Kind", "value": noun })];
        attributes.extend(categories.iter().map(|word| json!({ "trait_type": "Category", "value": word })));
        let created = self.created_at.0.timestamp();
        attributes.push(json!({ "trait_type": "Created", "display_type": "date", "value": created }));
        json!({
            "name": title.map_or_else(|| format!("{noun} {}", self.subject_id), str::to_owned),
            "description": format!("{noun} created by {} at {at}", self.created_by),
            "attributes": attributes,
            "properties": {
                "kind": self.kind,
                "id": self.subject_id,
                "record_id": self.record_id,
                "author": self.created_by,
                "created_at": self.created_at,
                "updated_at": self.updated_at,
                "content_sha256": hex(&Sha256::digest(&self.content)),
            },
        })
    }
}

/// A document and its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataDocument {
    pub cid: String,
    pub bytes: Vec<u8>,
}

impl MetadataDocument {
    /// The document of a content.
    pub fn of(content: &MintedContent) -> Self {
        let bytes = canonical(&content.metadata()).to_string().into_bytes();
        Self { cid: cid_of(&bytes), bytes }
    }
}

/// The identifier of bytes that are one block, in base 32.
pub fn cid_of(bytes: &[u8]) -> String {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    Cid::new_v1(RAW, Multihash::<64>::wrap(SHA2_256, &digest).expect("a multihash has room for 32 bytes")).to_string()
}

/// Whether two texts are one identifier, in whatever base and version they are written.
pub fn is_same_cid(one: &str, other: &str) -> bool {
    matches!((one.parse::<Cid>(), other.parse::<Cid>()), (Ok(one), Ok(other)) if one == other)
}

/// The identifier of that text, if it is one that a document can have, as it is written here.
pub fn read_cid(text: &str) -> Option<String> {
    let cid: Cid = text.parse().ok()?;
    (cid.codec() == RAW && cid.hash().code() == SHA2_256 && cid.to_string() == text).then(|| text.to_owned())
}

/// The value with the keys of all of its objects in order. With keys of ASCII and whole numbers, which a document has alone,
/// `serde_json` then writes what RFC 8785 demands.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            Value::Object(
                sorted.into_iter().map(|(name, value)| (name.clone(), canonical(value))).collect::<Map<_, _>>(),
            )
        }
        Value::Array(items) => Value::Array(items.iter().map(canonical).collect()),
        other => other.clone(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A post whose document is known.
    pub fn sample() -> MintedContent {
        let at = |text: &str| Timestamp(text.parse().unwrap());
        MintedContent {
            kind: NftKind::Post,
            record_id: Uuid::from_u128(3),
            subject_id: Uuid::from_u128(1),
            created_by: Uuid::from_u128(2),
            created_at: at("2026-11-20T15:05:05.052839Z"),
            updated_at: at("2026-11-21T00:00:00Z"),
            title: Some("Grüße \"an\"\u{2028}alle".to_owned()),
            content: "hello world".to_owned(),
            categories: vec!["NEWS".to_owned(), "BOOKS".to_owned(), "NEWS".to_owned()],
        }
    }

    /// The known identifier of "hello world", as Kubo prints it.
    #[test]
    fn an_identifier_is_the_one_that_kubo_gives() {
        let known = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";
        assert_eq!(cid_of(b"hello world"), known);
        assert_eq!(read_cid(known).as_deref(), Some(known));
    }

    #[test]
    fn an_identifier_is_the_same_in_every_base_and_nothing_else_is_one() {
        let cid: Cid = cid_of(b"hello world").parse().unwrap();
        let base58 = cid.to_string_of_base(cid::multibase::Base::Base58Btc).unwrap();
        assert!(is_same_cid(&cid.to_string(), &base58));
        assert!(!is_same_cid(&cid.to_string(), &cid_of(b"hello")));
        let version_0 = "QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG";
        for other in ["", ".", "../x", "bafkrei", "BAFKREI", version_0, &base58] {
            assert_eq!(read_cid(other), None, "{other}");
        }
    }

    /// As text: keys in order, no blanks, categories once, and the hash of the text in place of the text.
    #[test]
    fn a_document_is_canonical() {
        let document = MetadataDocument::of(&sample());
        let expected = concat!(
            r#"{"attributes":[{"trait_type":"Kind","value":"Post"},{"trait_type":"Category","value":"BOOKS"},"#,
            r#"{"trait_type":"Category","value":"NEWS"},{"display_type":"date","trait_type":"Created","value":1795187105}],"#,
            r#""description":"Post created by 00000000-0000-0000-0000-000000000002 at 2026-11-20 15:05:05.052839+00:00","#,
            "\"name\":\"Grüße \\\"an\\\"\u{2028}alle\",",
            r#""properties":{"author":"00000000-0000-0000-0000-000000000002","#,
            r#""content_sha256":"b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9","#,
            r#""created_at":"2026-11-20T15:05:05.052839+00:00","id":"00000000-0000-0000-0000-000000000001","kind":"POST","#,
            r#""record_id":"00000000-0000-0000-0000-000000000003","updated_at":"2026-11-21T00:00:00+00:00"}}"#,
        );
        assert_eq!(String::from_utf8(document.bytes.clone()).unwrap(), expected);
        assert_eq!(document.cid, cid_of(expected.as_bytes()));
    }

    #[test]
    fn a_changed_content_has_another_document() {
        let changed = MintedContent { content: "hello world!".to_owned(), ..sample() };
        assert_ne!(MetadataDocument::of(&changed).cid, MetadataDocument::of(&sample()).cid);
        assert_eq!(MetadataDocument::of(&sample()), MetadataDocument::of(&sample()));
    }

    /// Against the schema that ERC-1155 prints, and stricter: what it names must be there.
    #[test]
    fn metadata_is_valid_by_the_schema_of_erc_1155() {
        let mut schema: Value = serde_json::from_str(include_str!("erc1155-metadata.schema.json")).unwrap();
        schema["required"] = json!(["name", "description", "properties"]);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let untitled = MintedContent { kind: NftKind::Comment, title: None, categories: Vec::new(), ..sample() };
        for content in [sample(), untitled, MintedContent { title: Some("  ".to_owned()), ..sample() }] {
            let metadata = content.metadata();
            assert!(validator.is_valid(&metadata), "{metadata}");
            assert!(!metadata["name"].as_str().unwrap().trim().is_empty());
        }
        assert!(!validator.is_valid(&json!({ "name": "x", "description": null, "properties": {} })));
        assert!(!validator.is_valid(&json!({ "name": "x", "description": "", "properties": {}, "image": null })));
    }

    /// The longest post has one block, and so the identifier that a node gives.
    #[test]
    fn the_longest_document_is_one_block() {
        let categories = (0..100).map(|n| format!("MUSIC_AND_ART_{n}")).collect();
        let longest = MintedContent { title: Some("😀".repeat(100)), categories, ..sample() };
        assert!(MetadataDocument::of(&longest).bytes.len() < 256 * 1024);
    }
}
