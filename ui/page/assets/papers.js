// The collection: table, map and uploads, read when the tab is opened and when the collection has changed.
const shelf = { sort: null, down: false, next: 0, stale: true, asked: 0 };

async function open_papers() {
  if (!shelf.stale) return;
  shelf.stale = false;
  await Promise.all([fill_table(), fill_map()]);
}

function asked_table(more) {
  return { search: $("#rb-paper-search").value, sort: shelf.sort, down: shelf.down, ...more };
}

async function fill_table() {
  const mine = ++shelf.asked;
  const found = await call("papers", asked_table({}));
  if (mine !== shelf.asked) return; // a later search has been typed meanwhile
  $("#rb-table").innerHTML = found.html;
  table_state(found);
}

function table_state(found) {
  $("#rb-count").textContent = found.count;
  $("#rb-drop").hidden = found.fixed;
  shelf.next = found.next;
  $("#rb-more").hidden = found.left === 0;
  $("#rb-more").textContent = "Show more (" + found.left + " left)";
}

async function fill_map() {
  const place = $("#rb-map");
  if (!place.firstElementChild) place.innerHTML = '<p class="hint" role="status">Drawing the map…</p>';
  place.innerHTML = (await call("map")).html;
}

acts.more = async () => {
  const found = await call("papers", asked_table({ from: shelf.next }));
  $("#rb-table tbody").insertAdjacentHTML("beforeend", found.html);
  table_state(found);
};

acts.sort = async (button) => {
  const column = button.dataset.column;
  shelf.down = shelf.sort === column && !shelf.down;
  shelf.sort = column;
  await fill_table();
  $(`#rb-table [data-column="${column}"]`)?.focus();
};

acts["ask-paper"] = (button) => ask_about(button.dataset.paper, button.dataset.title);

function ask_about(id, title) {
  show_tab("chat");
  ask("What does “" + title.replace(/[.?!]+$/, "") + "” propose?", next_turn(), { include: [id] });
}

acts.limit = (button) => {
  const { paper, title } = button.dataset;
  if (!page_state.scope.some((one) => one.id === paper)) page_state.scope.push({ id: paper, title });
  show_tab("chat");
  draw_scope();
  question_box.focus();
};

acts.unlimit = (button) => {
  page_state.scope = page_state.scope.filter((one) => one.id !== button.dataset.paper);
  draw_scope();
  question_box.focus();
};

function draw_scope() {
  const place = $("#rb-scope");
  place.hidden = page_state.scope.length === 0;
  place.replaceChildren("Answers from these papers alone:");
  for (const paper of page_state.scope) {
    const chip = document.createElement("button");
    chip.type = "button";
    chip.className = "chip";
    chip.dataset.do = "unlimit";
    chip.dataset.paper = paper.id;
    chip.setAttribute("aria-label", "Do not limit to " + paper.title);
    chip.textContent = (paper.title.length > 48 ? paper.title.slice(0, 47) + "…" : paper.title) + " ×";
    place.append(chip);
  }
}

acts.remove = async (button) => {
  const { paper } = button.dataset;
  const done = await call("remove", { paper });
  button.closest(".card").parentElement.hidden = true;
  page_state.scope = page_state.scope.filter((one) => one.id !== button.dataset.paper);
  draw_scope();
  say(done.said, false, async () => {
    say((await call("put_back", { paper })).said);
    collection_changed();
  });
  collection_changed();
};

function collection_changed() {
  shelf.stale = true;
  if (page.dataset.tab === "papers") open_papers().catch(() => {});
  show_examples();
}

// the map: the nearest point answers, so that small points need no steady hand
const map_box = $("#rb-map");

function near(event) {
  const svg = event.target.closest?.("svg.map");
  if (!svg) return null;
  let best = null;
  let best_px = event.pointerType === "touch" ? 24 : 14;
  for (const point of $$(".point", svg)) {
    const box = point.getBoundingClientRect();
    const away = Math.hypot(event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2);
    if (away < best_px) [best, best_px] = [point, away];
  }
  return best;
}

