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
  if (name === "papers") open_papers();
}
acts.tab = (tab) => show_tab(tab.dataset.tab);
$(".tabs").addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const tabs = $$('[role="tab"]');
  const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
  show_tab(next.dataset.tab);
  next.focus();
});

function show_examples() {
  call("examples").then((found) => { $("#rb-examples").innerHTML = found.html; }).catch(() => {});
}

watch("value", () => {
  if (!props.value) return;
  const state = JSON.parse(props.value);
  if (state.upload) receive_upload(state);
  else receive(state);
});
apply_look(remember("look") ?? "system");
refresh_conversations();
show_examples();
const asked_for = /^#c=([\w-]+)$/.exec(location.hash)?.[1];
if (asked_for) open_conversation(asked_for).catch(() => {});
restore_draft();
page.classList.add("ready");
performance.mark("readback-ready");
if (!stacked()) question_box.focus();
