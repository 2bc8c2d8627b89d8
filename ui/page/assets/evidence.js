// Evidence: a [n] shows its quote, a card shows the sentences that lean on it, and both are noted as exposure.
const panel = $("#rb-evidence");
const sets = $("#rb-sets");
const opened = new Set(); // answer and paper of the cards that were opened, each noted once
let watched = null; // the card being read, and since when

function set_for(turn) {
  return $(`.set[data-turn="${turn}"]`, sets);
}

function put_evidence(turn, html) {
  const old = set_for(turn);
  const holder = document.createElement("div");
  holder.innerHTML = html;
  let node = holder.firstElementChild;
  if (!node || !node.classList.contains("set")) {
    node = document.createElement("section");
    node.className = "set";
    node.dataset.turn = turn;
    node.append(...holder.childNodes);
  }
  if (old) old.replaceWith(node);
  else sets.append(node);
  show_set(turn);
}

function drop_evidence_from(turn) {
  read_enough();
  $$(".set", sets).filter((set) => Number(set.dataset.turn) >= turn).forEach((set) => set.remove());
  show_set(turn - 1);
}

function show_set(turn) {
  $$(".set", sets).forEach((set) => { set.hidden = Number(set.dataset.turn) !== Number(turn); });
  $$(".turn", thread).forEach((one) => one.classList.toggle("current", Number(one.dataset.turn) === Number(turn)));
  $("#rb-no-evidence").hidden = $$(".set:not([hidden])", sets).some((set) => set.childElementCount > 0);
  close_aside();
}

function finish_turn(turn) {
  const first = $(".card", set_for(turn) ?? sets);
  if (first && set_for(turn) && !stacked()) select_card(first, false);
  panel.scrollTop = 0;
}

function card_of(turn, marker) {
  return $$(".card", set_for(turn) ?? document.createElement("div"))
    .find((card) => card.dataset.markers.split(" ").includes(String(marker)));
}

function unfold(card, whole) {
  card.classList.toggle("selected", whole);
  const switcher = $('[data-do="expand"]', card);
  if (!switcher) return;
  switcher.setAttribute("aria-expanded", String(whole));
  switcher.textContent = whole ? "Quotes only" : "Whole abstract";
}

function select_card(card, by_reader = true) {
  const set = card.closest(".set");
  $$(".card", set).forEach((one) => {
    unfold(one, one === card);
  });
  read_enough();
  if (!by_reader) return;
  const answer = set.dataset.answer;
  const paper = card.dataset.paper;
  watched = { answer, paper, since: performance.now() };
  if (opened.has(answer + paper)) return;
  opened.add(answer + paper);
  tell(answer, "open", null, paper).catch(() => {});
}

function read_enough() {
  // how long a card was read; a glance says nothing
  if (!watched) return;
  const seconds = (performance.now() - watched.since) / 1000;
  const { answer, paper } = watched;
  watched = null;
  if (seconds >= 2) tell(answer, "dwell", Math.min(seconds, 3600), paper).catch(() => {});
}

function meet(some, others) {
  return some.split(" ").some((one) => others.split(" ").includes(one));
}

function show_quote(turn, marker, leans) {
  // leans: the quotes that a sentence rests on; without it, all of the paper's
  show_set(turn);
  const card = card_of(turn, marker);
  if (!card) return;
  select_card(card);
  $$(".cite", thread).forEach((one) => one.classList.toggle("on", one.dataset.turn === String(turn) && one.dataset.n === String(marker)));
  const wanted = leans && meet(leans, card.dataset.quotes) ? leans : card.dataset.quotes;
  $$("mark", card).forEach((mark) => mark.classList.toggle("on", meet(wanted, mark.dataset.quotes)));
  card.focus({ preventScroll: true });
  light_sentences(null);
  requestAnimationFrame(() => into_view($("mark.on", card) ?? card, panel));
}

acts.cite = (link) => show_quote(link.dataset.turn, link.dataset.n, link.closest(".said")?.dataset.leans);
acts.quote = (badge) => show_quote(badge.closest(".set").dataset.turn, badge.dataset.n);
acts.expand = (button) => {
  const card = button.closest(".card");
  if (!card.classList.contains("selected")) return select_card(card);
  unfold(card, false);
  read_enough();
};
acts["show-evidence"] = (button) => {
  const turn = turn_of(button).dataset.turn;
  show_set(turn);
  const first = $(".card", set_for(turn) ?? sets);
  if (first) { select_card(first); first.focus({ preventScroll: true }); into_view(first, panel, "start"); }
};
acts.useful = async (button) => {
  const card = button.closest(".card");
  const done = await tell(card.closest(".set").dataset.answer, "evidence", button.dataset.value, card.dataset.paper);
  $$('[data-do="useful"]', card).forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
  confirm_beside(card, done.said);
};

function light_sentences(card) {
  const turn = card?.closest(".set").dataset.turn;
  $$(".said", thread).forEach((said) => {
    const here = card && turn_of(said).dataset.turn === turn;
    said.classList.toggle("lit", Boolean(here) && meet(said.dataset.leans, card.dataset.quotes));
  });
}

sets.addEventListener("pointerover", (event) => light_sentences(event.target.closest(".card")));
sets.addEventListener("pointerleave", () => light_sentences(null));
sets.addEventListener("click", (event) => {
  const card = event.target.closest(".card");
  if (!card) return;
  light_sentences(card);
  if (!event.target.closest("a, button, summary") && !card.classList.contains("selected")) select_card(card);
});
document.addEventListener("visibilitychange", () => { if (document.hidden) read_enough(); });


// One paper, or papers like one, beside what is being read: in the evidence, or beside the table.
function beside() {
  return page.dataset.tab === "papers" ? $("#rb-paper") : $("#rb-aside");
}

function close_aside() {
  $("#rb-aside").hidden = true;
}

async function show_beside(name, button) {
  const found = await call(name, { paper: button.dataset.paper });
  const place = beside();
  place.innerHTML = found.html;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "quiet close";
  close.dataset.do = "close-aside";
  close.textContent = "Close";
  place.prepend(close);
  place.hidden = false;
  if (name === "paper" && page.dataset.tab === "papers") go_to("#papers&p=" + encodeURIComponent(button.dataset.paper));
  $('[tabindex="-1"]', place)?.focus({ preventScroll: true });
  into_view(place, place.parentElement, "start");
}

acts.paper = (button) => show_beside("paper", button);
acts.similar = (button) => show_beside("similar", button);
acts["close-aside"] = (button) => {
  button.parentElement.hidden = true;
  if (page.dataset.tab === "papers") go_to("#papers");
};

// How an answer was found, read when somebody wants to know
element.addEventListener("toggle", async (event) => {
  const how = event.target;
  if (!how.open || !how.dataset.trace || how.dataset.read) return;
  how.dataset.read = "yes";
  try {
    $(".traced", how).innerHTML = (await call("trace", { answer: how.dataset.trace })).html;
  } catch (_) { delete how.dataset.read; }
}, true);
