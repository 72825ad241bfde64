//! The keys of the texts: those of the first language, from which the struct of all languages is made.

/// Defines the texts by those of the first language.
macro_rules! texts {
    ($($key:ident: $text:literal,)+) => {
        /// The texts of one language.
        #[derive(Debug)]
        pub struct Texts { $(pub $key: &'static str,)+ }

        pub const EN: Texts = Texts { $($key: $text,)+ };

        #[cfg(test)]
        impl Texts {
            /// Every text with its key.
            pub fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($key), self.$key),)+]
            }
        }
    };
}
pub(super) use texts;
