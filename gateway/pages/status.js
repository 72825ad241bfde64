// Asks every service for its state, every five seconds while the page is visible, and shows it.
"use strict";

const EVERY = 5000;
const cards = [...document.querySelectorAll("[data-service]")];
const summary = document.getElementById("summary");
const streams = document.getElementById("streams");

async function ask(service) {
  try {
    const answer = await fetch(`/status/${service}`, { cache: "no-store" });
    const said = await answer.json();
    // A problem document is what the gateway says in the service's place.
    return said.service ? said : { away: said.detail };
  } catch {
    return { away: "The gateway does not answer" };
  }
}

const sum = (list, of) => list.reduce((total, item) => total + of(item), 0);
const most = (list, of) => list.reduce((highest, item) => Math.max(highest, of(item)), 0);

function row(list, name, value, alarm) {
  const [term, figure] = [document.createElement("dt"), document.createElement("dd")];
  term.textContent = name;
  figure.textContent = value;
  figure.classList.toggle("alarm", alarm);
  list.append(term, figure);
}

function show(card, said) {
  card.classList.toggle("good", said.ready === true);
  card.classList.toggle("bad", said.ready !== true);
  card.querySelector(".state").textContent = said.ready ? "ready" : said.away ? "away" : "not ready";
  const list = card.querySelector("dl");
  list.replaceChildren();
  if (said.away) {
    row(list, said.away, "", false);
    return;
  }
  for (const need of ["migrated", "postgres", "redis"]) {
    if (!said[need]) row(list, need, "no", true);
  }
  if (!said.events) return;
  const { told, heard } = said.events;
  const dead = sum(heard, (stream) => stream.dead_letters);
  row(list, "events to publish", sum(told, (stream) => stream.waiting), false);
  row(list, "events to consume", sum(heard, (stream) => stream.lag), false);
  row(list, "longest wait", `${Math.max(most(told, (s) => s.age), most(heard, (s) => s.seconds)).toFixed(1)} s`, false);
  row(list, "dead letters", dead, dead > 0);
}

function line(texts) {
  const entry = document.createElement("tr");
  for (const text of texts) entry.insertCell().textContent = text;
  if (texts.length === 1) entry.cells[0].colSpan = 5;
  return entry;
}

async function look() {
  const answers = await Promise.all(cards.map((card) => ask(card.dataset.service)));
  cards.forEach((card, place) => show(card, answers[place]));
  const ready = answers.filter((said) => said.ready).length;
  summary.textContent = `${ready} of ${cards.length} services are ready.`;
  const lines = answers.flatMap((said) => (said.events ? said.events.heard : [])
    .filter((stream) => stream.lag > 0 || stream.dead_letters > 0)
    .map((stream) => line([said.service, stream.stream, stream.lag, stream.seconds.toFixed(1), stream.dead_letters])));
  streams.replaceChildren(...(lines.length ? lines : [line(["None: all published events have been consumed."])]));
}

async function turn() {
  if (!document.hidden) await look();
  setTimeout(turn, EVERY);
}
turn();
