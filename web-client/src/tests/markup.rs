//! HTML as a browser parses it: the tree of its elements, and what stands in them.
use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// An element with its attributes and the text in it, in the order of the document.
#[derive(Clone, Debug)]
pub struct Element {
    pub name: String,
    pub depth: usize,
    pub attributes: Vec<(String, String)>,
    pub text: String,
    /// The names of the elements around it.
    pub inside: Vec<String>,
}

impl Element {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// All elements, and the errors of the parser.
pub fn parse(page: &str) -> (Vec<Element>, Vec<String>) {
    let dom = parse_document(RcDom::default(), ParseOpts::default()).from_utf8().one(page.as_bytes());
    let mut elements = Vec::new();
    walk(&dom.document, &mut Vec::new(), &mut elements);
    let errors = dom.errors.borrow().iter().map(ToString::to_string).collect();
    (elements, errors)
}

fn walk(node: &Handle, around: &mut Vec<String>, elements: &mut Vec<Element>) {
    let name = match &node.data {
        NodeData::Element { name, attrs, .. } => {
            let attribute =
                |attribute: &html5ever::Attribute| (attribute.name.local.to_string(), attribute.value.to_string());
            let attributes = attrs.borrow().iter().map(attribute).collect();
            let (name, inside, depth) = (name.local.to_string(), around.clone(), around.len());
            elements.push(Element { name: name.clone(), depth, attributes, text: text(node), inside });
            Some(name)
        }
        _ => None,
    };
    let is_element = name.is_some();
    around.extend(name);
    for child in node.children.borrow().iter() {
        walk(child, around, elements);
    }
    if is_element {
        around.pop();
    }
}

fn text(node: &Handle) -> String {
    match &node.data {
        NodeData::Text { contents } => contents.borrow().to_string(),
        _ => node.children.borrow().iter().map(text).collect(),
    }
}

/// The tree without texts and values: what must not change by what people write.
pub fn tree(page: &str) -> Vec<String> {
    let element = |element: &Element| {
        let names: Vec<_> = element.attributes.iter().map(|(name, _)| name.as_str()).collect();
        format!("{}{} {}", " ".repeat(element.depth), element.name, names.join(" "))
    };
    parse(page).0.iter().map(element).collect()
}
