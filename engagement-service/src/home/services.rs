//! Where recommended posts stand on a page: behind every few of the feed's own, and never before the first of these.

/// How many items of a page may be recommended, so that with the feed's own they are no more than the page holds.
pub fn mixed_places(limit: usize, every: usize) -> usize {
    if every == 0 { 0 } else { limit / (every + 1) }
}

/// How many are recommended on a page with that many places for them, which shows `own` posts of the feed itself.
pub fn mixed_behind(own: usize, every: usize, places: usize) -> usize {
    own.checked_div(every).unwrap_or(0).min(places)
}

/// One after the other, and a recommended one behind each `every` of the feed's own.
pub fn mix<T>(own: Vec<T>, recommended: Vec<T>, every: usize) -> Vec<T> {
    let mut recommended = recommended.into_iter();
    let mut mixed = Vec::with_capacity(own.len() + recommended.len());
    for (number, item) in (1..).zip(own) {
        mixed.push(item);
        if every > 0 && number % every == 0 {
            mixed.extend(recommended.next());
        }
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever the setting and the size of a page: it holds what it may, and its own posts keep their order.
    #[test]
    fn a_mixed_page_is_as_large_as_any() {
        for every in 0..=200 {
            for limit in 1..=200 {
                let places = mixed_places(limit, every);
                let own: Vec<usize> = (0..limit - places).collect();
                let recommended = vec![usize::MAX; mixed_behind(own.len(), every, places)];
                assert_eq!((recommended.len(), own.len() + recommended.len()), (places, limit), "{every}, {limit}");
                let mut mixed = mix(own.clone(), recommended, every);
                let first = mixed.iter().position(|item| *item == usize::MAX);
                assert_eq!(first, (places > 0).then_some(every), "{every}, {limit}");
                mixed.retain(|item| *item != usize::MAX);
                assert_eq!(mixed, own);
            }
        }
    }
}
