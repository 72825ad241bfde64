//! Calculations on a comment: the metadata of its NFT.
use serde_json::{Value, json};

use super::models::Comment;

/// The metadata of a comment's NFT, as ERC-1155 has it: name, description, image, and the comment itself.
/// <https://eips.ethereum.org/EIPS/eip-1155#metadata>
pub fn metadata(comment: &Comment) -> Value {
    json!({
        "name": comment.id,
        "description": format!("Comment created by {}", comment.created_by),
        "image": null,
        "metadata": {
            "id": comment.id,
            "content": comment.content,
            "created_by": comment.created_by,
            "created_at": comment.created_at,
            "updated_by": comment.updated_by,
            "updated_at": comment.updated_at,
        },
    })
}
