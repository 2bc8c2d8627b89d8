// Correcting: each tap is stored at once and confirmed beside it.
function tell(answer, kind, value = null, paper = null) {
  return call("feedback", { answer, kind, value, paper, id: fresh() });
}

acts.answered = async (button) => {
  const turn = turn_of(button);
  const done = await tell(turn.dataset.answer, "answered", button.dataset.value);
  $$('[data-do="answered"]', turn).forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
  if (button.dataset.value === "yes") $$('[data-do="reason"]', turn).forEach((one) => one.setAttribute("aria-pressed", "false"));
  $(".why", turn).hidden = button.dataset.value === "yes";
  confirm_beside($(".judge", turn), done.said);
};

acts.reason = async (button) => {
  const turn = turn_of(button);
  const given = button.getAttribute("aria-pressed") === "true";
  const done = await tell(turn.dataset.answer, given ? "withdraw" : "reason", button.dataset.value);
  button.setAttribute("aria-pressed", String(!given));
  confirm_beside($(".judge", turn), done.said);
};

forms.comment = async (form) => {
  const turn = turn_of(form);
  const comment = form.elements.comment.value.trim();
  if (!comment) return;
  const done = await tell(turn.dataset.answer, "comment", comment);
  confirm_beside($(".judge", turn), done.said);
};

acts.copy = async (button) => {
  const turn = turn_of(button);
  const text = $("template.copy", turn).content.textContent;
  await to_clipboard(text);
  say("Copied with its citations.");
  tell(turn.dataset.answer, "copy").catch(() => {});
};

acts.link = async (button) => {
  const where = "#c=" + page_state.conversation + "&t=" + turn_of(button).dataset.turn;
  await to_clipboard(location.origin + location.pathname + where);
  say("Address copied.");
};

async function to_clipboard(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const box = document.createElement("textarea"); // the way that works over plain http
  box.value = text;
  document.body.append(box);
  box.select();
  document.execCommand("copy");
  box.remove();
}

acts["edit-answer"] = (button) => {
  const turn = turn_of(button);
  if ($(".rewrite", turn)) return;
  const form = document.createElement("form");
  form.className = "rewrite";
  form.dataset.form = "edit-answer";
  form.innerHTML = '<textarea rows="8" dir="auto" aria-label="The answer"></textarea><div class="tools">'
    + '<button type="submit" class="primary">Save edit</button>'
    + '<button type="button" class="quiet" data-do="cancel-rewrite">Cancel</button></div>';
  const box = $("textarea", form);
  box.maxLength = Number(button.dataset.limit);
  box.value = $("template.text", turn).content.textContent;
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { event.stopPropagation(); acts["cancel-rewrite"](box); }
  });
  turn.classList.add("rewriting");
  ($(".words", turn) ?? $(".missing", turn)).after(form);
  box.focus();
};

acts["cancel-rewrite"] = (node) => {
  const turn = turn_of(node);
  turn.classList.remove("rewriting");
  $(".rewrite", turn).remove();
  $('[data-do="edit-answer"]', turn)?.focus();
};

forms["edit-answer"] = async (form) => {
  const turn = turn_of(form);
  const text = $("textarea", form).value.trim();
  if (!text) return;
  const done = await tell(turn.dataset.answer, "edit", text);
  await show_again(turn);
  say(done.said);
};
