//! What is shown at the moment, and what the keys do to it.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::traffic::top::figures::Figures;
use crate::traffic::top::tables::Order;

/// The lower part of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Routes, and streams beneath them.
    Both,
    Routes,
    Streams,
}

impl Page {
    pub const ALL: [Page; 3] = [Page::Both, Page::Routes, Page::Streams];

    fn turned(self, places: usize) -> Page {
        let place = Page::ALL.iter().position(|page| *page == self).unwrap_or_default();
        Page::ALL[(place + places) % Page::ALL.len()]
    }
}

/// The state of the page.
#[derive(Debug)]
pub struct App {
    /// Whom it shows, as a person would say it.
    pub title: String,
    /// None before there have been two looks.
    pub figures: Option<Figures>,
    pub page: Page,
    pub order: Order,
    /// Rows of the lower part that are scrolled away.
    pub scrolled: usize,
    pub help: bool,
}

impl App {
    pub fn new(title: String) -> App {
        App { title, figures: None, page: Page::Both, order: Order::Rate, scrolled: 0, help: false }
    }

    /// Does what a key asks for; true when somebody wants to leave.
    pub fn handle(&mut self, event: &Event) -> bool {
        // Some terminals tell of keys that are let go as well.
        let Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press, .. }) = event else { return false };
        match code {
            KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => return true,
            KeyCode::Char('q') => return true,
            KeyCode::Esc if !self.help => return true,
            // Any other key puts the help away.
            _ if self.help => self.help = false,
            KeyCode::Char('h' | '?') => self.help = true,
            KeyCode::Tab => self.show(self.page.turned(1)),
            KeyCode::BackTab => self.show(self.page.turned(Page::ALL.len() - 1)),
            KeyCode::Left => self.order = self.order.turned(-1),
            KeyCode::Right => self.order = self.order.turned(1),
            KeyCode::Up => self.scrolled = self.scrolled.saturating_sub(1),
            KeyCode::Down => self.scrolled += 1,
            _ => {}
        }
        // No further than there are rows.
        self.scrolled = self.scrolled.min(self.rows().saturating_sub(1));
        false
    }

    fn show(&mut self, page: Page) {
        self.page = page;
        self.scrolled = 0;
    }

    fn rows(&self) -> usize {
        let Some(figures) = &self.figures else { return 0 };
        match self.page {
            Page::Both => figures.routes.len().max(figures.streams.len()),
            Page::Routes => figures.routes.len(),
            Page::Streams => figures.streams.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::traffic::top::tables::Order;
    use crate::traffic::top::tables::tests::figures;

    fn press(app: &mut App, code: KeyCode) -> bool {
        app.handle(&Event::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    #[test]
    fn keys_turn_pages_sort_and_scroll() {
        let mut app = App::new("here".to_owned());
        app.figures = Some(figures());
        press(&mut app, KeyCode::Right);
        press(&mut app, KeyCode::Right);
        assert_eq!(app.order, Order::Slowest);
        for _ in 0..5 {
            press(&mut app, KeyCode::Down);
        }
        assert_eq!(app.scrolled, 1, "the last of two rows stays in sight");
        press(&mut app, KeyCode::Tab);
        assert_eq!((app.page, app.scrolled), (Page::Routes, 0));
        press(&mut app, KeyCode::BackTab);
        press(&mut app, KeyCode::BackTab);
        assert_eq!(app.page, Page::Streams);
    }

    #[test]
    fn help_is_put_away_by_any_key_and_three_keys_leave() {
        let mut app = App::new(String::new());
        press(&mut app, KeyCode::Char('h'));
        assert!(app.help);
        assert!(!press(&mut app, KeyCode::Esc) && !app.help);
        assert!(press(&mut app, KeyCode::Esc) && press(&mut app, KeyCode::Char('q')));
        assert!(app.handle(&Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL))));
        assert!(!press(&mut app, KeyCode::Char('c')));
    }
}
