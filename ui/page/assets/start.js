// The beginning: look, tabs, and what the address asks for.
const LOOKS = ["system", "light", "dark"];

function apply_look(look) {
  if (look === "system") delete document.documentElement.dataset.look;
  else document.documentElement.dataset.look = look;
  const dark = look === "dark" || (look === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.body.classList.toggle("dark", dark);
  page.classList.toggle("night", dark);
  const switcher = $("#rb-look");
  switcher.setAttribute("aria-label", "Look: " + look);
  switcher.innerHTML = "◐ <span></span>";
  $("span", switcher).textContent = look[0].toUpperCase() + look.slice(1);
}

acts.look = () => {
  const now = remember("look") ?? "system";
  const next = LOOKS[(LOOKS.indexOf(now) + 1) % LOOKS.length];
  remember("look", next);
  apply_look(next);
};
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => apply_look(remember("look") ?? "system"));

function show_tab(name) {
  for (const tab of $$('[role="tab"]')) {
    const on = tab.dataset.tab === name;
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
    $("#" + tab.getAttribute("aria-controls")).hidden = !on;
  }
  page.dataset.tab = name;
  name_page();
  if (name === "papers") open_papers();
  if (name === "learning") open_learning().catch(() => {});
}
function turn_to(name) {
  show_tab(name);
  go_to(name !== "chat" ? "#" + name : page_state.conversation ? "#c=" + page_state.conversation : "");
}
acts.tab = (tab) => turn_to(tab.dataset.tab);
$(".tabs").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const tabs = $$('[role="tab"]:not([hidden])');
  const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
  turn_to(next.dataset.tab);
  next.focus();
});

function show_examples() {
  call("examples").then((found) => {
    $("#rb-examples").innerHTML = found.html;
    $("#rb-about").textContent = found.about;
    $("#rb-choose").hidden = found.has_model;
    $("#rb-tab-learning").hidden = !found.operator;
  }).catch(() => {});
}

// The address says where one is, so that reload, back and bookmarks lead there: #c=conversation&t=turn, #papers&p=paper, #learning.
function go_to(hash) {
  if (location.hash !== hash && !(hash === "" && location.hash === "#")) history.pushState(null, "", hash || location.pathname + location.search);
}

async function follow_address() {
  const where = new URLSearchParams(location.hash.slice(1));
  const conversation = where.get("c");
  if (where.has("papers")) {
    show_tab("papers");
    const paper = where.get("p");
    if (paper) await show_beside("paper", { dataset: { paper } });
    return;
  }
  if (where.has("learning")) return show_tab("learning");
  show_tab("chat");
  if (/^[\w-]+$/.test(conversation ?? "")) {
    if (conversation !== page_state.conversation) await open_conversation(conversation, where.get("t"));
    else if (where.get("t")) into_view($("#turn-" + Number(where.get("t")), thread), $("#rb-scroller"), "start");
    return;
  }
  page_state.opening += 1;
  clear_page();
  set_conversation(null);
}
window.addEventListener("popstate", () => { follow_address().catch(() => {}); });

window.addEventListener("beforeprint", () => $$(".more-lines").forEach((one) => { one.open = true; }));

// Shortcuts
acts.help = async () => {
  $("#rb-help").showModal();
  $("#rb-setup").innerHTML = (await call("about")).html;
};
function typed_setup(form) {
  return Object.fromEntries(["base_url", "key", "model", "embedder"].map((name) => [name, form.elements[name]?.value ?? ""]));
}
acts["try-setup"] = async (button) => {
  const form = button.closest("form");
  const said = $(".tried", form);
  said.textContent = "Trying…";
  try {
    said.textContent = (await call("try_setup", { ...typed_setup(form), part: button.dataset.part })).said;
  } catch (error) {
    said.textContent = error.message;
    throw error;
  }
};
forms.setup = async (form) => {
  const done = await call("save_setup", typed_setup(form));
  $("#rb-setup").innerHTML = done.html;
  $(".tried", $("#rb-setup")).textContent = done.said;
  show_examples();
};
acts["close-help"] = () => $("#rb-help").close();
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select");
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    if (page.dataset.tab === "papers") return $("#rb-paper-search").focus();
    if (getComputedStyle($("#rb-list")).visibility === "hidden") drawer(true);
    return $("#rb-search").focus();
  }
  if (event.key === "?" && !typing && !event.ctrlKey && !event.metaKey) acts.help();
});

watch("value", () => {
  if (!props.value) return;
  const state = JSON.parse(props.value);
  if (state.upload) receive_upload(state);
  else if (state.learning) receive_learning(state);
  else receive(state);
});
apply_look(remember("look") ?? "system");
refresh_conversations();
show_examples();
restore_draft();
if (location.hash.length > 1) follow_address().catch(() => {});
page.classList.add("ready");
performance.mark("readback-ready");
if (!stacked()) question_box.focus();
