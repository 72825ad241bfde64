//! Notes in the documents from before which posts have pictures, so that a search for these reads no others.
pub mod models;
