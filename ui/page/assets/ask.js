// Asking: the question goes out, the turn grows as it comes in, and a stop is a stop.
const thread = $("#rb-thread");
const question_box = $("#rb-question");

function turns() {
  return $$(".turn", thread);
}

function next_turn() {
  return Math.max(page_state.last, ...turns().map((turn) => Number(turn.dataset.turn))) + 1;
}

function turn_of(node) {
  return node.closest(".turn");
}

function set_busy(busy) {
  $("#rb-stop").hidden = !busy;
  $("#rb-send").hidden = busy;
  page.classList.toggle("busy", busy);
}

function grow() {
  question_box.style.height = "auto";
  question_box.style.height = Math.min(question_box.scrollHeight, 200) + "px";
}

// A question without an answer comes back into the box if the page is loaded again, e.g. after a restart.
function keep_draft(question) {
  try {
    if (question) sessionStorage.setItem("readback-draft", question);
    else sessionStorage.removeItem("readback-draft");
  } catch (_) { /* storage may be forbidden */ }
}

function restore_draft() {
  try {
    question_box.value = sessionStorage.getItem("readback-draft") ?? "";
  } catch (_) { /* storage may be forbidden */ }
  keep_draft("");
  grow();
}

// The answer that a turn follows: of the turn above it or, where those cannot be shown, the last that there was.
function answer_before(turn) {
  const above = turns().filter((one) => one.dataset.answer && Number(one.dataset.turn) < turn);
  if (above.length) return above.at(-1).dataset.answer;
  return turns().some((one) => one.dataset.answer) || turn === 1 ? null : page_state.tail;
}

function waiting_turn(turn, question) {
  const waiting = document.createElement("article");
  waiting.className = "turn working fresh";
  waiting.id = "turn-" + turn;
  waiting.dataset.turn = turn;
  const heading = document.createElement("h2");
  heading.dir = "auto";
  heading.textContent = question;
  const row = document.createElement("div");
  row.className = "question";
  row.append(heading);
  waiting.append(row);
  return waiting;
}

function work_on(run) {
  page_state.run = run;
  page_state.last = Math.max(page_state.last, run.turn);
  const waiting = waiting_turn(run.turn, run.question);
  thread.append(waiting);
  $("#rb-welcome").hidden = true;
  set_busy(true);
  into_view(waiting, $("#rb-scroller"), "start");
}

async function ask(question, turn = next_turn(), steering = null) {
  question = question.trim();
  if (!question) return question_box.focus();
  if (page_state.run) stop();
  page_state.opening += 1;
  if (!page_state.conversation) set_conversation(fresh());
  const conversation = page_state.conversation;
  go_to("#c=" + conversation);
  const ending = page_state.ending;
  const known = answer_before(turn);
  turns().filter((old) => Number(old.dataset.turn) >= turn && old.dataset.turn !== String(ending?.turn)).forEach((old) => old.remove());
  drop_evidence_from(turn);
  keep_draft(question);
  const run = { id: fresh(), turn, conversation, question };
  work_on(run);
  if (ending) await Promise.race([ending.settled, new Promise((done) => setTimeout(done, 4000))]);
  if (page_state.run !== run) return; // stopped again meanwhile
  trigger("ask", {
    run: run.id,
    turn,
    question,
    conversation,
    after: ending ? answer_before(turn) : known,
    revision: page_state.revision,
    ...(steering ?? { include: page_state.scope.map((paper) => paper.id) }),
  });
}

function receive(state) {
  const ending = page_state.ending;
  if (ending && state.run === ending.id) {
    if (state.done) settle(ending, state);
    return;
  }
  const run = page_state.run;
  if (!run || state.run !== run.id) return; // an answer that nobody looks at any more
  if (state.gone) {
    page_state.run = null;
    set_busy(false);
    return void open_conversation(run.conversation).catch(() => {});
  }
  if (state.elsewhere) changed_elsewhere();
  if (state.html) put_turn(state.turn, state.html);
  if (state.evidence !== undefined) put_evidence(state.turn, state.evidence);
  if (!state.done) return;
  page_state.run = null;
  keep_draft("");
  set_busy(false);
  note_end(state);
  $("#rb-spoken").textContent = "Answer ready.";
  finish_turn(state.turn);
  refresh_conversations();
}

