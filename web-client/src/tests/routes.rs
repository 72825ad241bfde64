//! The pages that the tests look at are those of the router: a new page is looked at, or it is said why not.
use std::collections::BTreeSet;

use super::pages::PAGES;

/// What a browser asks for that is no page.
const NO_PAGES: [(&str, &str); 7] = [
    ("/home/news", "a part of the home feed"),
    ("/notifications/stream", "a stream of events"),
    ("/settings/export", "a file"),
    ("/linked-accounts/callback", "it leads on, or to a refusal that the tests of linked accounts look at"),
    ("/health/live", "for machines"),
    ("/health/ready", "for machines"),
    ("/assets/{hash}/{name}", "a file"),
];

/// The addresses of the router that answer to reading.
fn read_routes() -> BTreeSet<&'static str> {
    let routes = include_str!("../pages/mod.rs").split(".route(").skip(1);
    let named = routes.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split_once('"'));
    let read = named.filter(|(_, handlers)| handlers.trim_start_matches([',', ' ', '\n']).starts_with("get("));
    read.map(|(path, _)| path).collect()
}

/// The route that an address is for: of those that fit, the one with the fewest parameters.
fn route_of<'a>(address: &str, routes: &BTreeSet<&'a str>) -> Option<&'a str> {
    let path: Vec<_> = address.split(['?', '#']).next().unwrap_or_default().split('/').collect();
    let fits = |route: &&&str| {
        let parts: Vec<_> = route.split('/').collect();
        let pairs = parts.iter().zip(&path);
        parts.len() == path.len() && pairs.clone().all(|(part, given)| part.starts_with('{') || part == given)
    };
    routes.iter().filter(fits).min_by_key(|route| route.matches('{').count()).copied()
}

#[test]
fn every_page_of_the_router_is_looked_at() {
    let routes = read_routes();
    assert!(routes.len() > 40, "{routes:?}");
    let looked_at: BTreeSet<_> = PAGES.iter().filter_map(|page| route_of(page, &routes)).collect();
    let left_out: BTreeSet<_> = NO_PAGES.iter().map(|(route, _)| *route).collect();
    let missed: Vec<_> =
        routes.iter().filter(|route| !looked_at.contains(*route) && !left_out.contains(*route)).collect();
    assert!(missed.is_empty(), "no test looks at {missed:?}: add them to PAGES");
    let stale: Vec<_> =
        left_out.iter().filter(|route| !routes.contains(*route) || looked_at.contains(*route)).collect();
    assert!(stale.is_empty(), "{stale:?} are no exceptions");
}
