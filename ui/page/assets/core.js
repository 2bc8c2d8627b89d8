// What all parts of the page share: finding elements, calling Python, and saying things quietly.
const $ = (selector, root = element) => root.querySelector(selector);
const $$ = (selector, root = element) => Array.from(root.querySelectorAll(selector));
const page = $("#rb");
const page_state = { conversation: null, run: null, ending: null, opening: 0, last: 0, tail: null, revision: 0, scope: [] };
const acts = {}; // data-do="name" → what a click does: (button, event)
const forms = {}; // data-form="name" → what submitting does: (form, event)

function fresh() {
  // crypto.randomUUID is missing where a page comes over plain http from another machine
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function call(name, given = {}) {
  let answer;
  try {
    answer = await server.readback_call({ ...given, do: name });
  } catch (_) {
    answer = { error: "Readback cannot be reached. Is it still running?" };
  }
  if (!answer || answer.error) {
    say(answer?.error ?? "Readback did not answer.", true);
    throw new Error(answer?.error ?? "Readback did not answer.");
  }
  return answer;
}

let toast_timer = 0;
function say(text, bad = false, undo = null) {
  // undo: what takes it back, for as long as the words are there
  const toast = $("#rb-toast");
  toast.textContent = text;
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Undo";
    button.onclick = () => { toast.classList.remove("shown"); Promise.resolve(undo()).catch(() => {}); };
    toast.append(" ", button);
  }
  toast.classList.toggle("bad", bad);
  toast.classList.toggle("offers", Boolean(undo));
  toast.classList.add("shown");
  clearTimeout(toast_timer);
  toast_timer = setTimeout(() => toast.classList.remove("shown"), undo ? 12000 : bad ? 8000 : 2500);
}

function confirm_beside(root, text) {
  const place = root && $(".saved", root);
  if (!place || !text) return;
  place.textContent = text;
  clearTimeout(place.timer);
  place.timer = setTimeout(() => { place.textContent = ""; }, 4000);
}

function later(act, wait_ms) {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...args), wait_ms);
  };
}

function remember(name, value) {
  try {
    if (value === undefined) return localStorage.getItem("readback-" + name);
    localStorage.setItem("readback-" + name, value);
  } catch (_) { /* storage may be forbidden: then nothing is remembered */ }
  return null;
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const stacked = () => matchMedia("(max-width: 859px)").matches;

function into_view(target, where, block = "center") {
  // only the panel scrolls, never the window: scrollIntoView would move the whole page on a phone's keyboard
  if (!target) return;
  const box = stacked() ? $("#rb-" + page.dataset.tab) : where;
  const top = target.getBoundingClientRect().top - box.getBoundingClientRect().top + box.scrollTop;
  const gap = block === "start" || target.offsetHeight > box.clientHeight * 0.8 ? 12 : Math.max(12, (box.clientHeight - target.offsetHeight) / 2);
  box.scrollTo({ top: top - gap, behavior: calm() ? "auto" : "smooth" });
}

element.addEventListener("click", (event) => {
  const target = event.target.closest("[data-do]");
  if (!target || !element.contains(target)) return;
  const act = acts[target.dataset.do];
  if (!act) return;
  if (target.tagName === "A") event.preventDefault();
  Promise.resolve(act(target, event)).catch(() => {}); // call() has told the reader already
});

element.addEventListener("submit", (event) => {
  event.preventDefault();
  const act = forms[event.target.dataset.form];
  if (act) Promise.resolve(act(event.target, event)).catch(() => {});
});