function note_end(state) {
  if (state.revision) page_state.revision = state.revision;
  page_state.tail = $("#turn-" + state.turn, thread)?.dataset.answer ?? page_state.tail;
  name_page();
}

// What a stopped answer had said is kept with its evidence: it comes a moment after the stop.
function settle(ending, state) {
  page_state.ending = null;
  const turn = $("#turn-" + ending.turn, thread);
  if (turn && page_state.conversation === ending.conversation && turn.dataset.stopped === ending.id) {
    if (state.html) put_turn(state.turn, state.html);
    if (state.evidence !== undefined) put_evidence(state.turn, state.evidence);
    note_end(state);
  }
  ending.done();
  refresh_conversations();
}

function put_turn(turn, html) {
  const holder = document.createElement("div");
  holder.innerHTML = html;
  const node = holder.firstElementChild;
  const old = $("#turn-" + turn, thread);
  if (old?.classList.contains("fresh")) node.classList.add("fresh");
  if (old) old.replaceWith(node);
  else thread.append(node);
}

function stop() {
  const run = page_state.run;
  if (!run) return;
  call("stop", { run: run.id }).catch(() => {});
  const ending = { id: run.id, turn: run.turn, conversation: run.conversation };
  ending.settled = new Promise((done) => { ending.done = done; });
  page_state.ending = ending;
  const turn = end_here(run, "You stopped this answer.");
  if (turn) turn.dataset.stopped = run.id;
  keep_draft("");
  question_box.focus();
}

function end_here(run, why) {
  page_state.run = null;
  set_busy(false);
  const turn = $("#turn-" + run.turn, thread);
  if (!turn) return null;
  turn.classList.remove("working");
  turn.removeAttribute("aria-busy");
  $(".progress", turn)?.remove();
  const note = document.createElement("p");
  note.className = "failure";
  note.textContent = why;
  const tools = document.createElement("div");
  tools.className = "tools";
  tools.innerHTML = '<button type="button" class="quiet" data-do="retry">Ask again</button>'
    + '<button type="button" class="quiet" data-do="edit-question">Edit question</button>';
  turn.append(note, tools);
  put_evidence(run.turn, "");
  $("#rb-spoken").textContent = why;
  return turn;
}

// The page is left, not the question: the answer is finished all the same, and found when the reader comes back.
function look_away() {
  page_state.run = null;
  set_busy(false);
  keep_draft("");
}

// When the server is stopped in the middle of an answer, nothing more comes: ask after it, and say so.
let silences = 0;
setInterval(async () => {
  const run = page_state.run;
  if (!run) { silences = 0; return; }
  let alive = false;
  try {
    alive = (await server.readback_call({ do: "alive", run: run.id })).alive;
  } catch (_) { /* not reached: not alive */ }
  if (page_state.run !== run) return;
  silences = alive ? 0 : silences + 1;
  if (silences >= 2) end_here(run, "Readback stopped answering. The question is kept: please ask again.");
}, 4000);

acts["to-answer"] = (button) => {
  const turn = $("#turn-" + button.closest(".set").dataset.turn, thread);
  into_view($(".answer, .abstention", turn) ?? turn, $("#rb-scroller"), "start");
};
acts.stop = stop;
acts.skip = () => question_box.focus();
acts.suggest = (button) => ask(button.textContent);
acts.retry = (button) => again(turn_of(button), (given) => given);
acts.unsteer = (button) => again(turn_of(button), () => ({}));
acts.version = async (button) => {
  if (page_state.run) return;
  const number = turn_of(button).dataset.turn;
  show_found(await call("version", { conversation: page_state.conversation, answer: button.dataset.answer }));
  into_view($("#turn-" + number, thread), $("#rb-scroller"), "start");
  $("#turn-" + number + " .versions button:not([disabled])", thread)?.focus({ preventScroll: true });
};
acts.resteer = (button) => {
  const steer = $(".steer", turn_of(button));
  steer.open = true;
  $("textarea", steer).focus();
};

