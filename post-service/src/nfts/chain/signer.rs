//! The account that signs: its key is read from a file, and leaves this file only as signatures.
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use alloy_consensus::transaction::RlpEcdsaEncodableTx;
use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_primitives::{Address, B256, Signature, hex};
use anyhow::{Context, ensure};
use k256::ecdsa::SigningKey;
use secrecy::{ExposeSecret, SecretString};

/// The rights of a file by which others than its owner can read or write it.
const OTHERS: u32 = 0o077;

/// An account with its key. It has no `Debug`, so that no log shows the key.
pub struct ChainSigner {
    key: SigningKey,
    pub address: Address,
}

/// A transaction in the bytes in which it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawTransaction {
    pub hash: B256,
    pub bytes: Vec<u8>,
}

impl ChainSigner {
    /// The account whose key a file holds, as 64 hexadecimal digits. The file must be readable by its owner alone.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let place = || format!("the key of minting in {}", file.display());
        let rights = fs::metadata(file).with_context(place)?.mode() & 0o777;
        ensure!(rights & OTHERS == 0, "{} can be read by others (mode {rights:o}): chmod 600 it", place());
        let text = SecretString::from(fs::read_to_string(file).with_context(place)?);
        // The cause may quote what was read, so it is left out.
        let digits = hex::decode(text.expose_secret().trim()).ok();
        let key = digits.and_then(|digits| SigningKey::from_slice(&digits).ok());
        Ok(Self::new(key.with_context(|| format!("{} is no key: 64 hexadecimal digits are needed", place()))?))
    }

    fn new(key: SigningKey) -> Self {
        let address = Address::from_private_key(&key);
        Self { key, address }
    }

    /// Signs a hash, deterministically (RFC 6979).
    pub fn sign_hash(&self, hash: B256) -> anyhow::Result<Signature> {
        Ok(self.key.sign_prehash_recoverable(hash.as_slice())?.into())
    }

    /// Signs a transaction.
    pub fn sign(&self, transaction: &TxEip1559) -> anyhow::Result<RawTransaction> {
        let signature = self.sign_hash(transaction.signature_hash())?;
        let mut bytes = Vec::new();
        transaction.eip2718_encode(&signature, &mut bytes);
        Ok(RawTransaction { hash: transaction.tx_hash(&signature), bytes })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A key that others can read is refused, and so is what is no key, without a word of it.
    #[test]
    fn a_key_is_read_from_a_file_of_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        // The first account of every development node.
        fs::write(&file, "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let refusal = |file: &Path| format!("{:#}", ChainSigner::read(file).err().unwrap());
        assert!(refusal(&file).contains("mode 640"), "{}", refusal(&file));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let address = ChainSigner::read(&file).unwrap().address.to_string();
        assert_eq!(address, "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
        for text in ["", "s3cret", &"0".repeat(64), &"f".repeat(64)] {
            fs::write(&file, text).unwrap();
            let said = refusal(&file);
            assert!(said.contains("is no key") && (text.is_empty() || !said.contains(text)), "{said}");
        }
        assert!(refusal(&folder.path().join("none")).contains("No such file"));
    }
}
