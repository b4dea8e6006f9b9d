"use strict";
(() => {
  const byId = (name) => document.getElementById(name);
  const gaps = Array.from(document.querySelectorAll(".gap"));
  const texts = new Map();
  const severity = byId("f-severity"), service = byId("f-service"), account = byId("f-account");
  const framework = byId("f-framework"), text = byId("f-text"), count = byId("f-count");

  function has(list, wanted) {
    return !wanted || list.split(" ").includes(wanted);
  }

  // Read when somebody first searches: of an organization's report that is megabytes.
  function textOf(gap) {
    if (!texts.has(gap)) {
      texts.set(gap, gap.textContent.toLowerCase());
    }
    return texts.get(gap);
  }

  function filter() {
    const words = text.value.trim().toLowerCase();
    let shown = 0;
    for (const gap of gaps) {
      const data = gap.dataset;
      const fits = (!severity.value || data.severity === severity.value)
        && (!service.value || data.service === service.value)
        && has(data.accounts, account.value)
        && has(data.frameworks, framework.value)
        && (!words || textOf(gap).includes(words));
      gap.hidden = !fits;
      shown += fits ? 1 : 0;
      for (const part of gap.querySelectorAll(".in-account")) {
        part.hidden = Boolean(account.value) && part.dataset.account !== account.value;
      }
    }
    count.textContent = `${shown} of ${gaps.length} checks`;
  }

  async function copy(button) {
    const code = button.parentElement.querySelector("code");
    let done = false;
    try {
      await navigator.clipboard.writeText(code.textContent);
      done = true;
    } catch {
      const range = document.createRange();
      range.selectNodeContents(code);
      const selection = window.getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      done = document.execCommand("copy");
    }
    button.textContent = done ? "Copied" : "Press Ctrl+C";
    window.setTimeout(() => { button.textContent = "Copy"; }, 2000);
  }

  for (const field of [severity, service, account, framework]) {
    field.addEventListener("change", filter);
  }
  text.addEventListener("input", filter);
  document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.copy");
    if (button) {
      copy(button);
    }
  });
  // A browser may restore what was chosen before the page was left.
  filter();
  window.addEventListener("beforeprint", () => {
    for (const gap of gaps) {
      gap.open = !gap.hidden;
    }
  });
})();
