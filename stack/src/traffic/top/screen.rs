//! The page as it is drawn: services above, routes and streams beneath, keys at the bottom.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Style, Stylize},
    text::Line,
    widgets::{Block, Cell, Clear, Padding, Paragraph, Row, Table},
};

use crate::traffic::top::app::{App, Page};
use crate::traffic::top::tables;
use crate::traffic::top::tables::{ROUTES, SERVICES, STREAMS, Tone};

const KEYS: &str = " q quit   tab page   ← → sort   ↑ ↓ scroll   h help";
/// The width of what changes with every look, so that the other columns stay where they are: `4.5ms`.
const STEADY: usize = 5;
const HELP: &str = "\
req/s            requests per second, less those for /metrics and /health
p50, p99         half of the requests, 99 of 100, took at most so long
5xx, 4xx         share of the requests that failed, that were refused
lag, behind      events not applied yet; how long the first has waited
outbox           events that are not carried to Redis yet
dead             events that were given up: see docs/operations.md
pool, mem        connections to Postgres in use, of so many; memory
told/s, done/s   events carried to Redis; effects, in all consumers

q, Esc, Ctrl-C   quit
tab, shift-tab   routes and streams, routes, streams
left, right      sort the routes by another column
up, down         scroll";

pub fn draw(frame: &mut Frame, app: &App) {
    let services = app.figures.as_ref().map_or(0, |figures| figures.services.len());
    let above = u16::try_from(services).unwrap_or(u16::MAX).saturating_add(2);
    let [title, upper, lower, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(above),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    frame.render_widget(Line::from(format!(" {}", app.title)).bold(), title);
    frame.render_widget(Line::from(KEYS).dim(), keys);
    match &app.figures {
        None => frame.render_widget(Line::from(" Looking twice, to see what happens in between").dim(), upper),
        Some(figures) => {
            show(frame, upper, &SERVICES, tables::services(figures), None, 0);
            let routes = tables::routes(figures, app.order);
            let streams = tables::streams(figures);
            let [first, second] = parts(lower, app.page);
            show(frame, first, &ROUTES, routes, Some(app.order.column()), app.scrolled);
            show(frame, second, &STREAMS, streams, None, app.scrolled);
        }
    }
    if app.help {
        help(frame);
    }
}

/// Where routes and streams stand; what is not shown has no room.
fn parts(lower: Rect, page: Page) -> [Rect; 2] {
    let constraints = match page {
        Page::Both => [Constraint::Percentage(60), Constraint::Percentage(40)],
        Page::Routes => [Constraint::Percentage(100), Constraint::Length(0)],
        Page::Streams => [Constraint::Length(0), Constraint::Percentage(100)],
    };
    Layout::vertical(constraints).areas(lower)
}

/// A table whose columns are as wide as what stands in them; the one that it is sorted by is marked.
fn show(frame: &mut Frame, area: Rect, heads: &[&str], rows: Vec<tables::Row>, sorted: Option<usize>, scrolled: usize) {
    let width = |(column, head): (usize, &&str)| {
        let least = if tables::is_traffic(head) { STEADY } else { head.len() };
        let cells = rows.iter().filter_map(|row| row.cells.get(column)).map(|cell| cell.chars().count());
        Constraint::Length(u16::try_from(cells.chain([least]).max().unwrap_or_default()).unwrap_or(u16::MAX))
    };
    let widths: Vec<_> = heads.iter().enumerate().map(width).collect();
    let head = heads.iter().enumerate().map(|(column, head)| {
        let cell = Cell::from(*head);
        if Some(column) == sorted { cell.reversed() } else { cell }
    });
    let row = |tables::Row { cells, tone }: tables::Row| {
        let style = match tone {
            Tone::Well => Style::new(),
            Tone::Warning => Style::new().fg(Color::Yellow),
            Tone::Alarm => Style::new().fg(Color::Red),
        };
        Row::new(cells).style(style)
    };
    let table = Table::new(rows.into_iter().skip(scrolled).map(row), widths)
        .header(Row::new(head).bold().underlined())
        .column_spacing(1)
        .block(Block::new().padding(Padding::horizontal(1)));
    frame.render_widget(table, area);
}

fn help(frame: &mut Frame) {
    let width = HELP.lines().map(|line| line.chars().count()).max().unwrap_or_default() + 4;
    let size = (u16::try_from(width).unwrap_or(u16::MAX), u16::try_from(HELP.lines().count() + 2).unwrap_or(u16::MAX));
    let area = frame.area().centered(Constraint::Length(size.0), Constraint::Length(size.1));
    frame.render_widget(Clear, area);
    frame.render_widget(
        Paragraph::new(HELP).block(Block::bordered().title(" help ").padding(Padding::horizontal(1))),
        area,
    );
}

#[cfg(test)]
mod tests {
    use ratatui::{Terminal, backend::TestBackend, style::Modifier};

    use super::*;
    use crate::traffic::top::tables::tests::figures;

    fn terminal(app: &App, (width, height): (u16, u16)) -> Terminal<TestBackend> {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, app)).unwrap();
        terminal
    }

    fn lines(terminal: &Terminal<TestBackend>) -> Vec<String> {
        let width = usize::from(terminal.backend().buffer().area.width);
        let cells: Vec<_> = terminal.backend().buffer().content().iter().map(ratatui::buffer::Cell::symbol).collect();
        cells.chunks(width).map(|line| line.concat().trim_end().to_owned()).collect()
    }

    fn app() -> App {
        let mut app = App::new("cargo stack top  http://127.0.0.1:8000".to_owned());
        app.figures = Some(figures());
        app
    }

    #[test]
    fn services_routes_and_streams_fit_on_a_small_terminal() {
        let lines = lines(&terminal(&app(), (80, 16)));
        assert_eq!(
            lines,
            [
                " cargo stack top  http://127.0.0.1:8000",
                " service    up   req/s p50   p99   5xx   4xx   lag behind outbox dead pool mem",
                " post       2/2  200   50ms  99ms  0.5%  0.0%  12  250ms  0      0    3/20 27M",
                " engagement down",
                "",
                " req/s p50   p99   5xx   4xx   service method route",
                " 150   5.0ms 9.9ms 0.0%  0.0%  post    GET    /api/v1/posts/{id}",
                " 50.0  50ms  99ms  2.0%  0.0%  post    GET    /api/v1/posts",
                "",
                "",
                "",
                " stream       told/s done/s lag behind outbox dead",
                " post_viewed  0.0    0.0    12  90.0s  0      0",
                " post_created 3.0    6.0    0   0      0      0",
                "",
                " q quit   tab page   ← → sort   ↑ ↓ scroll   h help",
            ]
        );
    }

    #[test]
    fn what_fails_is_red_and_the_sorted_column_is_marked() {
        let terminal = terminal(&app(), (80, 16));
        let cell = |x, y| terminal.backend().buffer().cell((x, y)).unwrap();
        assert_eq!((cell(1, 3).fg, cell(1, 6).fg, cell(1, 12).fg), (Color::Red, Color::Reset, Color::Yellow));
        assert!(cell(1, 5).modifier.contains(Modifier::REVERSED) && !cell(7, 5).modifier.contains(Modifier::REVERSED));
    }

    #[test]
    fn a_page_of_its_own_leaves_the_others_out() {
        let mut app = app();
        app.page = Page::Streams;
        let lines = lines(&terminal(&app, (80, 16)));
        assert!(lines[5].starts_with(" stream ") && lines[6].starts_with(" post_viewed "), "{lines:#?}");
        assert!(!lines.iter().any(|line| line.contains("method")), "{lines:#?}");
        app.scrolled = 1;
        let scrolled = super::tests::lines(&terminal(&app, (80, 16)));
        assert!(scrolled[6].starts_with(" post_created "), "{scrolled:#?}");
    }

    #[test]
    fn a_terminal_without_room_shows_what_fits() {
        let mut app = app();
        for page in Page::ALL {
            app.page = page;
            assert_eq!(lines(&terminal(&app, (10, 3)))[0], " cargo sta");
            assert_eq!(lines(&terminal(&app, (1, 1))), [""]);
        }
        app.help = true;
        assert_eq!(lines(&terminal(&app, (10, 3)))[0], "┌ help ──┐");
    }

    #[test]
    fn help_lies_over_the_page_and_a_page_without_figures_says_so() {
        let mut app = App::new("top".to_owned());
        assert!(lines(&terminal(&app, (80, 16)))[1].contains("Looking twice"));
        app.help = true;
        let lines = lines(&terminal(&app, (80, 24)));
        assert!(lines.iter().any(|line| line.contains("5xx, 4xx         share of the requests")), "{lines:#?}");
    }
}
