// Conversations: which one is open stands in the address, so that reload, back and bookmarks work.
const list = $("#rb-conversations");

function set_conversation(id) {
  page_state.conversation = id;
  if (!id) Object.assign(page_state, { last: 0, tail: null, revision: 0 });
  go_to(id ? "#c=" + id : "");
  mark_open();
  name_page();
}

function name_page(title = "") {
  const named = title || $("h2", thread)?.textContent || "";
  const place = { papers: "Papers", learning: "Learning" }[page.dataset.tab] ?? named;
  document.title = place ? (place.length > 80 ? place.slice(0, 79) + "…" : place) + " · Readback" : "Readback";
}

function when(moment) {
  const today = moment.toDateString() === new Date().toDateString();
  return moment.toLocaleString("en-GB", today ? { hour: "2-digit", minute: "2-digit" } : { day: "numeric", month: "short", year: "numeric" });
}

function mark_open() {
  $$("li[data-conversation]", list).forEach((row) => {
    const open = row.dataset.conversation === page_state.conversation;
    row.classList.toggle("on", open);
    const button = $(".open", row);
    if (open) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
  });
}

let listed = 0;
const refresh_conversations = later(async () => {
  const mine = ++listed;
  try {
    const found = await call("list", { search: $("#rb-search").value });
    if (mine !== listed) return;
    list.innerHTML = found.html;
    $$("time", list).forEach((time) => { time.textContent = when(new Date(time.dateTime)); });
    mark_open();
  } catch (_) { /* told already */ }
}, 150);

function clear_page() {
  if (page_state.run) look_away();
  read_enough();
  thread.replaceChildren();
  sets.replaceChildren();
  show_set(0);
  $("#rb-elsewhere").hidden = true;
  $("#rb-welcome").hidden = false;
}

async function open_conversation(id, turn = null) {
  const mine = ++page_state.opening;
  const found = await call("open", { conversation: id });
  if (mine !== page_state.opening) return; // the reader has asked or opened something else meanwhile
  clear_page();
  if (found.missing) {
    set_conversation(null);
    say("There is no such conversation of yours: it was deleted, or the link is somebody else’s.", true);
    return;
  }
  set_conversation(id);
  show_found(found);
  const shown = (turn && $("#turn-" + turn, thread)) || turns().at(-1);
  if (turn && shown) show_set(shown.dataset.turn);
  if (found.working) {
    const { run, question } = found.working;
    if (question_box.value === question) question_box.value = "";
    const number = Math.min(found.working.turn, next_turn());
    turns().filter((old) => Number(old.dataset.turn) >= number).forEach((old) => old.remove());
    work_on({ id: run, turn: number, conversation: id, question });
    trigger("ask", { run, turn: number, question, follow: true });
  } else if (shown) into_view(shown, $("#rb-scroller"), "start");
}

function show_found(found) {
  $("#rb-welcome").hidden = true;
  $("#rb-elsewhere").hidden = true;
  Object.assign(page_state, { last: found.last, tail: found.tail, revision: found.revision });
  thread.innerHTML = found.html;
  sets.innerHTML = found.evidence;
  show_set(found.last);
  finish_turn(found.last);
  name_page(found.title);
}

// Two tabs of one conversation: nothing is lost, but one may not show all.
function changed_elsewhere() {
  $("#rb-elsewhere").hidden = false;
}
acts["look-again"] = () => open_conversation(page_state.conversation);
window.addEventListener("focus", async () => {
  const { conversation, revision } = page_state;
  if (!conversation || page_state.run || page_state.ending || !revision) return;
  const found = await server.readback_call({ do: "changed", conversation, revision }).catch(() => ({}));
  if (found.elsewhere && page_state.revision === revision && page_state.conversation === conversation && !page_state.run) changed_elsewhere();
});

async function show_again(turn) {
  // one turn as the record has it now
  const number = Number(turn.dataset.turn);
  const found = await call("open", { conversation: page_state.conversation });
  if (found.missing) return;
  const holder = document.createElement("div");
  holder.innerHTML = found.html;
  const fresh_turn = $("#turn-" + number, holder);
  if (fresh_turn) turn.replaceWith(fresh_turn);
}

function drawer(open) {
  page.classList.toggle("drawer-open", open);
  $(".veil").hidden = !open;
  $('.top [data-do="drawer"]').setAttribute("aria-expanded", String(open));
}

acts.drawer = () => drawer(!page.classList.contains("drawer-open"));
acts.new = () => {
  page_state.opening += 1;
  clear_page();
  set_conversation(null);
  drawer(false);
  show_tab("chat");
  question_box.focus();
};
acts.open = async (button) => {
  drawer(false);
  await open_conversation(button.closest("li").dataset.conversation);
};

acts.rename = (button) => {
  const row = button.closest("li");
  const form = document.createElement("form");
  form.dataset.form = "rename";
  form.innerHTML = '<input type="text" maxlength="200" aria-label="New title" dir="auto"><button type="submit" class="quiet">Save</button>';
  $("input", form).value = $(".open > span", row).textContent;
  $(".menu", row).open = false;
  row.append(form);
  row.classList.add("renaming");
  $("input", form).select();
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") refresh_conversations(); });
};
forms.rename = async (form) => {
  const title = $("input", form).value.trim();
  if (!title) return;
  const done = await call("rename", { conversation: form.closest("li").dataset.conversation, title });
  say(done.said);
  refresh_conversations();
};
acts.delete = async (button) => {
  const id = button.closest("li").dataset.conversation;
  const was_open = id === page_state.conversation;
  const done = await call("delete", { conversation: id });
  if (was_open) acts.new();
  refresh_conversations();
  say(done.said, false, async () => {
    say((await call("restore", { conversation: id })).said);
    refresh_conversations();
    if (was_open && !page_state.conversation) await open_conversation(id);
  });
};
acts.export = async (button) => {
  const found = await call("export", { conversation: button.closest("li").dataset.conversation });
  button.closest("details").open = false;
  for (const file of found.files) save_file(file.name, file.text, file.type);
  say(found.said);
};

function save_file(name, text, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function close_menus(but) {
  $$(".menu[open]", list).forEach((menu) => { if (menu !== but) menu.open = false; });
}
element.addEventListener("click", (event) => close_menus(event.target.closest(".menu")));
element.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = event.target.closest(".menu[open]");
  if (menu) $("summary", menu).focus();
  close_menus(null);
  if (page.classList.contains("drawer-open")) {
    drawer(false);
    $('.top [data-do="drawer"]').focus();
  }
});

$("#rb-search").addEventListener("input", refresh_conversations);
