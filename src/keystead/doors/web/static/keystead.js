/* What pages gain when scripts run. Nothing here is needed: every form and link works without it. */
"use strict";
(() => {
  const all = (selector, use) => document.querySelectorAll(selector).forEach(use);

  // A password can be shown while it is typed, where the page allows it; it is hidden again before it is sent.
  all("input[data-show]", (input) => {
    const button = document.createElement("button");
    const show = (on) => {
      input.type = on ? "text" : "password";
      button.textContent = on ? input.dataset.hide : input.dataset.show;
      button.setAttribute("aria-label", `${button.textContent}: ${input.labels[0].textContent.trim()}`);
    };
    button.type = "button";
    button.className = "peek";
    button.setAttribute("aria-controls", input.id);
    button.addEventListener("click", () => {
      show(input.type === "password");
      input.focus();
    });
    input.after(button);
    show(false);
    if (input.form) input.form.addEventListener("submit", () => show(false));
  });

  // A form says that it is working, and is sent only once. Buttons keep their value: they are not disabled.
  all("form", (form) => {
    form.addEventListener("submit", (event) => {
      const button = event.submitter;
      if (form.dataset.sent) return event.preventDefault();
      if (!button || !button.dataset.busy) return;
      form.dataset.sent = "1";
      button.dataset.calm = button.textContent;
      button.setAttribute("aria-live", "polite");
      button.classList.add("busy");
      setTimeout(() => form.dataset.sent && (button.textContent = button.dataset.busy), 150);
    });
  });
  addEventListener("pageshow", () => {
    all("form[data-sent]", (form) => delete form.dataset.sent);
    all("button.busy", (button) => {
      button.classList.remove("busy");
      button.textContent = button.dataset.calm;
    });
  });

  // A form for another site goes off by itself. The prototype's method, since a field may be named "submit".
  all("form[data-autosubmit]", (form) => HTMLFormElement.prototype.submit.call(form));

  // The portal narrows its tiles while one types; "/" goes to the search.
  all("input[data-filter]", (input) => {
    const none = document.querySelector("[data-none]");
    input.addEventListener("input", () => {
      const word = input.value.trim().toLowerCase();
      let left = 0;
      all(".tile", (tile) => {
        tile.hidden = !tile.textContent.toLowerCase().includes(word);
        left += !tile.hidden;
      });
      all("section", (section) => (section.hidden = !section.querySelector(".tile:not([hidden])")));
      none.textContent = left || !word ? "" : none.dataset.none;
    });
    addEventListener("keydown", (event) => {
      if (event.key !== "/" || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
      event.preventDefault();
      input.focus();
    });
  });
})();
