"use strict";
// Plots take the page's colours, also when these change.
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
function paint() {
  for (const plot of document.querySelectorAll(".js-plotly-plot")) {
    const change = { "font.color": colour("--ink") };
    for (const axis of Object.keys(plot.layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
      change[axis + ".gridcolor"] = colour("--line");
      change[axis + ".zerolinecolor"] = colour("--line");
      change[axis + ".linecolor"] = colour("--line");
    }
    Plotly.relayout(plot, change);
  }
}
if (window.Plotly) {
  paint();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
}
// Show the failures of one stage or kind.
for (const group of document.querySelectorAll(".filters")) {
  group.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    for (const other of group.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
    for (const one of document.querySelectorAll("details[data-stage]")) {
      one.hidden = button.value !== "" && one.dataset.stage !== button.value && one.dataset.kind !== button.value;
    }
  });
}
// A link to a failure opens it.
function openTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) { target.open = true; target.scrollIntoView(); }
}
addEventListener("hashchange", openTarget);
openTarget();
