// The Learning tab, for operators: read anew whenever it is opened, and after everything that is done in it.
const learning_box = $("#rb-learning > div");

async function open_learning() {
  if (!learning_box.firstElementChild) learning_box.innerHTML = '<p class="hint" role="status">Reading the record…</p>';
  learning_box.innerHTML = (await call("learning")).html;
}

acts.learning = async (button) => {
  const { act, version, share } = button.dataset;
  const done = await call(act, { version, share });
  learning_box.innerHTML = done.html;
  say(done.said);
};

acts["learn-now"] = (button) => {
  button.disabled = true;
  trigger("learn", {});
};

function receive_learning(state) {
  if (state.html) learning_box.innerHTML = state.html;
  if (state.error) say(state.error, true);
  const place = $("#rb-learned", learning_box);
  if (!place) return;
  place.textContent = state.progress ?? state.said ?? state.error;
  if (state.done) $('[data-do="learn-now"]', learning_box).disabled = false;
}