function again(turn, steer, question = $(".question h2", turn).textContent) {
  const given = JSON.parse(turn.dataset.steering ?? "{}");
  ask(question, Number(turn.dataset.turn), { include: [], ...steer(given) });
}

acts["edit-question"] = (button) => {
  const turn = turn_of(button);
  const heading = $(".question h2", turn);
  if ($(".question form", turn)) return;
  const form = document.createElement("form");
  form.dataset.form = "edit-question";
  form.innerHTML = '<textarea rows="2" dir="auto" maxlength="4000" aria-label="Your question"></textarea>'
    + '<div class="tools"><button type="submit" class="primary">Ask</button>'
    + '<button type="button" class="quiet" data-do="cancel-edit">Cancel</button></div>';
  const box = $("textarea", form);
  box.value = heading.textContent;
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.stopPropagation(); acts["cancel-edit"](box); }
    if (sends(event)) { event.preventDefault(); form.requestSubmit(); }
  });
  turn.classList.add("editing-question");
  $(".question", turn).append(form);
  box.focus();
};

acts["cancel-edit"] = (node) => {
  const turn = turn_of(node);
  turn.classList.remove("editing-question");
  $(".question form", turn).remove();
  $('[data-do="edit-question"]', turn)?.focus();
};

forms["edit-question"] = (form) => {
  const turn = turn_of(form);
  const question = $("textarea", form).value;
  if (!question.trim()) return;
  const before = turn.dataset.answer;
  if (before && question.trim() !== $(".question h2", turn).textContent) {
    tell(before, "rephrase", question.trim()).catch(() => {});
  }
  again(turn, ({ standalone, ...given }) => (question.trim() === $(".question h2", turn).textContent ? { standalone, ...given } : given), question);
};

forms.steer = (form) => {
  const turn = turn_of(form);
  const searched = form.elements.standalone;
  const picked = (choice) => $$('select[name="paper"]', form).filter((one) => one.value === choice).map((one) => one.dataset.paper);
  const left_out = $$('input[name="left_out"]', form).map((one) => one.value);
  const before = turn.dataset.answer;
  const wanted = searched.value.trim();
  const rewritten = wanted !== searched.defaultValue.trim();
  if (rewritten && before && wanted) tell(before, "rephrase", wanted).catch(() => {});
  again(turn, () => ({
    // what Readback made of the question is not what its reader asks to search for
    ...(rewritten || form.dataset.steered ? { standalone: wanted } : {}),
    include: picked("include"),
    exclude: [...left_out, ...picked("exclude")],
    papers: Number(form.elements.papers.value),
    mode: form.elements.mode?.value,
    model: form.elements.model?.value,
  }));
};

forms.ask = () => {
  const question = question_box.value;
  if (!question.trim()) return question_box.focus();
  question_box.value = "";
  grow();
  ask(question);
};

function sends(event) {
  // an Enter that ends the composition of a character is not one that sends
  return event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}

question_box.addEventListener("input", grow);
question_box.addEventListener("keydown", (event) => {
  const last = turns().at(-1);
  if (event.key === "ArrowUp" && !question_box.value && last && !page_state.run) {
    event.preventDefault();
    return void acts["edit-question"](last);
  }
  if (!sends(event)) return;
  event.preventDefault();
  forms.ask();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && page_state.run && !$("dialog[open]")) { event.preventDefault(); stop(); }
});