function show_tip(point) {
  const tip = $(".tip", map_box);
  if (!tip) return;
  $$(".point.on", map_box).forEach((one) => one.classList.remove("on"));
  tip.hidden = !point;
  map_box.style.cursor = point ? "pointer" : "";
  if (!point) return;
  point.classList.add("on");
  tip.textContent = point.dataset.title;
  const frame = tip.parentElement.getBoundingClientRect();
  const box = point.getBoundingClientRect();
  const left = Math.min(Math.max(box.left - frame.left - tip.offsetWidth / 2, 0), frame.width - tip.offsetWidth);
  const above = box.top - frame.top - tip.offsetHeight - 10;
  tip.style.left = left + "px";
  tip.style.top = (above < 0 ? box.bottom - frame.top + 10 : above) + "px";
}

map_box.addEventListener("pointermove", (event) => show_tip(near(event)));
map_box.addEventListener("keydown", (event) => {
  const svg = event.target.closest("svg.map");
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!svg || (!step && event.key !== "Enter")) return;
  event.preventDefault();
  const on = $(".point.on", svg);
  if (event.key === "Enter") return void (on && show_beside("paper", on).catch(() => {}));
  // from left to right within each topic
  const points = $$(".point", svg).sort((one, other) => one.classList[1].localeCompare(other.classList[1]) || one.cx.baseVal.value - other.cx.baseVal.value);
  const next = points[(points.indexOf(on) + step + points.length) % points.length];
  show_tip(next);
  $("#rb-spoken").textContent = next.dataset.title;
});
map_box.addEventListener("focusout", () => show_tip(null));
map_box.addEventListener("pointerleave", () => show_tip(null));
map_box.addEventListener("click", (event) => {
  const point = near(event);
  if (!point) return;
  show_beside("paper", point).catch(() => {});
});

// uploads, one file after the other
const reports = $("#rb-reports");
const waiting_uploads = new Map();

function progress_line(name) {
  const line = document.createElement("div");
  line.className = "report";
  const text = document.createElement("p");
  text.textContent = "Uploading " + name + "…";
  const bar = document.createElement("progress");
  bar.setAttribute("aria-label", "Adding " + name);
  line.append(text, bar);
  reports.prepend(line);
  return line;
}

function dismiss() {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet small";
  button.dataset.do = "dismiss";
  button.textContent = "Dismiss";
  return button;
}
acts.dismiss = (button) => button.closest(".report").remove();

function receive_upload(state) {
  const upload = waiting_uploads.get(state.upload);
  if (!upload) return;
  if (state.progress) $("p", upload.line).textContent = state.progress;
  if (!state.done) return;
  waiting_uploads.delete(state.upload);
  upload.line.innerHTML = state.html;
  upload.line.append(dismiss());
  upload.done();
  if (state.changed) collection_changed();
}

async function add_files(files) {
  for (const file of files) {
    const line = progress_line(file.name);
    try {
      const { path } = await upload(file);
      const id = fresh();
      await new Promise((done) => {
        waiting_uploads.set(id, { line, done });
        trigger("bring", { upload: id, path, name: file.name });
      });
    } catch (_) {
      line.replaceChildren();
      const text = document.createElement("p");
      text.className = "failure";
      text.textContent = file.name + " could not be uploaded: it is too large, or Readback cannot be reached.";
      line.append(text, dismiss());
    }
  }
}

$("#rb-files").addEventListener("change", (event) => {
  add_files(Array.from(event.target.files));
  event.target.value = "";
});
const drop = $("#rb-papers");
drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
drop.addEventListener("dragleave", (event) => { if (!drop.contains(event.relatedTarget)) drop.classList.remove("over"); });
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  add_files(Array.from(event.dataTransfer.files));
});
$("#rb-paper-search").addEventListener("input", later(() => fill_table().catch(() => {}), 180));
